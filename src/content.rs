//! What goes into a message (content blocks) and what comes out (parts).

use serde::{Deserialize, Serialize};

use crate::ids::{FileId, ToolCallId};
use crate::json::RawJson;
use crate::object::{ExtraFields, UnknownObject, growing, tagged};

/// One block of what a user says (contract §1).
///
/// ```
/// use dari::{ContentBlock, FileId};
///
/// let file: FileId = "file_456".parse()?;
/// let content = [ContentBlock::text("Summarize this."), ContentBlock::file(file)];
/// assert_eq!(
///     serde_json::to_string(&content)?,
///     r#"[{"type":"text","text":"Summarize this."},{"type":"file","file_id":"file_456"}]"#,
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ContentBlock {
    /// Text.
    Text(Text),
    /// An uploaded file.
    File(FileRef),
    /// An uploaded image.
    Image(FileRef),
    /// A block of a type newer than this version of the crate.
    Unknown(UnknownObject),
}

tagged!(ContentBlock {
    "text" => Text,
    "file" => File,
    "image" => Image,
});

impl ContentBlock {
    /// Returns a block of text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(Text { text: text.into(), extra: ExtraFields::default() })
    }

    /// Returns a block that refers to an uploaded file.
    #[must_use]
    pub fn file(id: FileId) -> Self {
        Self::File(FileRef { file_id: id, extra: ExtraFields::default() })
    }

    /// Returns a block that refers to an uploaded image.
    ///
    /// ```
    /// use dari::{ContentBlock, FileId};
    ///
    /// let photo: FileId = "file_457".parse()?;
    /// let content = ["What is this?".into(), ContentBlock::image(photo)];
    /// # Ok::<(), dari::ParseIdError>(())
    /// ```
    #[must_use]
    pub fn image(id: FileId) -> Self {
        Self::Image(FileRef { file_id: id, extra: ExtraFields::default() })
    }

    /// Returns the text of a text block.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(block) => Some(&block.text),
            _ => None,
        }
    }
}

impl From<&str> for ContentBlock {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for ContentBlock {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

/// One part of an agent's output, in the order it happened (contract §1).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Part {
    /// Text the agent wrote.
    Text(Text),
    /// A tool the agent called.
    ToolCall(ToolCall),
    /// What a tool answered.
    ToolResult(ToolResult),
    /// A part of a type newer than this version of the crate.
    Unknown(UnknownObject),
}

tagged!(Part {
    "text" => Text,
    "tool_call" => ToolCall,
    "tool_result" => ToolResult,
});

impl Part {
    /// Returns the text of a text part.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(part) => Some(&part.text),
            _ => None,
        }
    }
}

/// A block or part of text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct Text {
    /// The text.
    pub text: String,
    /// Fields newer than this version of the crate.
    #[serde(skip_deserializing, flatten)]
    pub extra: ExtraFields,
}

/// A block that names an uploaded file or image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct FileRef {
    /// The uploaded file.
    pub file_id: FileId,
    /// Fields newer than this version of the crate.
    #[serde(skip_deserializing, flatten)]
    pub extra: ExtraFields,
}

/// A call of a tool, as the agent made it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct ToolCall {
    /// The id that the result refers to.
    pub id: ToolCallId,
    /// The tool's name.
    pub name: String,
    /// The arguments, a JSON object.
    #[serde(deserialize_with = "crate::json::object")]
    pub arguments: RawJson,
    /// Fields newer than this version of the crate.
    #[serde(skip_deserializing, flatten)]
    pub extra: ExtraFields,
}

/// What a tool answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct ToolResult {
    /// The call this answers.
    pub tool_call_id: ToolCallId,
    /// The tool's name.
    #[serde(default, deserialize_with = "crate::json::or_default")]
    pub tool_name: String,
    /// The answer.
    #[serde(default, deserialize_with = "crate::json::list_or_default")]
    pub content: Vec<ContentBlock>,
    /// Whether the tool failed.
    #[serde(default, deserialize_with = "crate::json::or_default")]
    pub is_error: bool,
    /// Fields newer than this version of the crate.
    #[serde(skip_deserializing, flatten)]
    pub extra: ExtraFields,
}

growing!(Text, FileRef, ToolCall, ToolResult);

/// Anything that can be the content of a message.
///
/// Text, one block, or several: `"Hello"`, `ContentBlock::file(id)`,
/// `["Look at this:".into(), ContentBlock::image(id)]`.
pub trait IntoContent {
    /// Returns the blocks.
    fn into_content(self) -> Vec<ContentBlock>;
}

impl IntoContent for &str {
    fn into_content(self) -> Vec<ContentBlock> {
        vec![self.into()]
    }
}

impl IntoContent for String {
    fn into_content(self) -> Vec<ContentBlock> {
        vec![self.into()]
    }
}

impl IntoContent for &String {
    fn into_content(self) -> Vec<ContentBlock> {
        vec![self.as_str().into()]
    }
}

impl IntoContent for ContentBlock {
    fn into_content(self) -> Vec<ContentBlock> {
        vec![self]
    }
}

impl IntoContent for Vec<ContentBlock> {
    fn into_content(self) -> Vec<ContentBlock> {
        self
    }
}

impl<const N: usize> IntoContent for [ContentBlock; N] {
    fn into_content(self) -> Vec<ContentBlock> {
        self.into()
    }
}

impl IntoContent for &[ContentBlock] {
    fn into_content(self) -> Vec<ContentBlock> {
        self.to_vec()
    }
}
