//! A conversation: sends what is typed, shows what happens, and can be left at any moment.

use std::collections::{HashMap, HashSet};
use std::future::{Future, IntoFuture};
use std::io::Write;
use std::time::{Duration, Instant};

use dari::{AgentId, Client, Cursor, Error, EventStream, MessageId, NewSession, SessionId};
use tokio::sync::mpsc;

use crate::Outcome;
use crate::screen::Screen;
use crate::terminal::{Tone, one_line};

pub(crate) struct Conversation<W> {
    pub(crate) client: Client,
    pub(crate) screen: Screen<W>,
    /// A Ctrl-C each.
    pub(crate) interrupts: mpsc::Receiver<()>,
    agent: Option<AgentId>,
    session: Option<SessionId>,
    /// Behind the last event that was shown.
    cursor: Option<Cursor>,
    /// Whether there is a turn whose end has not been shown.
    unfinished: bool,
    /// What may or may not have arrived.
    unsent: Option<Unsent>,
    /// The messages that were typed here.
    pub(crate) own: HashSet<MessageId>,
    /// Messages to be shown when the agent begins with them.
    pub(crate) heard: HashMap<MessageId, String>,
    /// What the agent is doing.
    pub(crate) doing: String,
}

/// A message, and the key that makes it safe to send again.
#[derive(Clone)]
struct Unsent {
    text: String,
    key: String,
}

impl<W: Write + Send> Conversation<W> {
    /// Returns a conversation in a session that is created with the first line.
    pub(crate) fn new(client: Client, screen: Screen<W>, interrupts: mpsc::Receiver<()>) -> Self {
        Self {
            client,
            screen,
            interrupts,
            agent: None,
            session: None,
            cursor: None,
            unfinished: false,
            unsent: None,
            own: HashSet::new(),
            heard: HashMap::new(),
            doing: String::new(),
        }
    }

    pub(crate) fn with_agent(mut self, agent: &AgentId) -> Self {
        self.agent = Some(agent.clone());
        self
    }

    /// Goes on with a session, and shows what happened behind the cursor, or all of it.
    pub(crate) async fn resume(&mut self, session: SessionId, after: Option<Cursor>) -> Outcome {
        let found = self.client.sessions().get(&session).await?;
        self.cursor = after;
        self.session = Some(session);
        if found.last_message_id.is_none() {
            // Nothing was said yet, so there is nothing to wait for.
            return Ok(());
        }
        self.unfinished = true;
        let events = self.stream()?.until_idle();
        self.follow(events).await
    }

    /// Does what a line asks for: says it, or goes on with what was broken off.
    pub(crate) async fn take(&mut self, line: &str) -> Outcome {
        let unsent = self.unsent.take();
        match (line, unsent, self.unfinished) {
            ("", Some(unsent), _) => self.say(unsent).await,
            ("", None, true) => {
                let events = self.stream()?.until_idle();
                self.follow(events).await
            }
            ("", None, false) => Ok(()),
            (text, ..) => {
                let key = format!("chat-{:032x}", fastrand::u128(..));
                self.say(Unsent { text: text.to_owned(), key }).await
            }
        }
    }

    /// Says how to go on with this session another time.
    pub(crate) fn farewell(&mut self) -> Outcome {
        let Some(session) = &self.session else { return Ok(()) };
        let after = self.cursor.as_ref().map(|cursor| format!(" --after {cursor}"));
        let line = format!("to go on: chat --session {session}{}", after.unwrap_or_default());
        Ok(self.screen.toned(Tone::Aside, &line)?)
    }

