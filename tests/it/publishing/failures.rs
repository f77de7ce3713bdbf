//! Each step that fails, and what is cleaned up after it.

use dari::{Error, FinalizedSnapshot, PublishStep, RetryPolicy};

use super::{DELETE, STEPS, Service, source, watched};
use crate::support::raw::{PATIENCE, RawServer, Step, json, reply};
use crate::support::{KEY, builder, chain, client};

/// Publishes, and returns the error with the last step told.
async fn failure(service: &Service) -> (Error, Option<PublishStep>) {
    let folder = source();
    let client = client(&service.raw.url);
    let (publish, seen) = watched(client.agents().publish(folder.path()));
    let error = publish.await.unwrap_err();
    let last = seen.lock().unwrap().last().cloned();
    (error, last)
}

#[tokio::test]
async fn the_key_is_not_in_the_upload_to_the_service_itself_or_to_another_host() {
    let store = RawServer::always(reply("200 OK", "", "")).await;
    let place = format!("{}/bucket/x?signature=y", store.url);
    let own = Service::start(|_| None).await;
    let other = Service::start_with_place(place, |_| None).await;
    for service in [&own, &other] {
        let folder = source();
        let client = client(&service.raw.url);
        let published = client.agents().publish(folder.path()).await.unwrap();
        assert_eq!(published.version_id, "ver_2");
    }
    assert_eq!(own.lines(), STEPS);
    let uploads = [own.raw.requests().remove(1), store.requests().remove(0)];
    assert_eq!(uploads[1].line(), "PUT /bucket/x?signature=y");
    assert_eq!(other.lines().len(), 3, "nothing of it went to the service");
    for upload in &uploads {
        assert!(!upload.head.contains(KEY) && !upload.body.contains(KEY));
        assert_eq!(upload.header("authorization"), None);
        assert_eq!(upload.header("content-type"), Some("application/gzip"));
        assert_eq!(upload.header("x-a"), Some("1"));
    }
    assert_eq!(uploads[0].bytes, uploads[1].bytes, "the same source is the same archive");
    let keyed = own.raw.requests();
    let authorized = |at: usize| keyed[at].header("authorization").is_some();
    assert!(authorized(0) && authorized(2) && authorized(3), "every other step has it");
}

#[tokio::test]
async fn a_source_that_is_refused_sends_nothing() {
    let service = Service::start(|_| None).await;
    let folder = crate::support::folder::Folder::new();
    let client = client(&service.raw.url);
    let error = client.agents().publish(folder.path()).await.unwrap_err();
    assert!(matches!(error, Error::Invalid(_)), "{error:?}");
    assert!(service.lines().is_empty());
}

#[tokio::test]
async fn a_reservation_that_fails_is_neither_repeated_nor_cleaned_up() {
    let service = Service::start(|_| Some(vec![Step::Reset])).await;
    let (error, last) = failure(&service).await;
    assert_eq!(error.operation(), Some("source_snapshots.reserve"));
    assert!(matches!(last, Some(PublishStep::Packed { files: 2, .. })), "{last:?}");
    assert_eq!(service.lines(), STEPS[..1]);
}

#[tokio::test]
async fn an_upload_that_is_refused_is_cleaned_up() {
    let service = Service::start(|request| {
        let refused = || vec![Step::Write(reply("403 Forbidden", "", "<Error>Expired</Error>"))];
        request.line().starts_with("PUT ").then(refused)
    })
    .await;
    let (error, last) = failure(&service).await;
    assert!(error.is_forbidden() && error.to_string().contains("Expired"), "{error}");
    assert!(matches!(last, Some(PublishStep::CleanedUp { .. })), "{last:?}");
    assert_eq!(service.lines(), [STEPS[0], STEPS[1], DELETE]);
}

#[tokio::test]
async fn an_upload_that_must_not_be_sent_is_cleaned_up() {
    let place = "http://storage.example/x";
    let service = Service::start_with_place(place, |_| None).await;
    let (error, _) = failure(&service).await;
    assert!(error.to_string().contains("plain http"), "{error}");
    assert_eq!(service.lines(), [STEPS[0], DELETE]);
}

#[tokio::test]
async fn a_source_that_fails_its_check_is_an_error_with_the_reason() {
    let service = Service::start(|request| {
        let body = r#"{"source_snapshot_id": "src_1", "status": "failed",
            "failure_reason": "dari.yml: unknown key `nam`"}"#;
        request.line().ends_with("/finalize").then(|| vec![Step::Write(json("200 OK", body))])
    })
    .await;
    let (error, last) = failure(&service).await;
    assert!(matches!(error, Error::Failed(_)));
    let expected = "source snapshot src_1 failed: dari.yml: unknown key `nam`";
    assert_eq!(error.to_string(), expected);
    let found = error.last_seen::<FinalizedSnapshot>().unwrap();
    assert_eq!(found.status.as_str(), "failed");
    assert!(!error.is_retryable() && !error.may_have_happened());
    assert!(matches!(last, Some(PublishStep::CleanedUp { .. })), "{last:?}");
    assert_eq!(service.lines(), [STEPS[0], STEPS[1], STEPS[2], DELETE]);
}

