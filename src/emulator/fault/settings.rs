//! How faults are injected into an emulator.

use std::collections::BTreeMap;

use super::{Chaos, Fault, FaultKind};
use crate::emulator::{Emulator, EmulatorBuilder};

impl Emulator {
    /// Adds a fault to those still to happen.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use dari::emulator::{Emulator, Fault, Route};
    ///
    /// let emulator = Emulator::start().await?;
    /// let busy = Fault::status(429).retry_after(0).on(Route::CreateSession).times(2);
    /// emulator.inject(busy);
    ///
    /// // The client waits as told and tries again.
    /// emulator.client()?.sessions().create(&emulator.agent()).await?;
    /// assert_eq!(emulator.requests().len(), 3);
    /// # Ok(())
    /// # }
    /// ```
    pub fn inject(&self, fault: Fault) {
        self.faults.inject(fault);
    }

    /// Lets faults happen at random from now on.
    ///
    /// They replace those of an earlier call.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use dari::emulator::{Chaos, Emulator};
    ///
    /// let emulator = Emulator::start().await?;
    /// emulator.inject_chaos(Chaos::seeded(7).rate(0.1));
    /// # Ok(())
    /// # }
    /// ```
    pub fn inject_chaos(&self, chaos: Chaos) {
        self.faults.inject_chaos(chaos);
    }

    /// Returns how often an injected fault is still to happen.
    ///
    /// A test that ends with 0 has met all of them. Random faults do not count.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use dari::emulator::{Emulator, Fault};
    ///
    /// let emulator = Emulator::start().await?;
    /// emulator.inject(Fault::status(503).retry_after(0).times(2));
    /// assert_eq!(emulator.faults_left(), 2);
    /// emulator.client()?.agents().list().await?;
    /// assert_eq!(emulator.faults_left(), 0);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn faults_left(&self) -> usize {
        self.faults.left()
    }

    /// Takes back all faults still to happen, random ones too.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use dari::emulator::{Emulator, Fault};
    ///
    /// let emulator = Emulator::start().await?;
    /// emulator.inject(Fault::status(503).times(1000));
    /// emulator.clear_faults();
    /// emulator.client()?.agents().list().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn clear_faults(&self) {
        self.faults.clear();
    }

    /// Returns how many requests met a fault of each kind.
    ///
    /// A fault counts when its request arrives: a stream that is to end after three events counts
    /// before it has ended.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use dari::emulator::{Emulator, Fault, FaultKind};
    ///
    /// let emulator = Emulator::start().await?;
    /// emulator.inject(Fault::status(503).retry_after(0).times(2));
    /// emulator.client()?.agents().list().await?;
    /// assert_eq!(emulator.fault_counts()[&FaultKind::Status], 2);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn fault_counts(&self) -> BTreeMap<FaultKind, usize> {
        self.faults.counts()
    }
}

impl EmulatorBuilder {
    /// Adds a fault, as [`Emulator::inject`] does.
    ///
    /// ```
    /// use dari::emulator::{Emulator, Fault, Route};
    ///
    /// let builder = Emulator::builder().inject(Fault::garbage().on(Route::GetTranscript));
    /// ```
    pub fn inject(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// Lets faults happen at random.
    pub fn inject_chaos(mut self, chaos: Chaos) -> Self {
        self.chaos = Some(chaos);
        self
    }
}
