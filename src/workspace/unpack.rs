//! Unpacks a workspace into a directory, and trusts nothing in the archive.

mod archive;
mod names;
mod staging;
mod tree;

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::call::Call;
use crate::error::Error;
use crate::http::Watcher;
use crate::workspace::part::{Part, Trouble, blocking, fill};
use crate::workspace::{Download, DownloadWorkspace};

use archive::Archive;
use staging::Staging;
use tree::Tree;

/// Ceilings on what an archive may unpack to.
///
/// Past one the unpacking fails and leaves nothing behind. What counts is what really comes out, not
/// what the archive says of itself.
///
/// ```
/// use dari::UnpackLimits;
///
/// let limits = UnpackLimits::default().entries(100_000).bytes(8 << 30);
/// ```
#[derive(Clone, Debug)]
pub struct UnpackLimits {
    entries: u64,
    bytes: u64,
    ratio: u64,
}

/// How far the unpacking is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnpackProgress {
    /// Entries unpacked.
    pub entries: u64,
    /// Entries in the archive.
    pub total_entries: u64,
    /// Bytes of the files unpacked.
    pub bytes: u64,
}

/// What was unpacked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unpacked {
    /// Files.
    pub files: u64,
    /// Directories, those included that stand only in the names of files.
    pub directories: u64,
    /// Bytes of the files together.
    pub bytes: u64,
}

/// What belongs to unpacking alone.
#[derive(Clone, Debug, Default)]
pub(super) struct Options {
    limits: UnpackLimits,
    watcher: Watcher<UnpackProgress>,
}

impl Default for UnpackLimits {
    fn default() -> Self {
        Self { entries: 10_000, bytes: 1 << 30, ratio: 100 }
    }
}

impl UnpackLimits {
    /// Sets how many files and directories may be made. Default 10,000.
    #[must_use]
    pub fn entries(mut self, number: u64) -> Self {
        self.entries = number;
        self
    }

    /// Sets the size of all files together, in bytes. Default 1 GiB.
    #[must_use]
    pub fn bytes(mut self, bytes: u64) -> Self {
        self.bytes = bytes;
        self
    }

    /// Sets how many times its size an archive may unpack to. Default 100.
    ///
    /// The first 10 MiB are free: a small archive of text may well be packed tighter.
    #[must_use]
    pub fn ratio(mut self, ratio: u64) -> Self {
        self.ratio = ratio;
        self
    }
}

impl<'a> Call<'a, Download, DownloadWorkspace> {
    /// Sets the ceilings of [`unpack_into`](Self::unpack_into).
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, id: dari::SessionId) -> dari::Result<()> {
    /// use dari::UnpackLimits;
    ///
    /// let limits = UnpackLimits::default().entries(500).bytes(50 << 20).ratio(20);
    /// client.workspace().download(&id).unpack_limits(limits).unpack_into("out").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn unpack_limits(mut self, limits: UnpackLimits) -> Self {
        self.operation.unpacking.limits = limits;
        self
    }

    /// Calls a function after each entry that was unpacked.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, id: dari::SessionId) -> dari::Result<()> {
    /// let download = client.workspace().download(&id);
    /// download.on_unpack(|progress| println!("{} entries", progress.entries)).unpack_into("out").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_unpack(mut self, callback: impl FnMut(UnpackProgress) + Send + 'static) -> Self {
        self.operation.unpacking.watcher = Watcher::new(callback);
        self
    }

    /// Unpacks the archive into a directory.
    ///
    /// The directory is made if it does not exist; its parent must. All is unpacked into a new
    /// directory in it, `.dari-*.part`, and moved to its place only when the whole archive has
    /// proved good. If something fails, or this future is dropped, nothing stays behind.
    ///
    /// **Nothing is overwritten**: a file that exists already is an error. Directories that exist
    /// are filled, links among them are not followed. Nobody else should change the directory
    /// meanwhile.
    ///
    /// An archive is refused as a whole for an entry whose name is absolute, has a `..`, a
    /// backslash, a drive letter or a control character, stands twice, or differs from another
    /// only in case; for a link, a device, or anything else that is neither file nor directory; for
    /// a checksum or size that does not hold; and past the ceilings of [`UnpackLimits`].
    ///
    /// # Errors
    ///
    /// As for [`download`](crate::Workspaces::download); [`Error::Decode`] for an archive that is
    /// refused, with the entry's name as its path; [`Error::File`] when something cannot be written
    /// or exists already.
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
    /// # let directory = std::env::temp_dir().join(format!("dari-doc-{}", std::process::id()));
    /// let unpacked = client.workspace().download(&session).unpack_into(&directory).await?;
    /// assert_eq!(unpacked.files, 1);
    /// assert_eq!(std::fs::read_to_string(directory.join("out/report.md"))?, "# Report");
    /// # std::fs::remove_dir_all(directory)?;
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "emulator"))]
    /// # fn main() {}
    /// ```
    pub fn unpack_into(
        self,
        directory: impl Into<PathBuf>,
    ) -> impl Future<Output = Result<Unpacked, Error>> + Send + 'a {
        let directory = directory.into();
        async move {
            let options = self.operation.unpacking.clone();
            into_directory(self.open().await?, directory, options).await
        }
    }
}

async fn into_directory(
    download: Download,
    directory: PathBuf,
    options: Options,
) -> Result<Unpacked, Error> {
    let facts = download.facts().clone();
    let place = directory.clone();
    let part = blocking(move || Staging::create(&place)).await.map_err(|it| it.told(&facts))?;
    let (part, size) = fill(download, part, &directory).await?;
    let stop = StopOnDrop::default();
    let stopped = stop.0.clone();
    let work = move || unpack(part, &Job { options, size, stopped });
    blocking(work).await.map_err(|it| it.told(&facts))
}

struct Job {
    options: Options,
    /// Of the archive.
    size: u64,
    stopped: Arc<AtomicBool>,
}

/// A blocking task cannot be dropped: it is told to end.
#[derive(Default)]
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn unpack(part: Part<Staging>, job: &Job) -> Result<Unpacked, Trouble> {
    let Part { file, guard: staging } = part;
    let Options { limits, watcher } = &job.options;
    let mut archive = Archive::open(file, limits.entries)?;
    let mut tree = Tree::new(staging.tree(), job);
    let total_entries = archive.len() as u64;
    for entries in 0..total_entries {
        archive.with_entry(entries, |entry| tree.add(entry))?;
        let bytes = tree.made().bytes;
        watcher.tell(UnpackProgress { entries: entries + 1, total_entries, bytes });
    }
    let made = tree.made();
    drop(archive);
    staging.finish()?;
    Ok(made)
}

/// Unpacks an archive in memory, for the fuzz targets.
#[cfg(any(test, fuzzing))]
pub(crate) fn unpack_bytes(
    archive: &[u8],
    target: &std::path::Path,
    limits: UnpackLimits,
) -> Result<Unpacked, String> {
    let told = |trouble: Trouble| format!("{trouble:?}");
    let mut part = Staging::create(target).map_err(told)?;
    std::io::Write::write_all(&mut part.file, archive).map_err(|error| error.to_string())?;
    let options = Options { limits, ..Options::default() };
    let job = Job { options, size: archive.len() as u64, stopped: Arc::default() };
    unpack(part, &job).map_err(told)
}
