//! What the emulator's lists hold.

use dari::emulator::Emulator;
use serde_json::json;

use crate::emulator_support::{Caller, hello};

#[tokio::test]
async fn the_limit_of_an_event_list_is_a_whole_number_from_1() {
    let emulator = Emulator::start().await.unwrap();
    let caller = Caller::new(&emulator);
    caller.post("/v1/agents/agt_1/messages", &hello()).await;
    let path = "/v1/sessions/sess_1/events";
    for (limit, count) in [("1", 1), ("3", 3), ("1000", 6)] {
        let (_, list) = caller.get(&format!("{path}?limit={limit}")).await;
        assert_eq!(list["events"].as_array().unwrap().len(), count);
    }
    for limit in ["0", "-1", "x", "", "1.5"] {
        let (status, body) = caller.get(&format!("{path}?limit={limit}")).await;
        assert_eq!(status, 422, "{limit:?}");
        assert_eq!(body["detail"][0]["loc"], json!(["query", "limit"]));
    }
}

#[tokio::test]
async fn an_event_list_without_a_limit_is_cut_at_100() {
    let emulator = Emulator::start().await.unwrap();
    let caller = Caller::new(&emulator);
    let path = format!("/v1/sessions/{}/events", caller.create().await);
    caller.post(&path, &json!({"events": vec![hello(); 120]})).await;
    assert_eq!(caller.get(&path).await.1["events"].as_array().unwrap().len(), 100);
    let all = caller.get(&format!("{path}?limit=9999")).await.1;
    assert_eq!(all["events"].as_array().unwrap().len(), 120 * 4 + 2);
}

#[tokio::test]
async fn sessions_are_listed_by_metadata_in_the_query() {
    let emulator = Emulator::start().await.unwrap();
    let caller = Caller::new(&emulator);
    for metadata in [json!({"team": "a b", "run": "1"}), json!({"team": "a b", "run": "2"})] {
        caller.post("/v1/agents/agt_1/sessions", &json!({"metadata": metadata})).await;
    }
    let mut counts = Vec::new();
    for query in [
        "",
        "?metadata.team=a%20b",
        "?metadata.team=a+b&metadata.run=2",
        "?metadata.x=1",
        "?other=1",
    ] {
        let (_, list) = caller.get(&format!("/v1/sessions{query}")).await;
        counts.push(list["sessions"].as_array().unwrap().len());
    }
    assert_eq!(counts, [2, 2, 1, 0, 2]);
}
