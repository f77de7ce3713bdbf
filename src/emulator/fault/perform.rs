//! A fault as it happens to one request.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use tokio::time::sleep;

use super::body::CutBody;
use super::events::EditedStream;
use super::{Act, Effect};
use crate::emulator::line::Cutter;

impl Act {
    /// Answers a request that `answer` carries out.
    pub(in crate::emulator) async fn perform(
        self,
        line: Cutter,
        answer: impl Future<Output = Response> + Send,
    ) -> Response {
        let retry_after = self.retry_after;
        let mut response = self.without_header(line, answer).await;
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }

    async fn without_header(
        self,
        line: Cutter,
        answer: impl Future<Output = Response> + Send,
    ) -> Response {
        match self.effect {
            Effect::Reply { status, content_type, body } => {
                if self.carried_out {
                    answer.await;
                }
                reply(status, &content_type, body)
            }
            Effect::Delay(time) => {
                let response = answer.await;
                sleep(time).await;
                response
            }
            Effect::CutBody(bytes) => {
                answer.await.map(|body| Body::new(CutBody::new(body, bytes, line)))
            }
            Effect::Close => {
                if self.carried_out {
                    answer.await;
                }
                line.cut();
                std::future::pending().await
            }
            Effect::Stream(effect) => {
                let response = answer.await;
                if !is_stream(&response) {
                    return response;
                }
                response.map(|body| Body::new(EditedStream::new(body, effect)))
            }
        }
    }
}

fn reply(status: u16, content_type: &str, body: String) -> Response {
    let status = StatusCode::from_u16(status).ok().filter(|it| (200..600).contains(&it.as_u16()));
    let mut response = (status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), body).into_response();
    response.headers_mut().remove(header::CONTENT_TYPE);
    if let Ok(content_type) = HeaderValue::from_str(content_type) {
        response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    }
    response
}

/// A refusal is passed on as it is.
fn is_stream(response: &Response) -> bool {
    response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "text/event-stream")
}
