//! The routes of an agent's webhook (contract §7).

use axum::Router;
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;

use super::Id;
use crate::emulator::body::webhook_settings;
use crate::emulator::gate::Call;
use crate::emulator::refusal::Refusal;
use crate::emulator::state::State;
use crate::secret::Secret;

/// How many characters of a signing secret follow `whsec_`.
const SECRET_LENGTH: usize = 32;

pub(super) fn routes() -> Router {
    Router::new()
        .route("/v1/agents/{id}/webhook", get(webhook).put(set_webhook).delete(clear_webhook))
        .route("/v1/agents/{id}/webhook/rotate-secret", post(rotate_secret))
}

async fn webhook(call: Call, Id(agent): Id) -> Response {
    call.answer(StatusCode::OK, |state, visit| state.webhook(visit, &agent))
}

async fn set_webhook(call: Call, Id(agent): Id) -> Result<Response, Refusal> {
    let settings = webhook_settings(call.json()?)?;
    let entry =
        |state: &mut State, visit| state.set_webhook(visit, &agent, (settings, new_secret()));
    Ok(call.answer(StatusCode::OK, entry))
}

async fn clear_webhook(call: Call, Id(agent): Id) -> Response {
    call.answer(StatusCode::OK, |state, visit| state.clear_webhook(visit, &agent))
}

async fn rotate_secret(call: Call, Id(agent): Id) -> Response {
    call.answer(StatusCode::OK, |state, visit| state.rotate_secret(visit, &agent, new_secret()))
}

fn new_secret() -> Secret {
    let random = std::iter::repeat_with(fastrand::alphanumeric).take(SECRET_LENGTH);
    "whsec_".chars().chain(random).collect::<String>().into()
}
