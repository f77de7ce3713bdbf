//! Workspaces as zip archives.

use std::io::{self, Cursor, Write};

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header;
use url::form_urlencoded;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::gate::Call;
use super::refusal::Refusal;
use super::state::WorkspaceFile;

/// Answers with the files below the directories asked for, or with all.
pub(super) fn download(call: &Call, session: &str) -> Result<Response, Refusal> {
    let query = call.request.query().unwrap_or_default();
    let query = form_urlencoded::parse(query.as_bytes());
    let wanted: Vec<String> =
        query.filter(|(name, _)| name == "path").map(|(_, value)| value.into_owned()).collect();
    let wanted = wanted.iter().map(|path| directory(path)).collect::<Result<Vec<_>, _>>()?;
    let entry = |state: &mut super::state::State, visit| state.workspace(visit, session, &wanted);
    let files = call.service.visit(call.organization, entry)?;
    // All of it is in memory: what can fail is a script's file with a name of over 64 KiB.
    let refused = Refusal::BadRequest("No archive can hold the name of a file");
    let archive = zip(&files).map_err(|_unwritable| refused)?;
    let headers = [
        (header::CONTENT_TYPE, "application/zip"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"workspace.zip\""),
    ];
    Ok((headers, archive).into_response())
}

/// Returns a path without the slashes at its end.
fn directory(path: &str) -> Result<&str, Refusal> {
    let refused = Err(Refusal::BadRequest("A path must be relative, and stay in the workspace"));
    if path.starts_with('/') || path.contains('\\') || path.chars().any(char::is_control) {
        return refused;
    }
    let path = path.trim_end_matches('/');
    if path.split('/').any(|step| matches!(step, "" | "." | "..")) {
        return refused;
    }
    Ok(path)
}

fn zip(files: &[WorkspaceFile]) -> io::Result<Bytes> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for file in files {
        writer.start_file(file.path.as_str(), SimpleFileOptions::default())?;
        writer.write_all(&file.contents)?;
    }
    Ok(writer.finish()?.into_inner().into())
}

#[cfg(test)]
mod tests {
    use super::directory;

    #[test]
    fn a_path_stays_in_the_workspace() {
        for path in ["a", "a/b", "a b/ü", "a/", "...", "a..b"] {
            assert_eq!(directory(path), Ok(path.trim_end_matches('/')));
        }
        for path in ["", "/", "/a", ".", "..", "../a", "a/../b", "a//b", "a\\b", "a\0", "./a"] {
            assert!(directory(path).is_err(), "{path:?}");
        }
    }
}
