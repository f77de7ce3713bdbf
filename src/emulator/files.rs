//! Uploads of files: a form with one file in it.

use axum::body::Body;
use axum::extract::multipart::Field;
use axum::extract::{FromRequest, Multipart, Request};
use axum::response::Response;
use http::StatusCode;

use super::gate::Call;
use super::refusal::{Problem, Refusal};
use super::state::{NewFile, State};

/// What a form may add to a file.
const FORM_LIMIT: usize = 64 << 10;

/// Returns how large a request to this path may be, if it has a limit of its own.
pub(super) fn limit_of(path: &str, max_file_bytes: usize) -> Option<usize> {
    (path == "/v1/files").then(|| max_file_bytes.saturating_add(FORM_LIMIT))
}

/// Takes the file of a form.
pub(super) async fn upload(call: Call, mut request: Request) -> Result<Response, Refusal> {
    *request.body_mut() = Body::from(call.request.bytes());
    let file = read(request).await?;
    if file.size_bytes > call.service.max_file_bytes {
        return Err(Refusal::FileTooLarge(call.service.max_file_bytes));
    }
    let entry = |state: &mut State, visit| state.upload_file(visit, &file);
    Ok(call.answer(StatusCode::CREATED, entry))
}

async fn read(request: Request) -> Result<NewFile, Refusal> {
    let mut form = Multipart::from_request(request, &()).await.map_err(|_other| {
        let msg = "a file must be sent as multipart/form-data";
        Problem::at(&["header", "content-type"], "value_invalid", msg)
    })?;
    let mut found = None;
    while let Some(field) = form.next_field().await.map_err(broken)? {
        if field.name() != Some("file") {
            continue;
        }
        if found.is_some() {
            let msg = "a form must have one part named `file`";
            return Err(Problem::at(&["body", "file"], "value_invalid", msg).into());
        }
        found = Some(take(field).await?);
    }
    let missing = || Problem::at(&["body", "file"], "missing", "field required").into();
    found.ok_or_else(missing)
}

async fn take(field: Field<'_>) -> Result<NewFile, Refusal> {
    let filename = field.file_name().unwrap_or("file").to_owned();
    let size_bytes = field.bytes().await.map_err(broken)?.len();
    Ok(NewFile { filename, size_bytes })
}

fn broken(_: axum::extract::multipart::MultipartError) -> Refusal {
    let msg = "the form is broken, or ends before its end";
    Problem::at(&["body"], "multipart_invalid", msg).into()
}
