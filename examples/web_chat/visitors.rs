//! Who is who: a random token in a cookie stands for a visitor's session.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};

use dari::SessionId;
use http::{HeaderMap, header};

const COOKIE: &str = "web_chat";
/// How many visitors are remembered; a memory without a bound would be somebody's lever.
const MOST: usize = 1_000;

/// The sessions of all visitors, by token.
#[derive(Default)]
pub(crate) struct Visitors(Mutex<HashMap<String, SessionId>>);

impl Visitors {
    /// Returns the session of whoever sent these headers.
    pub(crate) fn session(&self, headers: &HeaderMap) -> Option<SessionId> {
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
        let mut pairs =
            cookies.flat_map(|line| line.split(';')).filter_map(|it| it.split_once('='));
        let (_, token) = pairs.find(|(name, _)| name.trim() == COOKIE)?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(token.trim()).cloned()
    }

    /// Remembers a session, and returns the cookie for it.
    pub(crate) fn welcome(&self, session: SessionId) -> Result<String, &'static str> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|_unread| "There is no randomness for a cookie.")?;
        let token = random.iter().fold(String::new(), |mut token, byte| {
            let _ = write!(token, "{byte:02x}");
            token
        });
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if sessions.len() >= MOST {
            return Err("There are too many visitors.");
        }
        let cookie = format!("{COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict");
        sessions.insert(token, session);
        Ok(cookie)
    }
}
