//! Workspaces: the files an agent works on, as a download.

mod download;
mod end;
mod part;
#[cfg(feature = "workspace")]
mod unpack;

use std::future::{Future, IntoFuture};
use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;

use crate::call::Call;
use crate::client::Client;
use crate::error::Error;
use crate::http::{DownloadSettings, Progress, Watcher, download};
use crate::ids::SessionId;
use crate::request::{Request, route};

pub use download::Download;
#[cfg(all(feature = "workspace", any(test, fuzzing)))]
pub(crate) use unpack::unpack_bytes;
#[cfg(feature = "workspace")]
pub use unpack::{UnpackLimits, UnpackProgress, Unpacked};

const DOWNLOAD: &str = "workspace.download";
/// The most a download may bring, 4 GiB.
const DEFAULT_MAX_BYTES: u64 = 4 << 30;

/// The operations on workspaces; see [`Client::workspace`].
#[derive(Clone, Copy, Debug)]
pub struct Workspaces<'a> {
    client: &'a Client,
}

impl Client {
    /// Returns the operations on sessions' workspaces.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, id: dari::SessionId) -> dari::Result<()> {
    /// let bytes = client.workspace().download(&id).to_file("workspace.zip").await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn workspace(&self) -> Workspaces<'_> {
        Workspaces { client: self }
    }
}

impl<'a> Workspaces<'a> {
    /// Downloads a session's workspace as a zip archive.
    ///
    /// `GET /v1/sessions/{session_id}/workspace.zip`, contract §8. Awaited as it is, it gives the
    /// archive as a stream of bytes; [`to_file`](Call::to_file) writes it to a file, and
    /// `unpack_into` (feature `workspace`) unpacks it into a directory. Entries are named relative
    /// to `/workspace`, whether all of it is asked for or single directories.
    ///
    /// The request is repeated until the download begins, within the deadline of
    /// [`timeout`](Call::timeout). From then on it ends when nothing comes for 30 s
    /// ([`stall_timeout`](Call::stall_timeout)), and a download that breaks off is an error.
    ///
    /// # Errors
    ///
    /// [`Error::is_conflict`] when the session has no workspace yet (409); status 400 for a path
    /// that is none.
    ///
    /// ```
    /// # #[cfg(feature = "emulator")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use dari::emulator::{Emulator, ScriptedAgent, Turn};
    /// # let turn = Turn::new().file("out/report.md", "# Report");
    /// # let agent = ScriptedAgent::named("writer").turns([turn]);
    /// # let emulator = Emulator::builder().agent(agent).start().await?;
    /// # let client = emulator.client()?;
    /// # let sent = client.agents().send_message(&emulator.agent(), "Write.").await?;
    /// # client.messages().wait(&sent.message.id).await?;
    /// # let session = sent.session.id;
    /// let mut download = client.workspace().download(&session).path("out").await?;
    /// let mut archive = Vec::new();
    /// while let Some(bytes) = download.try_next().await? {
    ///     archive.extend_from_slice(&bytes);
    /// }
    /// # assert!(archive.starts_with(b"PK"));
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "emulator"))]
    /// # fn main() {}
    /// ```
    pub fn download(self, session: &SessionId) -> Call<'a, Download, DownloadWorkspace> {
        let operation = DownloadWorkspace {
            request: Request::get(
                DOWNLOAD,
                route!("/v1/sessions/{session_id}/workspace.zip", session),
            ),
            settings: DownloadSettings {
                watcher: Watcher::default(),
                stall_timeout: None,
                max_bytes: DEFAULT_MAX_BYTES,
            },
            #[cfg(feature = "workspace")]
            unpacking: unpack::Options::default(),
        };
        Call::new(self.client, operation)
    }
}

/// The options of [`Workspaces::download`].
///
/// They are methods of its [`Call`](crate::Call): [`path`](crate::Call::path),
/// [`to_file`](crate::Call::to_file), [`on_progress`](crate::Call::on_progress),
/// [`stall_timeout`](crate::Call::stall_timeout) and [`max_bytes`](crate::Call::max_bytes), beside
/// those of every call.
#[derive(Debug)]
pub struct DownloadWorkspace {
    request: Request,
    settings: DownloadSettings,
    #[cfg(feature = "workspace")]
    unpacking: unpack::Options,
}

impl<'a> Call<'a, Download, DownloadWorkspace> {
    /// Asks for a directory only; can be given several times.
    ///
    /// The path is relative to `/workspace`. Without any, all of it comes.
    pub fn path(mut self, directory: impl Into<String>) -> Self {
        self.operation.request = self.operation.request.query("path", directory);
        self
    }

    /// Calls a function whenever a piece of the archive has come.
    ///
    /// The function should not block.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, id: dari::SessionId) -> dari::Result<()> {
    /// let download = client.workspace().download(&id);
    /// download.on_progress(|progress| println!("{} bytes", progress.bytes)).to_file("a.zip").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_progress(mut self, callback: impl FnMut(Progress) + Send + 'static) -> Self {
        self.operation.settings.watcher = Watcher::new(callback);
        self
    }

    /// Sets how long nothing may come before the download fails.
    ///
    /// Default: the client's, 30 s. The time a reader of the stream takes does not count.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, id: dari::SessionId) -> dari::Result<()> {
    /// use std::time::Duration;
    ///
    /// let download = client.workspace().download(&id).stall_timeout(Duration::from_secs(5));
    /// download.to_file("workspace.zip").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn stall_timeout(mut self, limit: Duration) -> Self {
        self.operation.settings.stall_timeout = Some(limit);
        self
    }

    /// Sets the ceiling of the archive, in bytes. Default 4 GiB.
    ///
    /// Past it the download fails with [`Error::Decode`].
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, id: dari::SessionId) -> dari::Result<()> {
    /// client.workspace().download(&id).max_bytes(100 << 20).to_file("workspace.zip").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.operation.settings.max_bytes = bytes;
        self
    }

    /// Writes the archive to a file, and returns its size in bytes.
    ///
    /// It is written beside, as `.dari-*.part` in the same directory, and renamed when it is whole
    /// and on the disk; a file of that name is replaced. If the download breaks off, or this future
    /// is dropped, nothing stays behind.
    ///
    /// # Errors
    ///
    /// As for [`Workspaces::download`]; [`Error::Decode`] when what came is not a whole zip archive;
    /// [`Error::File`] when the file cannot be written.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, session: dari::SessionId) -> dari::Result<()> {
    /// client.workspace().download(&session).to_file("workspace.zip").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn to_file(
        self,
        path: impl Into<PathBuf>,
    ) -> impl Future<Output = Result<u64, Error>> + Send + 'a {
        let path = path.into();
        async move { part::to_file(self.open().await?, path).await }
    }

    async fn open(self) -> Result<Download, Error> {
        let (client, operation, settings) = self.into_parts(DOWNLOAD)?;
        let what = (&operation.request, operation.settings);
        download(client, what, settings).await.map(Download::new)
    }
}

impl<'a> IntoFuture for Call<'a, Download, DownloadWorkspace> {
    type Output = Result<Download, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    #[inline]
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.open())
    }
}
