//! Uploaded files, and the files agents write.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Serialize;

use super::ledger::written;
use super::{Answer, State, Visit};
use crate::emulator::refusal::Refusal;

/// A file as it is uploaded; its content is forgotten.
#[derive(Clone, Debug)]
pub(in crate::emulator) struct NewFile {
    pub(in crate::emulator) filename: String,
    pub(in crate::emulator) size_bytes: usize,
}

/// A file in a workspace, by its path in it.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::emulator) struct WorkspaceFile {
    pub(in crate::emulator) path: String,
    pub(in crate::emulator) contents: Bytes,
}

/// The files of a session, by path.
pub(super) type Workspace = BTreeMap<String, Bytes>;

#[derive(Serialize)]
struct UploadedFile<'a> {
    id: String,
    filename: &'a str,
    size_bytes: usize,
}

impl State {
    /// Gives a file its id.
    ///
    /// Whether a message names a file that exists is not checked: the contract names no refusal.
    pub(in crate::emulator) fn upload_file(&mut self, visit: Visit, file: &NewFile) -> Answer {
        visit.admitted(())?;
        self.advance(visit.now);
        self.files += 1;
        Ok(written(&UploadedFile {
            id: format!("file_{}", self.files),
            filename: &file.filename,
            size_bytes: file.size_bytes,
        }))
    }

    /// Returns the files below these directories, or all where there are none, sorted by path.
    ///
    /// There is a workspace from the first file on, and a directory that holds none is a bad path
    /// (§8, assumption).
    pub(in crate::emulator) fn workspace(
        &mut self,
        visit: Visit,
        session_id: &str,
        directories: &[&str],
    ) -> Result<Vec<WorkspaceFile>, Refusal> {
        let (_, session) = self.find_session(visit, session_id)?;
        if session.workspace.is_empty() {
            return Err(Refusal::Conflict("The session has no workspace yet"));
        }
        let files = &session.workspace;
        if directories.iter().any(|directory| !files.keys().any(|path| below(path, directory))) {
            return Err(Refusal::BadRequest("No such path in the workspace"));
        }
        let wanted = |path: &str| directories.iter().any(|directory| below(path, directory));
        let found = files.iter().filter(|(path, _)| directories.is_empty() || wanted(path));
        let file = |(path, contents): (&String, &Bytes)| WorkspaceFile {
            path: path.clone(),
            contents: contents.clone(),
        };
        Ok(found.map(file).collect())
    }
}

fn below(path: &str, directory: &str) -> bool {
    let rest = path.strip_prefix(directory);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
