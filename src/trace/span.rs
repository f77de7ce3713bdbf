//! The span of an operation, from its start to whatever becomes of it.

use std::future::Future;

use tokio::time::Instant;
use tracing::field::Empty;
use tracing::{Instrument, Span, info_span};
use url::Url;

use crate::error::{CallFacts, Error};
use crate::request::Request;
use crate::trace::failure::kind;

/// The span of a call; dropped before its end, it says that the call was cancelled.
pub(crate) struct OperationSpan {
    /// None of it is left once the end was told.
    span: Span,
    started: Instant,
}

impl OperationSpan {
    pub(crate) fn call(request: &Request, base_url: &Url) -> Self {
        let target = (request.method.as_str(), Some(request.path.template));
        Self::new(client_span(request.operation, target, base_url))
    }

    /// Returns the span of an upload to an address of which only the host may be known.
    pub(crate) fn presigned(operation: &'static str, url: &Url) -> Self {
        Self::new(client_span(operation, ("PUT", None), url))
    }

    fn new(span: Span) -> Self {
        Self { span, started: Instant::now() }
    }

    /// Runs the whole operation within the span.
    pub(crate) async fn follow<T>(
        mut self,
        future: impl Future<Output = Result<T, Error>>,
        facts: impl Fn(&T) -> &CallFacts,
    ) -> Result<T, Error> {
        let result = self.around(future).await;
        match &result {
            Ok(value) => self.succeeded(facts(value)),
            Err(error) => self.failed(error),
        }
        result
    }

    /// Runs a part of the operation within the span.
    pub(crate) fn around<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        future.instrument(self.span.clone())
    }

    /// Ends the span; after the first end nothing is told any more.
    pub(crate) fn succeeded(&mut self, facts: &CallFacts) {
        self.end(Some(facts), None);
    }

    pub(crate) fn failed(&mut self, error: &Error) {
        self.end(error.facts(), Some(kind(error)));
    }

    fn end(&mut self, facts: Option<&CallFacts>, failure: Option<&str>) {
        let span = std::mem::replace(&mut self.span, Span::none());
        if span.is_disabled() {
            return;
        }
        span.record("dari.elapsed_ms", integer(self.started.elapsed().as_millis()));
        if let Some(facts) = facts {
            record_facts(&span, facts);
        }
        if let Some(kind) = failure {
            span.record("error.type", kind);
            span.record("otel.status_code", "ERROR");
        }
    }
}

impl Drop for OperationSpan {
    fn drop(&mut self) {
        self.end(None, Some("cancelled"));
    }
}

/// Runs an operation that makes calls within a span of its own.
pub(crate) async fn workflow<T>(
    operation: &'static str,
    future: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let mut span = OperationSpan::new(info_span!(
        target: "dari",
        "dari.workflow",
        "otel.name" = operation,
        "otel.kind" = "internal",
        "dari.operation" = operation,
        "dari.elapsed_ms" = Empty,
        "error.type" = Empty,
        "otel.status_code" = Empty,
    ));
    let result = span.around(future).await;
    // Attempts and status of the call that failed stand in the span of that call.
    span.end(None, result.as_ref().err().map(kind));
    result
}

fn client_span(
    operation: &'static str,
    (method, template): (&str, Option<&'static str>),
    url: &Url,
) -> Span {
    info_span!(
        target: "dari",
        "dari.call",
        "otel.name" = name(method, template),
        "otel.kind" = "client",
        "http.request.method" = method,
        "url.template" = template,
        "server.address" = address(url),
        "server.port" = url.port_or_known_default().map(i64::from),
        "dari.operation" = operation,
        "dari.attempts" = Empty,
        "http.request.resend_count" = Empty,
        "http.response.status_code" = Empty,
        "dari.request_id" = Empty,
        "dari.elapsed_ms" = Empty,
        "error.type" = Empty,
        "otel.status_code" = Empty,
    )
}

fn name(method: &str, template: Option<&str>) -> String {
    template.map_or_else(|| method.to_owned(), |template| format!("{method} {template}"))
}

fn record_facts(span: &Span, facts: &CallFacts) {
    span.record("dari.attempts", i64::from(facts.attempts));
    if facts.attempts > 1 {
        span.record("http.request.resend_count", i64::from(facts.attempts) - 1);
    }
    if let Some(status) = facts.status {
        span.record("http.response.status_code", i64::from(status.as_u16()));
    }
    if let Some(id) = &facts.request_id {
        span.record("dari.request_id", &**id);
    }
}

/// Returns a host as OpenTelemetry writes it: an IPv6 address without brackets.
fn address(url: &Url) -> &str {
    url.host_str().unwrap_or_default().trim_matches(['[', ']'])
}

/// OpenTelemetry has signed integers only: a bridge makes text of all others.
pub(super) fn integer(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{address, integer};
    use url::Url;

    #[test]
    fn an_address_is_a_host_without_anything_around_it() {
        for (url, expected) in [
            ("https://user:pass@api.example:8443/path?query#rest", "api.example"),
            ("http://[::1]:80/x", "::1"),
            ("http://127.0.0.1", "127.0.0.1"),
        ] {
            assert_eq!(address(&Url::parse(url).unwrap()), expected);
        }
    }

    #[test]
    fn a_number_too_large_is_the_largest() {
        assert_eq!((integer(7_u64), integer(u64::MAX)), (7, i64::MAX));
    }
}
