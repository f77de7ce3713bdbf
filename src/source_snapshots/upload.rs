//! The upload of an archive to where the service said, without the key.

use std::any::Any;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::path::{Path, PathBuf};
use std::pin::Pin;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::client::Client;
use crate::error::Error;
use crate::http::{Presigned, Progress, Source, Upload, Watcher, put_presigned};
use crate::source_snapshots::{ReservedSnapshot, SourceSnapshots};

const NAME: &str = "source_snapshots.upload";
/// The shortest key that is looked for in what the service gave.
const SHORTEST_KEY: usize = 8;

/// The bytes of an archive: in memory, or in a file.
pub struct ArchiveContent {
    source: Source,
    /// Keeps a temporary file until the upload is over.
    kept: Option<Box<dyn Any + Send>>,
}

impl ArchiveContent {
    #[cfg(feature = "publish")]
    pub(crate) fn temporary(path: PathBuf, kept: impl Any + Send) -> Self {
        Self { source: Source::File(path), kept: Some(Box::new(kept)) }
    }
}

impl From<Bytes> for ArchiveContent {
    fn from(bytes: Bytes) -> Self {
        Self { source: Source::Bytes(bytes), kept: None }
    }
}

impl From<Vec<u8>> for ArchiveContent {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl From<PathBuf> for ArchiveContent {
    fn from(path: PathBuf) -> Self {
        Self { source: Source::File(path), kept: None }
    }
}

impl From<&Path> for ArchiveContent {
    fn from(path: &Path) -> Self {
        path.to_owned().into()
    }
}

impl fmt::Debug for ArchiveContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArchiveContent").finish_non_exhaustive()
    }
}

impl<'a> SourceSnapshots<'a> {
    /// Uploads an archive to the place that was reserved for it.
    ///
    /// `PUT` to the address of the reservation, contract §8, with exactly its headers and never
    /// with the client's key, also where the address is one of the service itself. Redirects are
    /// not followed, and plain HTTP is refused as everywhere else. It is repeated like a call that
    /// reads, for it puts the same bytes into the same place, and ends when nothing moves for 30 s.
    ///
    /// What [`configure_http`](crate::ClientBuilder::configure_http) sets does not apply to it:
    /// neither headers nor proxies or certificates. A proxy comes from the environment.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] when address or headers are not usable, or would carry the key (looked for if it has 8
    /// characters or more);
    /// [`Error::File`] when the archive cannot be read; else what that place answers.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, reserved: dari::ReservedSnapshot) -> dari::Result<()> {
    /// use std::path::Path;
    ///
    /// let archive = Path::new("support-agent.tar.gz");
    /// let upload = client.source_snapshots().upload(&reserved, archive);
    /// upload.on_progress(|progress| println!("{} bytes", progress.bytes)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn upload(
        self,
        reserved: &ReservedSnapshot,
        archive: impl Into<ArchiveContent>,
    ) -> UploadSnapshot<'a> {
        let (reserved, archive) = (reserved.clone(), archive.into());
        UploadSnapshot { client: self.client, reserved, archive, watcher: Watcher::default() }
    }
}

/// An upload; see [`SourceSnapshots::upload`].
#[must_use = "an upload does nothing until it is awaited"]
pub struct UploadSnapshot<'a> {
    client: &'a Client,
    reserved: ReservedSnapshot,
    archive: ArchiveContent,
    watcher: Watcher,
}

impl UploadSnapshot<'_> {
    /// Calls `watch` with how far the upload is.
    ///
    /// A repeat begins at zero.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client, reserved: dari::ReservedSnapshot, archive: Vec<u8>) -> dari::Result<()> {
    /// let upload = client.source_snapshots().upload(&reserved, archive);
    /// upload.on_progress(|progress| println!("{} bytes", progress.bytes)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_progress(mut self, watch: impl FnMut(Progress) + Send + 'static) -> Self {
        self.watcher = Watcher::new(watch);
        self
    }

    async fn run(self) -> Result<(), Error> {
        let url = self.reserved.upload_url.expose();
        let key = self.client.inner().key.expose();
        if holds(url, key) {
            return Err(Error::invalid(NAME, "upload url", "it holds the client's key"));
        }
        let headers = headers(&self.reserved, key)?;
        let place = Presigned { operation: NAME, url, headers };
        let upload = Upload { watcher: self.watcher, ..Upload::new(self.archive.source) };
        put_presigned(self.client, place, upload).await?;
        drop(self.archive.kept);
        Ok(())
    }
}

impl<'a> IntoFuture for UploadSnapshot<'a> {
    type Output = Result<(), Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    #[inline]
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl fmt::Debug for UploadSnapshot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadSnapshot").field("reserved", &self.reserved).finish_non_exhaustive()
    }
}

/// Returns whether a text holds the key.
///
/// A short key, as tests have, is looked for nowhere: it can stand in any text by chance.
fn holds(text: &str, key: &str) -> bool {
    key.len() >= SHORTEST_KEY && text.contains(key)
}

/// Returns the headers of the reservation, none of which may carry the key.
fn headers(reserved: &ReservedSnapshot, key: &str) -> Result<HeaderMap, Error> {
    let invalid = |reason: String| Error::invalid(NAME, "upload headers", reason);
    let mut headers = HeaderMap::new();
    for (name, value) in reserved.upload_headers.iter() {
        let name = HeaderName::try_from(name).map_err(|error| invalid(error.to_string()))?;
        if holds(value, key) {
            return Err(invalid(format!("{name} holds the client's key")));
        }
        let mut value = HeaderValue::try_from(value)
            .map_err(|_not_shown| invalid(format!("{name} has a value that is no header")))?;
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Ok(headers)
}
