//! What the compiler is asked to promise: types that cross threads, futures that do too.

use std::future::IntoFuture;

use dari::{
    Batch, Client, Cost, Download, Error, FileSource, Message, NewBatch, NewSession, RawJson,
    Transcript, UploadedFile,
};

fn assert_send_sync<T: Send + Sync + 'static>() {}

fn assert_send<T: Send>(_: &T) {}

#[test]
fn the_client_and_what_it_gives_cross_threads() {
    assert_send_sync::<Client>();
    assert_send_sync::<Error>();
    assert_send_sync::<Message>();
    assert_send_sync::<Transcript>();
    assert_send_sync::<RawJson>();
    assert_send_sync::<NewSession>();
    assert_send_sync::<UploadedFile>();
    assert_send_sync::<NewBatch>();
    assert_send_sync::<Batch>();
    assert_send_sync::<Cost>();
    fn sent_and_moved<T: Send + Unpin + 'static>() {}
    sent_and_moved::<Download>();
    sent_and_moved::<FileSource>();
    fn cheap<T: Clone>() {}
    cheap::<Client>();
}

#[test]
fn every_future_can_be_spawned() {
    let client = Client::builder("dari_1").base_url("http://127.0.0.1:1").build().unwrap();
    let (agent, session) = ("agt_1".parse().unwrap(), "sess_1".parse().unwrap());
    assert_send(&client.agents().send_message(&agent, "hi").into_future());
    assert_send(&client.sessions().create(&agent).with_meta().into_future());
    assert_send(&client.messages().send(&session, "hi").into_future());
    assert_send(&client.transcript().get(&session).into_future());
    assert_send(&client.files().upload(FileSource::bytes("a", "b")).into_future());
    assert_send(&client.workspace().download(&session).into_future());
    assert_send(&client.workspace().download(&session).to_file("a"));
    #[cfg(feature = "workspace")]
    assert_send(&client.workspace().download(&session).unpack_into("a"));
    let id = "msg_1".parse().unwrap();
    assert_send(&client.messages().wait(&id).on_status(|_| {}).into_future());
    let id = "batch_1".parse().unwrap();
    assert_send(&client.batches().create(NewBatch::new([])).into_future());
    assert_send(&client.batches().wait(&id).on_progress(|_| {}).into_future());
    assert_send(&client.costs().wait(&session).into_future());
}

#[test]
fn a_call_outlives_the_handle_it_came_from() {
    let client = Client::builder("dari_1").base_url("http://127.0.0.1:1").build().unwrap();
    let call = {
        let id = "msg_1".parse().unwrap();
        client.messages().get(&id)
    };
    drop(call);
}
