//! Publishing over HTTP, by a caller that is not the crate's client.

use std::io::{Read, Write};
use std::net::TcpStream;

use dari::emulator::Emulator;
use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::emulator_support::{Caller, answer, detail};

/// Returns a tar.gz of one manifest.
fn source() -> Vec<u8> {
    let manifest = b"name: a\n";
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::none()));
    let mut header = tar::Header::new_gnu();
    header.set_size(manifest.len() as u64);
    tar.append_data(&mut header, "dari.yml", &manifest[..]).unwrap();
    tar.into_inner().unwrap().finish().unwrap()
}

async fn reserve(caller: &Caller<'_>, archive: &[u8]) -> Value {
    let body = json!({"format": "tar.gz", "sha256": sum(archive), "size_bytes": archive.len(),
        "tomorrow": 1});
    let (status, reserved) = caller.post("/v1/source-snapshots", &body).await;
    assert_eq!(status, 201);
    reserved
}

fn sum(bytes: &[u8]) -> String {
    use sha2::Digest;
    sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn path(emulator: &Emulator, reserved: &Value) -> String {
    let url = reserved["upload_url"].as_str().unwrap();
    url.strip_prefix(emulator.url()).expect("the address is on the port asked").to_owned()
}

fn put(caller: &Caller<'_>, reserved: &Value, path: &str) -> reqwest::RequestBuilder {
    let headers = reserved["upload_headers"].as_object().unwrap().iter();
    headers.fold(caller.bare(Method::PUT, path), |request, (name, value)| {
        request.header(name, value.as_str().unwrap())
    })
}

#[tokio::test]
async fn an_upload_asks_for_its_headers_and_refuses_a_key() {
    let emulator = Emulator::start().await.unwrap();
    let caller = Caller::new(&emulator);
    let archive = source();
    let reserved = reserve(&caller, &archive).await;
    let path = path(&emulator, &reserved);
    let keyed = put(&caller, &reserved, &path).bearer_auth(emulator.api_key());
    let (status, body) = answer(keyed.body(archive.clone())).await;
    assert_eq!(status, 400);
    assert_eq!(body, detail("An upload must not carry an Authorization header"));
    let (status, body) = answer(caller.bare(Method::PUT, &path).body(archive.clone())).await;
    assert_eq!(status, 403);
    assert_eq!(body, detail("The upload headers are not those of the reservation"));
    let elsewhere = put(&caller, &reserved, "/uploads/guessed").body(archive.clone());
    assert_eq!(answer(elsewhere).await.0, 404);
    let taken = put(&caller, &reserved, &path).body(archive.clone()).send().await.unwrap();
    assert_eq!(taken.status(), StatusCode::OK);
    let log = emulator.requests();
    assert_eq!(log.last().unwrap().body(), archive);
    assert!(log.iter().any(|request| request.header("authorization").is_some()), "it shows");
}

#[tokio::test]
async fn an_archive_over_the_limit_is_refused_by_that_limit() {
    let emulator = Emulator::start().await.unwrap();
    let caller = Caller::new(&emulator);
    let reserved = reserve(&caller, &source()).await;
    let large = put(&caller, &reserved, &path(&emulator, &reserved)).body(vec![0; (64 << 20) + 1]);
    let (status, body) = answer(large).await;
    assert_eq!((status.as_u16(), body), (413, detail("The archive is larger than 67108864 bytes")));
}

/// Returns a tar.gz of a few KiB that unpacks to 24 MiB, in pieces.
fn large_source() -> Vec<u8> {
    let packed = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let mut header = tar::Header::new_gnu();
    header.set_path("zeros").unwrap();
    header.set_size(24 << 20);
    header.set_cksum();
    let zeros = packed(&[0; 1 << 20]);
    [packed(header.as_bytes()), zeros.repeat(24), packed(&[0; 1024])].concat()
}

#[tokio::test]
async fn others_are_served_while_an_archive_is_checked() {
    let emulator = Emulator::start().await.unwrap();
    let caller = Caller::new(&emulator);
    let archive = large_source();
    let reserved = reserve(&caller, &archive).await;
    let place = path(&emulator, &reserved);
    put(&caller, &reserved, &place).body(archive).send().await.unwrap();
    let id = reserved["source_snapshot_id"].as_str().unwrap();
    let finalize = format!("/v1/source-snapshots/{id}/finalize");
    let mut finalizing = Box::pin(answer(caller.request(Method::POST, &finalize)));
    let others = async {
        while emulator.requests().last().unwrap().path() != finalize {
            tokio::task::yield_now().await;
        }
        caller.get("/v1/agents").await.0
    };
    tokio::select! {
        biased;
        early = &mut finalizing => panic!("it was not at work long enough to tell: {early:?}"),
        status = others => assert_eq!(status, 200),
    }
    let (_, found) = finalizing.await;
    assert_eq!(found["failure_reason"], json!("There is no dari.yml in the root"));
}

#[tokio::test]
async fn a_source_is_published_step_by_step() {
    let emulator = Emulator::start().await.unwrap();
    let caller = Caller::new(&emulator);
    let archive = source();
    let reserved = reserve(&caller, &archive).await;
    let path = path(&emulator, &reserved);
    put(&caller, &reserved, &path).body(archive).send().await.unwrap();
    let id = reserved["source_snapshot_id"].as_str().unwrap();
    let finalize = format!("/v1/source-snapshots/{id}/finalize");
    let (status, found) = answer(caller.request(Method::POST, &finalize)).await;
    assert_eq!((status.as_u16(), &found["status"]), (200, &json!("ready")), "{found}");
    let (_, manifest) = caller.get(&format!("/v1/source-snapshots/{id}/manifest")).await;
    assert_eq!(manifest["manifest"], json!({"name": "a"}));
    let body = json!({"source_snapshot_id": id});
    let (status, created) = caller.post("/v1/agents", &body).await;
    assert_eq!((status.as_u16(), &created["agent_id"]), (201, &json!("agt_2")));
    let (status, created) = caller.post("/v1/agents/agt_2/versions", &body).await;
    assert_eq!((status.as_u16(), &created["version_id"]), (201, &json!("ver_3")));
    let delete = format!("/v1/source-snapshots/{id}");
    let (status, body) = answer(caller.request(Method::DELETE, &delete)).await;
    assert_eq!((status.as_u16(), body), (409, detail("This source snapshot is in use")));
}

#[tokio::test]
async fn an_upload_cut_short_leaves_nothing() {
    let emulator = Emulator::start().await.unwrap();
    let caller = Caller::new(&emulator);
    let archive = source();
    let reserved = reserve(&caller, &archive).await;
    let head = format!(
        "PUT {} HTTP/1.1\r\nhost: a\r\ncontent-type: application/gzip\r\n\
         x-emulator-upload: source-snapshot\r\ncontent-length: {}\r\n\r\n",
        path(&emulator, &reserved),
        archive.len()
    );
    let mut socket = TcpStream::connect(emulator.url().trim_start_matches("http://")).unwrap();
    socket.write_all(head.as_bytes()).unwrap();
    socket.write_all(&archive[..archive.len() / 2]).unwrap();
    socket.shutdown(std::net::Shutdown::Write).unwrap();
    let _ = socket.read_to_end(&mut Vec::new());
    let finalize = "/v1/source-snapshots/src_1/finalize";
    let (status, found) = answer(caller.request(Method::POST, finalize)).await;
    assert_eq!(status, 200, "a failure is a status, not an error");
    assert_eq!(found["failure_reason"], "Nothing was uploaded");
}

#[tokio::test]
async fn bodies_of_publishing_name_every_place_that_is_wrong() {
    let emulator = Emulator::start().await.unwrap();
    let caller = Caller::new(&emulator);
    let sum = "0".repeat(64);
    for (body, places) in [
        (json!({}), json!([["body", "format"], ["body", "sha256"], ["body", "size_bytes"]])),
        (json!([]), json!([["body"]])),
        (
            json!({"format": "zip", "sha256": sum.replace('0', "A"), "size_bytes": 0,
                "metadata": []}),
            json!([
                ["body", "format"],
                ["body", "sha256"],
                ["body", "size_bytes"],
                ["body", "metadata"]
            ]),
        ),
        (
            json!({"format": "tar.gz", "sha256": "00", "size_bytes": -1}),
            json!([["body", "sha256"], ["body", "size_bytes"]]),
        ),
    ] {
        let (status, answer) = caller.post("/v1/source-snapshots", &body).await;
        assert_eq!(status, 422);
        let problems = answer["detail"].as_array().unwrap().iter();
        let found: Vec<_> = problems.map(|problem| problem["loc"].clone()).collect();
        assert_eq!(json!(found), places, "{body}");
    }
    for path in ["/v1/agents", "/v1/agents/agt_1/versions"] {
        let (status, answer) = caller.post(path, &json!({"source_snapshot_id": 1})).await;
        assert_eq!(status, 422);
        assert_eq!(answer["detail"][0]["loc"], json!(["body", "source_snapshot_id"]));
        let (status, answer) = caller.post(path, &json!({"source_snapshot_id": "src_1"})).await;
        assert_eq!((status.as_u16(), answer), (404, detail("Source snapshot not found")));
    }
}

#[tokio::test]
async fn only_the_upload_goes_without_a_key() {
    let emulator = Emulator::start().await.unwrap();
    let caller = Caller::new(&emulator);
    for (method, path) in [
        (Method::GET, "/v1/agents"),
        (Method::DELETE, "/v1/agents/agt_1"),
        (Method::POST, "/v1/source-snapshots"),
        (Method::GET, "/v1/uploads/x"),
        (Method::PUT, "/uploads"),
    ] {
        assert_eq!(answer(caller.bare(method, path)).await.0, 401, "{path}");
    }
    assert_eq!(answer(caller.bare(Method::GET, "/uploads/x")).await.0, 405);
    assert!(caller.get("/v1/agents").await.1["agents"].as_array().unwrap().len() == 1);
}
