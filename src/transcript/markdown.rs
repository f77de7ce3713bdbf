//! A transcript as Markdown that a person can read.

use std::fmt::{self, Write};

use crate::content::ContentBlock;
use crate::error::one_line;
use crate::json::RawJson;
use crate::status::MessageStatus;
use crate::transcript::{AssistantItem, ToolCallItem, Transcript, TranscriptItem, UserItem};

impl Transcript {
    /// Returns the transcript as readable Markdown.
    ///
    /// What was said stays as it is, Markdown included; arguments and results of tools stand in
    /// fences that their content cannot close; names and ids keep to one line.
    ///
    /// ```
    /// let transcript: dari::Transcript = serde_json::from_str(
    ///     r#"{"timeline": {"items": [
    ///         {"type": "user_message", "content": [{"type": "text", "text": "Hello"}]}
    ///     ]}}"#,
    /// )?;
    /// assert_eq!(transcript.to_markdown(), "# Session\n\n## User\n\nHello\n");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let mut page = Page(String::new());
        page.heading(self);
        for item in self.items() {
            match item {
                TranscriptItem::UserMessage(item) => page.user(item),
                TranscriptItem::AssistantMessage(item) => page.assistant(item),
                TranscriptItem::ToolCall(item) => page.tool_call(item),
                TranscriptItem::Unknown(item) => {
                    page.paragraph(format_args!("## {}", label(item.kind())));
                    page.json("item", item.json());
                }
            }
        }
        page.0
    }
}

struct Page(String);

impl Page {
    fn paragraph(&mut self, text: fmt::Arguments<'_>) {
        if !self.0.is_empty() {
            self.0.push('\n');
        }
        // Writing to a String cannot fail.
        let _always_ok = writeln!(self.0, "{text}");
    }

    fn heading(&mut self, transcript: &Transcript) {
        let session = transcript.session.as_ref();
        let name = session.and_then(|session| session.name.as_deref());
        match (name, session) {
            (Some(name), _) => self.paragraph(format_args!("# {}", label(name))),
            (None, Some(session)) => {
                self.paragraph(format_args!("# Session {}", label(session.id.as_str())))
            }
            (None, None) => self.paragraph(format_args!("# Session")),
        }
        if let Some(agent) = &transcript.agent {
            self.paragraph(format_args!(
                "Agent: {} (`{}`)",
                label(&agent.name),
                label(agent.id.as_str())
            ));
        }
    }

    fn user(&mut self, item: &UserItem) {
        self.paragraph(format_args!("## User"));
        self.content(&item.content);
    }

    fn assistant(&mut self, item: &AssistantItem) {
        match &item.status {
            None | Some(MessageStatus::Completed) => self.paragraph(format_args!("## Assistant")),
            Some(status) => {
                self.paragraph(format_args!("## Assistant ({})", label(status.as_str())));
            }
        }
        self.content(&item.content);
        if let Some(error) = &item.error_message {
            self.paragraph(format_args!("Error: {}", label(error)));
        }
    }

    fn tool_call(&mut self, item: &ToolCallItem) {
        let name = item.tool_name.as_deref().map_or_else(|| "tool".to_owned(), label);
        match &item.status {
            Some(status) => {
                self.paragraph(format_args!("### Tool {name} ({})", label(status.as_str())));
            }
            None => self.paragraph(format_args!("### Tool {name}")),
        }
        if let Some(arguments) = &item.arguments {
            self.json("arguments", arguments);
        }
        if let Some(result) = &item.result {
            self.json(if item.is_error { "error" } else { "result" }, result);
        }
    }

    fn content(&mut self, content: &[ContentBlock]) {
        for block in content {
            match block {
                ContentBlock::Text(block) => {
                    self.paragraph(format_args!("{}", block.text.trim_end()))
                }
                ContentBlock::File(block) => {
                    self.paragraph(format_args!("[file `{}`]", label(block.file_id.as_str())));
                }
                ContentBlock::Image(block) => {
                    self.paragraph(format_args!("[image `{}`]", label(block.file_id.as_str())));
                }
                ContentBlock::Unknown(block) => self.json(&label(block.kind()), block.json()),
            }
        }
    }

    fn json(&mut self, title: &str, json: &RawJson) {
        let text = pretty(json);
        let fence = "`".repeat(longest_run_of_backticks(&text).max(2) + 1);
        self.paragraph(format_args!("{title}:"));
        self.paragraph(format_args!("{fence}json\n{text}\n{fence}"));
    }
}

fn pretty(json: &RawJson) -> String {
    let indented =
        json.parse().and_then(|value: serde_json::Value| serde_json::to_string_pretty(&value));
    indented.unwrap_or_else(|_| json.get().to_owned())
}

/// Returns text for a heading or a code span: one line, no backticks.
fn label(text: &str) -> String {
    one_line(text, 200).replace('`', "'")
}

fn longest_run_of_backticks(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use crate::transcript::Transcript;

    fn markdown(items: &str) -> String {
        let json = format!(r#"{{"timeline": {{"items": {items}}}}}"#);
        serde_json::from_str::<Transcript>(&json).unwrap().to_markdown()
    }

    #[test]
    fn a_turn_with_a_tool_reads_well() {
        let text = markdown(
            r#"[
            {"type": "tool_call", "tool_name": "lookup_ticket", "arguments": {"ticket_id": "T-1"},
             "status": "completed", "result": {"priority": "high"}, "is_error": false},
            {"type": "assistant_message", "status": "failed", "content": [],
             "error_message": "overloaded"}]"#,
        );
        let expected = "# Session\n\n### Tool lookup_ticket (completed)\n\narguments:\n\n\
            ```json\n{\n  \"ticket_id\": \"T-1\"\n}\n```\n\nresult:\n\n\
            ```json\n{\n  \"priority\": \"high\"\n}\n```\n\n\
            ## Assistant (failed)\n\nError: overloaded\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_result_cannot_close_its_fence_nor_a_name_break_its_line() {
        let text = markdown(
            r#"[{"type": "tool_call", "tool_name": "a\n# Forged", "status": "x`y",
                 "result": "````\n# Forged"}]"#,
        );
        assert!(text.contains("### Tool a # Forged (x'y)\n"), "{text}");
        assert!(text.contains("`````json\n\"````\\n# Forged\"\n`````\n"), "{text}");
        assert!(!text.contains("\n# Forged"), "{text}");
    }

    #[test]
    fn an_unknown_item_is_shown_as_it_came() {
        let text = markdown(r#"[{"type": "plan", "steps": 3}]"#);
        assert!(text.contains("## plan\n"), "{text}");
        assert!(text.contains("\"steps\": 3"), "{text}");
    }
}
