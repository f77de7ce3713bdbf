//! A client of the emulator, ready to use.

use crate::client::{Client, ClientBuilder};
use crate::emulator::Emulator;
use crate::error::Error;

impl Emulator {
    /// Returns a client with the emulator's address and key.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use dari::emulator::Emulator;
    ///
    /// let emulator = Emulator::start().await?;
    /// let client = emulator.client()?;
    /// let sent = client.agents().send_message(&emulator.agent(), "Hello").await?;
    /// let message = client.messages().wait(&sent.message.id).await?;
    /// assert_eq!(message.text(), "Hello");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Config`] when the emulator was given a key that cannot be a header.
    pub fn client(&self) -> Result<Client, Error> {
        self.client_builder().build()
    }

    /// Returns a builder of a client, to set more than address and key.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use dari::emulator::Emulator;
    /// # let emulator = Emulator::start().await?;
    /// use std::time::Duration;
    /// use dari::RetryPolicy;
    ///
    /// // A test need not wait between attempts.
    /// let at_once = RetryPolicy::default().first_delay(Duration::ZERO);
    /// let client = emulator.client_builder().retry(at_once).build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn client_builder(&self) -> ClientBuilder {
        Client::builder(self.api_key()).base_url(self.url())
    }
}
