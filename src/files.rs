//! Files: uploads, which messages then refer to.

mod form;
mod source;

use std::fmt;
use std::time::Duration;

use http::HeaderValue;
use serde::{Deserialize, Serialize};

use crate::call::{Call, Operation};
use crate::client::Client;
use crate::content::{ContentBlock, IntoContent};
use crate::error::Error;
use crate::http::{Cargo, Progress, Source, Upload, Watcher};
use crate::ids::FileId;
use crate::object::{ExtraFields, growing};
use crate::request::{Request, route};
use crate::retry::Repeat;

pub use source::FileSource;

const UPLOAD: &str = "files.upload";

/// A file the service holds (contract §8).
///
/// It can be given to a message as it is; for an image use
/// [`ContentBlock::image`](crate::ContentBlock::image) with its id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct UploadedFile {
    /// The id, which content blocks name.
    pub id: FileId,
    /// The name the service keeps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
    /// The size, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    /// Fields newer than this version of the crate.
    #[serde(skip_deserializing, flatten)]
    pub extra: ExtraFields,
}

growing!(UploadedFile);

/// The operations on files; see [`Client::files`].
#[derive(Clone, Copy, Debug)]
pub struct Files<'a> {
    client: &'a Client,
}

impl Client {
    /// Returns the operations on files.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client) -> dari::Result<()> {
    /// let file = client.files().upload(std::path::Path::new("report.pdf")).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn files(&self) -> Files<'_> {
        Files { client: self }
    }
}

impl<'a> Files<'a> {
    /// Uploads a file for messages to refer to.
    ///
    /// `POST /v1/files`, contract §8: multipart, one part named `file`. The content is never held in
    /// memory as a whole. The name is reduced to what stands behind its last `/` or `\`, control
    /// characters and quotes in it become `_`, and `file` stands for an empty one.
    ///
    /// No idempotency key is documented for it, so it is repeated only when no connection was made or
    /// the answer was 429, and only if the content can be had again: bytes and files can, a reader
    /// only while nothing of it has been read. It ends when nothing moves for 30 s
    /// ([`stall_timeout`](Call::stall_timeout)); there is no total unless
    /// [`timeout`](Call::timeout) sets one.
    ///
    /// # Errors
    ///
    /// [`Error::File`] when the content cannot be read; [`Error::is_too_large`] when the service
    /// takes no file of this size (413); [`Error::is_timeout`] when nothing moved.
    /// [`Error::may_have_happened`] tells that all of it was sent and the reply was lost.
    ///
    /// ```
    /// # #[cfg(feature = "emulator")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = dari::emulator::Emulator::start().await?;
    /// # let (client, agent) = (emulator.client()?, emulator.agent());
    /// use dari::FileSource;
    ///
    /// let file = client
    ///     .files()
    ///     .upload(FileSource::bytes("ticket.txt", "The printer is on fire."))
    ///     .content_type("text/plain")
    ///     .on_progress(|progress| println!("{} of {:?} bytes", progress.bytes, progress.total))
    ///     .await?;
    /// let sent = client.agents().send_message(&agent, ["Read this.".into(), (&file).into()]).await?;
    /// # let _ = sent;
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "emulator"))]
    /// # fn main() {}
    /// ```
    pub fn upload(self, file: impl Into<FileSource>) -> Call<'a, UploadedFile, UploadFile> {
        let FileSource { name, source } = file.into();
        let operation = UploadFile {
            name,
            source,
            content_type: "application/octet-stream".to_owned(),
            watcher: Watcher::default(),
            stall_timeout: None,
        };
        Call::new(self.client, operation)
    }
}

/// The options of [`Files::upload`].
///
/// They are methods of its [`Call`](crate::Call): [`file_name`](crate::Call::file_name),
/// [`content_type`](crate::Call::content_type), [`on_progress`](crate::Call::on_progress) and
/// [`stall_timeout`](crate::Call::stall_timeout), beside those of every call.
pub struct UploadFile {
    name: String,
    source: Source,
    content_type: String,
    watcher: Watcher,
    stall_timeout: Option<Duration>,
}

impl Call<'_, UploadedFile, UploadFile> {
    /// Sets the name to upload under, in place of the source's own.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client) -> dari::Result<()> {
    /// use std::path::Path;
    ///
    /// let upload = client.files().upload(Path::new("/tmp/x8f2")).file_name("march.pdf");
    /// let file = upload.await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn file_name(mut self, name: impl Into<String>) -> Self {
        self.operation.name = name.into();
        self
    }

    /// Sets the media type. Default `application/octet-stream`.
    pub fn content_type(mut self, media_type: impl Into<String>) -> Self {
        self.operation.content_type = media_type.into();
        self
    }

    /// Calls a function whenever a piece has been handed over.
    ///
    /// Bytes of the content are counted, not what is around them; a repeat starts again from zero.
    /// The function should not block.
    pub fn on_progress(mut self, callback: impl FnMut(Progress) + Send + 'static) -> Self {
        self.operation.watcher = Watcher::new(callback);
        self
    }

    /// Sets how long nothing may move before the upload fails.
    ///
    /// Default: the client's, 30 s. It also limits the wait for the answer.
    ///
    /// ```no_run
    /// # async fn example(client: dari::Client) -> dari::Result<()> {
    /// use std::{path::Path, time::Duration};
    ///
    /// let upload = client.files().upload(Path::new("march.pdf"));
    /// let file = upload.stall_timeout(Duration::from_secs(5)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn stall_timeout(mut self, limit: Duration) -> Self {
        self.operation.stall_timeout = Some(limit);
        self
    }
}

impl Operation for UploadFile {
    #[inline]
    fn into_request(self) -> Result<Request, Error> {
        Ok(Request::post(UPLOAD, route!("/v1/files"), Repeat::Unsafe))
    }

    #[inline]
    fn upload(&mut self) -> Result<Option<Box<dyn Cargo>>, Error> {
        Ok(Some(Box::new(self.take()?)))
    }
}

impl UploadFile {
    /// Takes the file out, as the body it will be.
    pub(crate) fn take(&mut self) -> Result<Upload, Error> {
        let invalid = |error: http::header::InvalidHeaderValue| {
            Error::invalid(UPLOAD, "content type", error.to_string())
        };
        HeaderValue::from_str(&self.content_type).map_err(invalid)?;
        let form = form::around(&form::leaf(&self.name), &self.content_type);
        Ok(Upload {
            source: std::mem::replace(&mut self.source, Source::Spent),
            envelope: form.envelope,
            media_type: Some(HeaderValue::from_str(&form.media_type).map_err(invalid)?),
            watcher: self.watcher.clone(),
            stall_timeout: self.stall_timeout,
        })
    }
}

impl From<&UploadedFile> for ContentBlock {
    fn from(file: &UploadedFile) -> Self {
        Self::file(file.id.clone())
    }
}

impl From<UploadedFile> for ContentBlock {
    fn from(file: UploadedFile) -> Self {
        Self::file(file.id)
    }
}

impl IntoContent for &UploadedFile {
    fn into_content(self) -> Vec<ContentBlock> {
        vec![self.into()]
    }
}

impl IntoContent for UploadedFile {
    fn into_content(self) -> Vec<ContentBlock> {
        vec![self.into()]
    }
}

impl fmt::Debug for UploadFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadFile").field("name", &self.name).finish_non_exhaustive()
    }
}
