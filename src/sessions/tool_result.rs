//! The answer to a call of an external tool.

use serde::{Deserialize, Serialize, Serializer};

use crate::call::{Call, Operation};
use crate::error::Error;
use crate::events::{Event, MessageSummary, NewToolResult};
use crate::ids::SessionId;
use crate::object::{ExtraFields, growing};
use crate::request::{Request, route};
use crate::retry::Repeat;
use crate::sessions::{Session, Sessions};

/// A tool result that the service has.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(try_from = "Option<SubmitReply>")]
#[non_exhaustive]
pub struct SubmittedToolResult {
    /// The recorded event; none when an attempt whose reply was lost had recorded it.
    pub event: Option<Event>,
    /// The message that goes on, where the reply has it.
    pub message: Option<MessageSummary>,
    /// The session, where the reply has it.
    pub session: Option<Session>,
    /// Fields newer than this version of the crate.
    pub extra: ExtraFields,
}

/// One that was recorded before is `null`, as it is read.
impl Serialize for SubmittedToolResult {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Recorded<'a> {
            event: &'a Event,
            #[serde(skip_serializing_if = "Option::is_none")]
            message: &'a Option<MessageSummary>,
            #[serde(skip_serializing_if = "Option::is_none")]
            session: &'a Option<Session>,
            #[serde(flatten)]
            extra: &'a ExtraFields,
        }

        let Self { event, message, session, extra } = self;
        let recorded = event.as_ref().map(|event| Recorded { event, message, session, extra });
        recorded.serialize(serializer)
    }
}

impl SubmittedToolResult {
    /// Returns whether a repeat found the call answered.
    ///
    /// The attempt before it was lost on its way back, so the answer is nearly always that one.
    #[must_use]
    pub fn was_already_recorded(&self) -> bool {
        self.event.is_none()
    }
}

/// Either form of the reply: the newer one, or a list of one event.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Self")]
struct SubmitReply {
    event: Option<Event>,
    events: Option<Vec<Event>>,
    message: Option<MessageSummary>,
    session: Option<Session>,
    #[serde(skip_deserializing, flatten)]
    extra: ExtraFields,
}

growing!(SubmitReply);

impl TryFrom<Option<SubmitReply>> for SubmittedToolResult {
    type Error = &'static str;

    fn try_from(reply: Option<SubmitReply>) -> Result<Self, &'static str> {
        let Some(reply) = reply else {
            return Ok(Self::default());
        };
        let first = || reply.events.and_then(|events| events.into_iter().next());
        let event = reply.event.or_else(first).ok_or("missing field `event`")?;
        let SubmitReply { message, session, extra, .. } = reply;
        Ok(Self { event: Some(event), message, session, extra })
    }
}

impl<'a> Sessions<'a> {
    /// Answers a call of one of the application's tools.
    ///
    /// `POST /v1/sessions/{session_id}/events` with one `tool.result_submitted`, contract §3 and §6.
    /// No `Idempotency-Key` is documented for it, and none is needed: a call takes one answer. It is
    /// repeated as the client's policy says, and a 409 behind an attempt whose reply was lost (a
    /// broken reply, a timeout, 408, 5xx) counts as done; see
    /// [`was_already_recorded`](SubmittedToolResult::was_already_recorded).
    ///
    /// # Errors
    ///
    /// That these statuses mean this is an assumption:
    ///
    /// - a conflict (409) when the call had an answer before this one was sent: somebody else's, or
    ///   that of an earlier call of this method;
    /// - not found (404) when there is no such call;
    /// - 422 when a success does not fit the tool's output schema: the message goes on waiting.
    ///
    /// [`Error::Invalid`](crate::Error::Invalid) when the result cannot be encoded.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, session: dari::SessionId) -> dari::Result<()> {
    /// # let (message, call) = ("msg_1".parse().unwrap(), "call_1".into());
    /// use dari::NewToolResult;
    /// use serde_json::json;
    ///
    /// let result = NewToolResult::success(&message, &call, json!({"priority": "high"}));
    /// client.sessions().submit_tool_result(&session, result).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn submit_tool_result(
        self,
        session: &SessionId,
        result: NewToolResult,
    ) -> Call<'a, SubmittedToolResult, SubmitToolResult> {
        Call::new(self.client, SubmitToolResult { session: session.clone(), result })
    }
}

/// The inside of [`Sessions::submit_tool_result`].
#[derive(Debug)]
pub struct SubmitToolResult {
    session: SessionId,
    result: NewToolResult,
}

impl Operation for SubmitToolResult {
    #[inline]
    fn into_request(self) -> Result<Request, Error> {
        const NAME: &str = "sessions.submit_tool_result";
        self.result.check(NAME)?;
        let path = route!("/v1/sessions/{session_id}/events", self.session);
        Request::post(NAME, path, Repeat::Once).json(&self.result)
    }
}

#[cfg(test)]
mod tests {
    use super::SubmittedToolResult;
    use serde_json::{Value, json};

    fn event() -> Value {
        json!({
            "id": "evt_9", "session_id": "sess_1", "type": "tool.result_submitted",
            "data": {"tool_call_id": "call_1"}, "created_at": "2026-04-21T18:40:00Z",
        })
    }

    fn read(reply: &Value) -> Result<SubmittedToolResult, serde_json::Error> {
        serde_json::from_str(&reply.to_string())
    }

    #[test]
    fn either_form_of_the_reply_is_read() {
        let newer = json!({
            "event": event(), "message": {"id": "msg_1", "status": "running"},
            "session": {"id": "sess_1", "agent_id": "agt_1"}, "trace": "t",
        });
        let submitted = read(&newer).unwrap();
        assert_eq!(submitted.event.as_ref().unwrap().id, "evt_9");
        assert_eq!(submitted.message.as_ref().unwrap().status.as_str(), "running");
        assert_eq!(submitted.session.as_ref().unwrap().id, "sess_1");
        assert_eq!(submitted.extra.get("trace").unwrap().get(), "\"t\"");
        assert_eq!(serde_json::to_value(&submitted).unwrap(), newer);
        let listed = read(&json!({"events": [event()]})).unwrap();
        assert_eq!(listed.event.as_ref(), submitted.event.as_ref());
        assert!(!listed.was_already_recorded());
    }

    #[test]
    fn a_reply_without_the_event_is_broken_and_null_is_a_lost_reply() {
        for broken in [json!({}), json!({"events": []}), json!({"message": null})] {
            let error = read(&broken).unwrap_err();
            assert!(error.to_string().contains("missing field `event`"), "{error}");
        }
        assert!(read(&Value::Null).unwrap().was_already_recorded());
    }
}
