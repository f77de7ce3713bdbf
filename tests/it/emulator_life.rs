//! The emulator as a thing: its log, its start and its end.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use dari::emulator::{Emulator, ScriptedAgent, Turn};
use reqwest::Method;
use serde_json::json;

use crate::emulator_support::{Caller, answer, hello};

fn connect(emulator: &Emulator) -> std::io::Result<TcpStream> {
    TcpStream::connect(emulator.url().trim_start_matches("http://"))
}

#[tokio::test]
async fn the_log_holds_what_was_sent() {
    let emulator = Emulator::start().await.unwrap();
    let caller = Caller::new(&emulator);
    caller.post("/v1/agents/agt_1/messages", &hello()).await;
    let request = caller.bare(Method::GET, "/v1/sessions?metadata.a=b%20c");
    answer(request.header("x-mark", "7")).await;
    let log = emulator.requests();
    assert_eq!((log[0].method(), log[0].path()), ("POST", "/v1/agents/agt_1/messages"));
    assert_eq!((log[0].json().unwrap(), log[0].query()), (hello(), None));
    assert_eq!(log[0].header("Content-Type"), Some("application/json"));
    assert_eq!(log[1].query(), Some("metadata.a=b%20c"));
    assert_eq!((log[1].header("x-mark"), log[1].header("x-none")), (Some("7"), None));
    assert!(log[1].body().is_empty() && log[1].json().is_err());
    emulator.clear_requests();
    assert!(emulator.requests().is_empty());
}

#[tokio::test]
async fn the_log_keeps_as_many_requests_as_it_was_told() {
    for kept in [0, 2] {
        let emulator = Emulator::builder().requests_kept(kept).start().await.unwrap();
        let caller = Caller::new(&emulator);
        for number in 1..=4 {
            caller.get(&format!("/v1/sessions/{number}")).await;
        }
        let log = emulator.requests();
        let paths: Vec<_> = log.iter().map(|request| request.path()).collect();
        assert_eq!(paths, ["/v1/sessions/3", "/v1/sessions/4"][2 - kept..]);
    }
}

#[tokio::test]
async fn it_listens_on_loopback_alone() {
    let emulator = Emulator::start().await.unwrap();
    let address: std::net::SocketAddr = emulator.url()["http://".len()..].parse().unwrap();
    assert!(address.ip().is_loopback(), "{address}");
}

#[tokio::test]
async fn debug_output_never_shows_the_key() {
    let builder = Emulator::builder().api_key("dari_hidden").other_organization("dari_hidden_too");
    let mut shown = format!("{builder:?}");
    let emulator = builder.start().await.unwrap();
    Caller::new(&emulator).get("/v1/sessions").await;
    let log = emulator.requests();
    assert_eq!(log[0].header("authorization"), Some("Bearer dari_hidden"));
    shown += &format!("{emulator:?} {log:?}");
    assert!(!shown.contains("dari_hidden"), "{shown}");
}

#[tokio::test]
async fn a_request_cut_short_is_not_carried_out() {
    let emulator = Emulator::start().await.unwrap();
    let head = format!(
        "POST /v1/agents/agt_1/sessions HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {}\r\n\
         content-length: 100\r\n\r\n",
        emulator.api_key()
    );
    let mut stream = connect(&emulator).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let _ = stream.read_to_end(&mut Vec::new());
    let (_, sessions) = Caller::new(&emulator).get("/v1/sessions").await;
    assert_eq!(sessions, json!({"sessions": []}));
}

#[tokio::test]
async fn dropping_it_closes_the_port_and_every_connection() {
    let emulator = Emulator::start().await.unwrap();
    let mut idle = connect(&emulator).unwrap();
    let caller = Caller::new(&emulator);
    assert_eq!(caller.get("/v1/sessions").await.0, 200);
    let address = emulator.url().trim_start_matches("http://").to_owned();
    drop(caller);
    drop(emulator);
    let refused = TcpStream::connect(address).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    idle.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    match idle.read(&mut [0; 1]) {
        Ok(count) => assert_eq!(count, 0),
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
    }
}

#[tokio::test]
async fn dropping_it_ends_turns_and_frees_their_scripts() {
    let owned = Arc::new(());
    let held = owned.clone();
    let agent = ScriptedAgent::named("slow").respond(move |_| {
        let _ = &held;
        Turn::new().delay(Duration::from_secs(3600))
    });
    let emulator = Emulator::builder().agent(agent).start().await.unwrap();
    let caller = Caller::new(&emulator);
    caller.post("/v1/agents/agt_1/messages", &hello()).await;
    assert_eq!(caller.get("/v1/messages/msg_1").await.1["status"], "running");
    let begun = Instant::now();
    drop(emulator);
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!(Arc::strong_count(&owned), 1);
}

#[test]
fn it_may_be_shared_between_threads_and_tasks() {
    fn shared<T: Send + Sync + 'static>() {}
    fn sendable<T: Send>(_: T) {}
    shared::<Emulator>();
    shared::<ScriptedAgent>();
    sendable(Emulator::start());
}

#[tokio::test]
async fn twenty_run_side_by_side() {
    let mut emulators = Vec::new();
    for number in 0..20 {
        let agent = ScriptedAgent::named("a").turns([Turn::reply(number.to_string())]);
        emulators.push(Emulator::builder().agent(agent).start().await.unwrap());
    }
    for emulator in &emulators {
        Caller::new(emulator).post("/v1/agents/agt_1/messages", &hello()).await;
    }
    for (number, emulator) in emulators.iter().enumerate() {
        let (_, message) = Caller::new(emulator).get("/v1/messages/msg_1").await;
        assert_eq!(message["output"]["parts"][0]["text"], number.to_string());
    }
}

#[test]
fn a_blocked_thread_does_not_stop_it() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let emulator = runtime.block_on(Emulator::start()).unwrap();
    let mut stream = connect(&emulator).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(b"GET /v1/sessions HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.0 401"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn a_paused_clock_does_not_stop_it() {
    let agent = ScriptedAgent::named("a").turns([Turn::new().delay(Duration::from_millis(20))]);
    let emulator = Emulator::builder().agent(agent).start().await.unwrap();
    let caller = Caller::new(&emulator);
    caller.post("/v1/agents/agt_1/messages", &hello()).await;
    let deadline = Instant::now() + Duration::from_secs(10);
    while caller.get("/v1/messages/msg_1").await.1["status"] != "completed" {
        assert!(Instant::now() < deadline);
    }
}

#[tokio::test]
async fn a_script_may_look_at_the_log_and_own_the_emulator() {
    let slot: Arc<Mutex<Option<Emulator>>> = Arc::default();
    let inside = slot.clone();
    let agent = ScriptedAgent::named("a").respond(move |_| {
        let emulator = inside.lock().unwrap().take();
        Turn::reply(emulator.map_or(0, |it| it.requests().len()).to_string())
    });
    let emulator = Emulator::builder().agent(agent).start().await.unwrap();
    let url = emulator.url().to_owned();
    let key = emulator.api_key().to_owned();
    *slot.lock().unwrap() = Some(emulator);
    // The second request plays the turn, in which the script drops the emulator.
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let send = http.post(format!("{url}/v1/agents/agt_1/messages")).bearer_auth(&key);
    let send = send.header("content-type", "application/json").body(hello().to_string());
    assert_eq!(send.send().await.unwrap().status(), 202);
    let _ = http.get(format!("{url}/v1/messages/msg_1")).bearer_auth(&key).send().await;
    assert!(slot.lock().unwrap().is_none());
}
