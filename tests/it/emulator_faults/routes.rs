//! The names of routes: each stands for requests that the emulator answers.

use dari::emulator::{Emulator, Fault, Route};
use reqwest::Method;
use serde_json::json;

use crate::emulator_support::{Caller, answer};

#[tokio::test]
async fn a_named_route_is_one_that_the_emulator_answers() {
    let emulator = Emulator::start().await.unwrap();
    let caller = Caller::new(&emulator);
    for (route, method, path) in [
        (Route::SendAgentMessage, Method::POST, "/v1/agents/agt_9/messages"),
        (Route::CreateSession, Method::POST, "/v1/agents/agt_9/sessions"),
        (Route::ListAgentSessions, Method::GET, "/v1/agents/agt_9/sessions"),
        (Route::ListSessions, Method::GET, "/v1/sessions"),
        (Route::GetSession, Method::GET, "/v1/sessions/sess_9"),
        (Route::SendEvents, Method::POST, "/v1/sessions/sess_9/events"),
        (Route::ListEvents, Method::GET, "/v1/sessions/sess_9/events"),
        (Route::StreamEvents, Method::GET, "/v1/sessions/sess_9/stream"),
        (Route::ListMessages, Method::GET, "/v1/sessions/sess_9/messages"),
        (Route::GetMessage, Method::GET, "/v1/messages/msg_9"),
        (Route::GetTranscript, Method::GET, "/v1/sessions/sess_9/transcript"),
        (Route::GetWorkspace, Method::GET, "/v1/sessions/sess_9/workspace.zip"),
        (Route::UploadFile, Method::POST, "/v1/files"),
        (Route::CreateBatch, Method::POST, "/v1/session-batches"),
        (Route::GetBatch, Method::GET, "/v1/session-batches/batch_9"),
        (Route::GetCost, Method::GET, "/v1/costs/sessions/sess_9"),
        (Route::GetWebhook, Method::GET, "/v1/agents/agt_9/webhook"),
        (Route::SetWebhook, Method::PUT, "/v1/agents/agt_9/webhook"),
        (Route::DeleteWebhook, Method::DELETE, "/v1/agents/agt_9/webhook"),
        (Route::RotateWebhookSecret, Method::POST, "/v1/agents/agt_9/webhook/rotate-secret"),
        (Route::ListAgents, Method::GET, "/v1/agents"),
        (Route::GetAgent, Method::GET, "/v1/agents/agt_9"),
        (Route::DeleteAgent, Method::DELETE, "/v1/agents/agt_9"),
        (Route::CreateAgent, Method::POST, "/v1/agents"),
        (Route::ListVersions, Method::GET, "/v1/agents/agt_9/versions"),
        (Route::GetVersion, Method::GET, "/v1/agents/agt_9/versions/ver_9"),
        (Route::CreateVersion, Method::POST, "/v1/agents/agt_9/versions"),
        (Route::ReserveSnapshot, Method::POST, "/v1/source-snapshots"),
        (Route::UploadSnapshot, Method::PUT, "/uploads/none"),
        (Route::FinalizeSnapshot, Method::POST, "/v1/source-snapshots/src_9/finalize"),
        (Route::GetManifest, Method::GET, "/v1/source-snapshots/src_9/manifest"),
        (Route::DeleteSnapshot, Method::DELETE, "/v1/source-snapshots/src_9"),
    ] {
        let (_, body) = answer(caller.request(method.clone(), path)).await;
        let unknown = [json!("No such route"), json!("This route does not take this method")];
        assert!(!unknown.contains(&body["detail"]), "{route:?}: {body}");
        emulator.inject(Fault::status(503).on(route.clone()));
        assert_eq!(answer(caller.request(method, path)).await.0, 503, "{route:?}");
        assert_eq!(emulator.faults_left(), 0);
    }
}
