//! What the fuzz targets see of requests and replies.

use http::{HeaderMap, StatusCode};

use crate::client::Client;
use crate::error::{CallFacts, Error};
use crate::request::Request;

pub(crate) fn headers(
    client: &Client,
    request: &Request,
    own: HeaderMap,
) -> Result<HeaderMap, Error> {
    super::headers(client.inner(), request, own)
}

pub(crate) fn request_id(client: &Client, headers: &HeaderMap) -> Option<Box<str>> {
    client.inner().request_id(headers)
}

pub(crate) fn refusal(client: &Client, body: &[u8]) -> Error {
    let status = Some(StatusCode::UNPROCESSABLE_ENTITY);
    let facts = CallFacts { operation: "fuzz", attempts: 1, status, ..CallFacts::default() };
    client.inner().api_error(facts, body)
}
