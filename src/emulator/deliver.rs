//! Delivers webhooks: signed, tried again under one id, in order unless asked otherwise.

mod wire;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{sleep, timeout};

use super::deliveries::{DeliveryAttempt, DeliveryPolicy};
use super::service::Service;
use super::state::{Organization, Outgoing, State};
use wire::{Failure, send};

/// How long to wait for a change when nothing is due.
const LONG: Duration = Duration::from_secs(3600);

/// A delivery that is being made.
struct Job {
    service: Arc<Service>,
    delivery: Outgoing,
}

/// What an attempt came to.
enum Fate {
    Arrived,
    /// Another attempt may succeed.
    Missed(String),
    /// None can.
    Hopeless(String),
    /// The webhook is gone, and with it whoever waited for this.
    Unwanted,
}

/// Delivers what there is to deliver for as long as the service runs.
pub(super) async fn deliver(service: Arc<Service>) {
    let (lane, arrivals) = unbounded_channel();
    tokio::spawn(in_turn(service.clone(), arrivals));
    loop {
        let (deliveries, due) = service.visit(Organization::Owner, State::outgoing);
        for delivery in deliveries {
            // The lane ends with the runtime, as this does.
            let _ = lane.send(Job { service: service.clone(), delivery });
        }
        let pause = due.map_or(LONG, |due| due.saturating_sub(service.now()));
        // Either way it is time to look again.
        let _ = timeout(pause, service.pulse.notified()).await;
    }
}

/// Makes the first attempts, one after another.
async fn in_turn(service: Arc<Service>, mut arrivals: UnboundedReceiver<Job>) {
    let window = service.deliveries.window;
    while let Some(first) = arrivals.recv().await {
        let mut jobs = vec![first];
        if !window.is_zero() {
            sleep(window).await;
            jobs.extend(std::iter::from_fn(|| arrivals.try_recv().ok()));
            jobs.reverse();
        }
        for job in jobs {
            job.start().await;
        }
    }
}

impl Job {
    /// Makes the first attempt; others go on aside.
    async fn start(self) {
        match self.attempt(1).await {
            Fate::Missed(_) if self.policy().attempts > 1 => {
                tokio::spawn(self.go_on());
            }
            fate => self.end(1, fate).await,
        }
    }

    async fn go_on(self) {
        let DeliveryPolicy { attempts, retry_delay, .. } = *self.policy();
        for number in 2..=attempts {
            sleep(retry_delay).await;
            let fate = self.attempt(number).await;
            if number == attempts || !matches!(fate, Fate::Missed(_)) {
                return self.end(number, fate).await;
            }
        }
    }

    async fn end(&self, attempts: u32, fate: Fate) {
        match fate {
            Fate::Arrived => {
                for extra in 1..=self.policy().duplicates {
                    self.attempt(attempts.saturating_add(extra)).await;
                }
            }
            Fate::Missed(reason) | Fate::Hopeless(reason) => {
                self.service.visit(Organization::Owner, |state, visit| {
                    state.delivery_failed(visit, &self.delivery, (attempts, &reason));
                });
            }
            Fate::Unwanted => {}
        }
    }

    /// Sends it to where the webhook is now, signed with the secret of now.
    async fn attempt(&self, number: u32) -> Fate {
        let agent = self.delivery.agent;
        let look = |state: &mut State, _| state.webhook_target(agent);
        let Some(target) = self.service.visit(Organization::Owner, look) else {
            return Fate::Unwanted;
        };
        let body = Bytes::from(self.delivery.body.clone());
        let sent = timeout(self.policy().timeout, send(&target, body.clone())).await;
        let sent = sent.unwrap_or_else(|_| Err(Failure::Passing("no answer in time".to_owned())));
        let (outcome, fate) = match sent {
            Ok(status) if status.is_success() => (Ok(status.as_u16()), Fate::Arrived),
            Ok(status) => (Ok(status.as_u16()), Fate::Missed(format!("the answer was {status}"))),
            Err(Failure::Passing(reason)) => (Err(reason.clone()), Fate::Missed(reason)),
            Err(Failure::Lasting(reason)) => {
                (Err(reason.to_owned()), Fate::Hopeless(reason.to_owned()))
            }
        };
        self.service.delivery_log.add(DeliveryAttempt {
            webhook_id: self.delivery.id.clone(),
            event_type: self.delivery.kind,
            url: target.url,
            number,
            body,
            outcome,
        });
        fate
    }

    fn policy(&self) -> &DeliveryPolicy {
        &self.service.deliveries
    }
}
