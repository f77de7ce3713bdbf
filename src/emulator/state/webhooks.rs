//! Webhooks: what each agent has set, and the deliveries that wait to go out (contract §7).

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use serde_json::value::RawValue;

use super::ledger::{Data, written};
use super::{Answer, State, Visit, place};
use crate::emulator::body::WebhookSettings;
use crate::emulator::refusal::Refusal;
use crate::secret::Secret;

/// The webhooks of all agents, and what is to be delivered to them.
#[derive(Debug, Default)]
pub(super) struct Webhooks {
    /// By the place of the agent.
    set: BTreeMap<usize, Webhook>,
    outbox: Vec<Outgoing>,
    posted: usize,
}

/// A delivery that is to be sent.
#[derive(Clone, Debug)]
pub(in crate::emulator) struct Outgoing {
    /// The webhook id; every attempt has the same.
    pub(in crate::emulator) id: String,
    pub(in crate::emulator) kind: &'static str,
    pub(in crate::emulator) agent: usize,
    pub(in crate::emulator) body: String,
    subject: Subject,
}

/// Where deliveries go, and what signs them.
#[derive(Debug)]
pub(in crate::emulator) struct Target {
    pub(in crate::emulator) url: String,
    pub(in crate::emulator) secret: Secret,
}

/// An event for the webhook of an agent, if that asked for its kind.
#[derive(Debug)]
pub(super) struct Post {
    pub(super) kind: &'static str,
    pub(super) at: Duration,
    pub(super) subject: Subject,
    pub(super) data: Box<RawValue>,
}

/// What an event is about: a session, or a batch.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Subject {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) session_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) batch_id: Option<String>,
}

#[derive(Debug)]
struct Webhook {
    url: String,
    event_types: Vec<&'static str>,
    secret: Secret,
}

/// What all four operations answer.
#[derive(Default, Serialize)]
struct Configuration<'a> {
    webhook_url: Option<&'a str>,
    signing_enabled: bool,
    event_types: &'a [&'static str],
    /// Shown when it is new, and never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    signing_secret: Option<&'a str>,
}

/// A delivery as it is sent.
///
/// That ids and time stand beside `data` is an assumption (contract §7).
#[derive(Serialize)]
struct Envelope<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    created_at: &'a str,
    agent_id: &'a str,
    #[serde(flatten)]
    subject: &'a Subject,
    data: &'a RawValue,
}

impl State {
    pub(in crate::emulator) fn webhook(&mut self, visit: Visit, agent_id: &str) -> Answer {
        let agent = self.find_agent(visit, agent_id)?;
        Ok(self.webhooks.set.get(&agent).map_or_else(none_set, |webhook| webhook.shown(None)))
    }

    /// Sets a webhook; only the first one of an agent needs the secret.
    pub(in crate::emulator) fn set_webhook(
        &mut self,
        visit: Visit,
        agent_id: &str,
        (settings, secret): (WebhookSettings, Secret),
    ) -> Answer {
        let agent = self.find_agent(visit, agent_id)?;
        self.changes += 1;
        let WebhookSettings { url, event_types } = settings;
        if let Some(known) = self.webhooks.set.get_mut(&agent) {
            (known.url, known.event_types) = (url, event_types);
            return Ok(known.shown(None));
        }
        let webhook = Webhook { url, event_types, secret };
        let answer = webhook.shown(Some(&webhook.secret));
        self.webhooks.set.insert(agent, webhook);
        Ok(answer)
    }

    /// Removes a webhook, and its secret with it.
    pub(in crate::emulator) fn clear_webhook(&mut self, visit: Visit, agent_id: &str) -> Answer {
        let agent = self.find_agent(visit, agent_id)?;
        self.changes += 1;
        self.webhooks.set.remove(&agent);
        Ok(none_set())
    }

    /// Signs with another secret from now on.
    ///
    /// That the old one signs no more is an assumption, as is the 404 without a webhook.
    pub(in crate::emulator) fn rotate_secret(
        &mut self,
        visit: Visit,
        agent_id: &str,
        secret: Secret,
    ) -> Answer {
        let agent = self.find_agent(visit, agent_id)?;
        let webhook = self.webhooks.set.get_mut(&agent).ok_or(Refusal::NotFound("Webhook"))?;
        webhook.secret = secret;
        Ok(webhook.shown(Some(&webhook.secret)))
    }

    /// Hands over what is to be delivered, and says when there may be more.
    ///
    /// With a webhook set, turns go on by the clock; without one, only when somebody asks.
    pub(in crate::emulator) fn outgoing(
        &mut self,
        visit: Visit,
    ) -> (Vec<Outgoing>, Option<Duration>) {
        let mut due = None;
        if !self.webhooks.set.is_empty() {
            self.advance(visit.now);
            due = self.next_due();
        }
        (std::mem::take(&mut self.webhooks.outbox), due)
    }

    /// Returns where a delivery goes now; nowhere once the webhook is gone.
    pub(in crate::emulator) fn webhook_target(&self, agent: usize) -> Option<Target> {
        let webhook = self.webhooks.set.get(&agent)?;
        Some(Target { url: webhook.url.clone(), secret: webhook.secret.clone() })
    }

    /// Records that a delivery was given up, if it is about a session.
    pub(in crate::emulator) fn delivery_failed(
        &mut self,
        visit: Visit,
        delivery: &Outgoing,
        (attempts, error): (u32, &str),
    ) {
        self.advance(visit.now);
        let Subject { session_id, message_id, .. } = &delivery.subject;
        let found = session_id.as_deref().and_then(|id| place(id, "sess_"));
        let Some(session) = found.and_then(|place| self.sessions.get_mut(place)) else {
            return;
        };
        let (webhook_id, event_type) = (&*delivery.id, delivery.kind);
        let data = Data::DeliveryFailed { webhook_id, event_type, attempts, error };
        session.ledger.record(visit.now, message_id.as_deref(), &data);
        self.changes += 1;
    }

    /// Delivers an event to the webhook of an agent, if that asked for its kind.
    pub(super) fn post(&mut self, agent: usize, post: &Post) {
        let wanted = self.webhooks.set.get(&agent);
        let wanted = wanted.is_some_and(|webhook| webhook.event_types.contains(&post.kind));
        let Some(owner) = self.agents.get(agent).filter(|_| wanted) else {
            return;
        };
        self.changes += 1;
        self.webhooks.posted += 1;
        let id = format!("webhook_{}", self.webhooks.posted);
        let envelope = Envelope {
            id: &id,
            kind: post.kind,
            created_at: &self.epoch.stamp(post.at),
            agent_id: &owner.id,
            subject: &post.subject,
            data: &post.data,
        };
        let body = written(&envelope).get().to_owned();
        let subject = post.subject.clone();
        self.webhooks.outbox.push(Outgoing { id, kind: post.kind, agent, body, subject });
    }
}

impl Webhook {
    fn shown(&self, secret: Option<&Secret>) -> Box<RawValue> {
        written(&Configuration {
            webhook_url: Some(&self.url),
            signing_enabled: true,
            event_types: &self.event_types,
            signing_secret: secret.map(Secret::expose),
        })
    }
}

fn none_set() -> Box<RawValue> {
    written(&Configuration::default())
}