    async fn say(&mut self, unsent: Unsent) -> Outcome {
        let Some(session) = self.session().await? else { return Ok(()) };
        self.doing = "sending".to_owned();
        let client = self.client.clone();
        let call = client.messages().send(&session, &*unsent.text).idempotency_key(&*unsent.key);
        let sent = match self.wait_for(call.into_future()).await? {
            Some(Ok(sent)) => sent,
            given_up => {
                self.unsent = Some(unsent);
                if let Some(Err(error)) = given_up {
                    self.trouble(&error)?;
                }
                let hint = "it may not have arrived: Enter sends it again, and it counts once";
                return Ok(self.screen.toned(Tone::Aside, hint)?);
            }
        };
        let message = sent.message.id;
        self.own.insert(message.clone());
        if std::mem::replace(&mut self.unfinished, true) {
            // What the turn before still has to say comes first, so the line is shown again below it.
            self.heard.insert(message.clone(), unsent.text);
            self.screen.toned(Tone::Aside, "meanwhile:")?;
        }
        let events = self.stream()?.until(&message);
        self.follow(events).await
    }

    /// Returns the session, which begins with the first line.
    async fn session(&mut self) -> Outcome<Option<SessionId>> {
        if let Some(session) = &self.session {
            return Ok(Some(session.clone()));
        }
        let agent = self.agent.clone().ok_or("an agent or a session must be given")?;
        self.doing = "starting a session".to_owned();
        let client = self.client.clone();
        let call = client.sessions().create(&agent).session(NewSession::new().name("chat"));
        match self.wait_for(call.into_future()).await? {
            Some(Ok(session)) => self.session = Some(session.id),
            Some(Err(error)) => self.trouble(&error)?,
            None => self.screen.toned(Tone::Aside, "left; nothing was sent")?,
        }
        Ok(self.session.clone())
    }

    fn stream(&self) -> Outcome<EventStream> {
        let session = self.session.as_ref().ok_or("there is no session yet")?;
        let events = self.client.sessions().stream(session);
        Ok(match &self.cursor {
            Some(cursor) => events.after(cursor),
            None => events,
        })
    }

    /// Shows events until the stream has seen what it is to see, or Ctrl-C.
    async fn follow(&mut self, mut events: EventStream) -> Outcome {
        self.doing = "working".to_owned();
        loop {
            let Some(next) = self.wait_for(events.try_next()).await? else {
                return self.leave();
            };
            match next {
                Ok(Some(event)) => {
                    self.show(&event).await?;
                    self.cursor = events.cursor().cloned();
                }
                Ok(None) => break,
                Err(error) => {
                    self.trouble(&error)?;
                    let hint = "Enter follows it again";
                    return Ok(self.screen.toned(Tone::Aside, hint)?);
                }
            }
        }
        self.unfinished = false;
        Ok(self.screen.line("")?)
    }

    /// Leaves a turn to itself.
    fn leave(&mut self) -> Outcome {
        let session = self.session.as_ref().map(ToString::to_string).unwrap_or_default();
        let place = self.cursor.as_ref().map(|cursor| format!(" at {cursor}")).unwrap_or_default();
        let lines = format!(
            "left {session}{place}; the turn goes on\n\
             Enter follows it again, a line waits for its end, Ctrl-C or Ctrl-D ends"
        );
        Ok(self.screen.toned(Tone::Aside, &lines)?)
    }

    /// Waits for something under a spinner; none is Ctrl-C.
    pub(crate) async fn wait_for<F: Future>(&mut self, future: F) -> Outcome<Option<F::Output>> {
        let since = Instant::now();
        let mut future = std::pin::pin!(future);
        let mut tick = tokio::time::interval(Duration::from_millis(100));
        loop {
            tokio::select! {
                biased;
                Some(()) = self.interrupts.recv() => {
                    self.screen.still()?;
                    return Ok(None);
                }
                output = &mut future => return Ok(Some(output)),
                _ = tick.tick() => self.screen.spin(&self.doing, since)?,
            }
        }
    }

    pub(crate) fn trouble(&mut self, error: &Error) -> Outcome {
        Ok(self.screen.toned(Tone::Bad, &one_line(&error.to_string(), 500))?)
    }
}

#[cfg(test)]
mod tests;
