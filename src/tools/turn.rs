//! A turn being answered: when to look at its message.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use crate::error::{Error, one_line};
use crate::ids::{MessageId, SessionId};
use crate::messages::Message;
use crate::poll::{Look, Patience, Watch, until_final};
use crate::retry::Delays;
use crate::stream::Cursor;
use crate::tools::at_work::AtWork;
use crate::tools::crew::Crew;
use crate::tools::feed::Feed;
use crate::tools::service::Service;
use crate::tools::set::ToolSet;

/// A message whose calls are to be answered.
pub(super) struct Turn {
    pub(super) service: Arc<dyn Service>,
    pub(super) message: MessageId,
    pub(super) tools: ToolSet,
    pub(super) after: Option<Cursor>,
}

impl Turn {
    /// Answers calls until the message is final.
    pub(super) async fn run(self, limit: Duration) -> Result<Message, Error> {
        let patience =
            Patience { operation: "tools.run", limit, delays: Delays::default_polling() };
        let mut answering = Answering { turn: self, at_work: None, ended: None };
        let message = until_final(patience, &mut answering).await?;
        if let Some(at_work) = answering.at_work {
            at_work.finish().await;
        }
        Ok(message)
    }

    fn begin(&self, session: &SessionId) -> AtWork {
        let mut stream = self.service.stream(session).until(&self.message);
        if let Some(point) = &self.after {
            stream = stream.after(point);
        }
        let place = (session.clone(), self.message.clone());
        let crew = Crew::new(self.service.clone(), self.tools.clone(), place);
        let known = self.after.as_ref().and_then(Cursor::sequence_number).unwrap_or_default();
        AtWork::new(crew, Feed::New(Box::new(stream)), known)
    }
}

/// A turn under way.
struct Answering {
    turn: Turn,
    /// Known from the first look on, which tells the session.
    at_work: Option<Box<AtWork>>,
    /// What ended the run during a pause.
    ended: Option<Error>,
}

impl Watch for Answering {
    type Seen = Message;

    async fn look(&mut self, _: Duration) -> Result<Look<Message>, Error> {
        if let Some(error) = self.ended.take() {
            return Err(error);
        }
        let asked = self.turn.service.message();
        let message = match &mut self.at_work {
            Some(at_work) => at_work.alongside(asked).await??,
            None => asked.await?,
        };
        if message.status.is_terminal() {
            return Ok(Look::Final(message));
        }
        let begin = || Box::new(self.turn.begin(&message.session_id));
        self.at_work.get_or_insert_with(begin).looked(&message.status);
        let line = one_line(&format!("{} is {}", message.id, message.status), 512);
        Ok(Look::Pending(message, line))
    }

    async fn rest(&mut self, asked: Duration) {
        match &mut self.at_work {
            Some(at_work) => self.ended = at_work.alongside(Box::pin(sleep(asked))).await.err(),
            None => sleep(asked).await,
        }
    }

    async fn pause(&mut self, delay: Duration) {
        match &mut self.at_work {
            Some(at_work) if self.ended.is_none() => self.ended = at_work.go_on(delay).await.err(),
            Some(_) => {}
            None => sleep(delay).await,
        }
    }
}
