//! A batch that ends is delivered to the agent's webhook, signed like everything else.

use dari::emulator::Emulator;
use dari::webhooks::{WebhookEventKind, WebhookVerifier};
use dari::{Batch, BatchItem, NewBatch};
use serde_json::json;

use crate::emulator_support::Caller;
use crate::support::receiver::{Receiver, headers};

#[tokio::test]
async fn an_application_hears_of_the_end_of_its_batch_and_reads_the_items_there() {
    let mut receiver = Receiver::start().await;
    let emulator = Emulator::start().await.unwrap();
    let body = json!({"webhook_url": receiver.hook(), "event_types": ["batch.partial_failed"]});
    let (status, shown) = Caller::new(&emulator).put("/v1/agents/agt_1/webhook", &body).await;
    assert_eq!(status, 200);
    let verifier = WebhookVerifier::new(shown["signing_secret"].as_str().unwrap()).unwrap();

    let item = |text: &str| BatchItem::new(&emulator.agent(), text).metadata("case", text);
    let items = [item("a"), item("b").version_id("ver_none".parse().unwrap())];
    let client = emulator.client().unwrap();
    let created = client.batches().create(NewBatch::new(items)).await.unwrap();

    let request = receiver.next().await;
    let event = verifier.verify(&headers(&request), request.body.as_bytes()).unwrap();
    let WebhookEventKind::BatchPartialFailed(end) = event.kind() else { panic!("{event:?}") };
    assert_eq!(end.batch_id, Some(created.id));
    let batch: Batch = event.data.parse().unwrap();
    assert_eq!(batch.session(0).unwrap().metadata.as_ref().unwrap()["case"], "a");
    assert_eq!(batch.failed().map(|item| item.index).collect::<Vec<_>>(), [1]);
}