#[tokio::test]
async fn a_status_of_tomorrow_does_not_stop_the_publication() {
    let service = Service::start(|request| {
        let body = r#"{"source_snapshot_id": "src_1", "status": "ready_with_warnings"}"#;
        request.line().ends_with("/finalize").then(|| vec![Step::Write(json("200 OK", body))])
    })
    .await;
    let folder = source();
    let client = client(&service.raw.url);
    client.agents().publish(folder.path()).await.unwrap();
    assert_eq!(service.lines(), STEPS);
}

#[tokio::test]
async fn a_version_that_the_service_refuses_is_cleaned_up() {
    let bad: super::Change = |request| refused(request.line(), "400 Bad Request");
    let invalid: super::Change = |request| refused(request.line(), "422 Unprocessable Entity");
    for change in [bad, invalid] {
        let service = Service::start(change).await;
        let (error, last) = failure(&service).await;
        assert_eq!(error.operation(), Some("agents.create"));
        assert!(error.to_string().contains("rejected by the test"), "{error}");
        assert!(matches!(last, Some(PublishStep::CleanedUp { .. })), "{error}: {last:?}");
        assert_eq!(service.lines(), [&STEPS[..], &[DELETE]].concat());
    }
}

fn refused(line: &str, status: &str) -> Option<Vec<Step>> {
    let body = r#"{"detail": "rejected by the test"}"#;
    (line == "POST /v1/agents").then(|| vec![Step::Write(json(status, body))])
}

#[tokio::test]
async fn a_snapshot_that_a_version_may_have_been_made_of_is_kept() {
    let lost: super::Change = |request| match request.line() {
        "POST /v1/agents" => Some(vec![Step::Reset]),
        _ => None,
    };
    let internal: super::Change = |request| refused(request.line(), "500 Internal Server Error");
    let gateway: super::Change = |request| refused(request.line(), "502 Bad Gateway");
    let busy: super::Change = |request| refused(request.line(), "503 Service Unavailable");
    let late: super::Change = |request| refused(request.line(), "504 Gateway Timeout");
    let unreadable: super::Change = |request| match request.line() {
        "POST /v1/agents" => Some(vec![Step::Write(json("201 Created", "{}"))]),
        _ => None,
    };
    for change in [lost, internal, gateway, busy, late, unreadable] {
        let service = Service::start(change).await;
        let (error, last) = failure(&service).await;
        assert!(error.may_have_happened(), "{error:?}");
        let Some(PublishStep::NotCleanedUp { source_snapshot_id, reason, .. }) = last else {
            panic!("{last:?}")
        };
        assert_eq!(source_snapshot_id, "src_1");
        assert_eq!(reason, "a version may have been made of it");
        assert_eq!(service.lines(), STEPS);
    }
}

#[tokio::test]
async fn a_cleanup_that_fails_does_not_hide_the_error() {
    let service = Service::start(|request| match request.line() {
        DELETE => Some(vec![Step::Write(reply("409 Conflict", "", r#"{"detail": "in use"}"#))]),
        line => refused(line, "400 Bad Request"),
    })
    .await;
    let (error, last) = failure(&service).await;
    assert_eq!(error.status().unwrap().as_u16(), 400);
    assert!(chain(&error).contains("rejected by the test"));
    let Some(PublishStep::NotCleanedUp { reason, .. }) = last else { panic!("{last:?}") };
    assert!(reason.contains("409 conflict: in use"), "{reason}");
}

#[tokio::test]
async fn a_publication_that_is_dropped_leaves_nothing_running() {
    let service =
        Service::start(|request| request.line().starts_with("PUT ").then(|| vec![Step::Hold]))
            .await;
    let folder = source();
    let client = builder(&service.raw.url).retry(RetryPolicy::none()).build().unwrap();
    let (publish, seen) = watched(client.agents().publish(folder.path()));
    {
        let mut running = publish.into_future();
        tokio::select! {
            done = &mut running => panic!("{done:?}"),
            () = until_reserved(&service) => {}
        }
    }
    service.raw.left(1).await;
    assert_eq!(service.lines(), STEPS[..2], "no deletion either: nothing runs any more");
    let seen = seen.lock().unwrap();
    let Some(PublishStep::Reserved { source_snapshot_id, .. }) = seen.last() else {
        panic!("{seen:?}")
    };
    assert_eq!(source_snapshot_id.as_str(), "src_1", "what is left behind was told");
}

async fn until_reserved(service: &Service) {
    let reserved = async {
        while service.lines().len() < 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, reserved).await.expect("nothing is reserved");
}
