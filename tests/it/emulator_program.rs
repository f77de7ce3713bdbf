//! The program `dari-emulator`, as a shell or a test in another language has it.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Output, Stdio};
use std::time::Duration;

use dari::{Client, NewSession, RetryPolicy};
use serde_json::json;

use crate::support::ledger::{read, stream};
use crate::support::program::{File, Program, command};

/// Runs the program with arguments that end it, and returns its code and what it printed.
fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = command(arguments).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[cfg(unix)]
#[tokio::test]
async fn it_prints_one_line_serves_and_stops_at_a_signal() {
    for signal in ["TERM", "INT"] {
        let program = Program::start(&[]);
        let client = program.client();
        let sent = client.agents().send_message(&"agt_1".parse().unwrap(), "hi").await.unwrap();
        let message = client.messages().wait(&sent.message.id).await.unwrap();
        assert_eq!(message.text(), "hi");
        program.signal(signal);
        assert_eq!(program.end(), (Some(0), vec![]), "{signal}");
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn open_streams_and_stalled_requests_do_not_hold_it_up() {
    let faults = json!({"faults": [
        {"stall_stream_after": 0},
        {"delay_ms": 3_600_000, "on": "list_sessions"}
    ]});
    let file = File::new("stall", &faults);
    let program = Program::start(&["--print-requests", "--agent", &file.agent("a")]);
    let client = program.client();
    let session = client.sessions().create(&"agt_1".parse().unwrap()).await.unwrap().id;
    let mut events = stream(&client, session.as_str());
    let listing = client.clone();
    let open = tokio::spawn(async move {
        tokio::join!(events.try_next(), listing.sessions().list().into_future())
    });
    assert_eq!(program.line(), "POST /v1/agents/agt_1/sessions 201");
    assert_eq!(program.line(), "GET /v1/sessions/sess_1/stream 200 stall_stream");
    program.signal("TERM");
    let (code, _) = program.end();
    assert_eq!(code, Some(0));
    open.abort();
}

#[cfg(unix)]
#[tokio::test]
async fn lines_that_nobody_reads_do_not_hold_up_the_end() {
    let mut child = command(&["--port", "0", "--print-requests"]);
    let mut child = child.stdout(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    let url = line.trim().strip_prefix("dari-emulator listening on ").unwrap();
    let builder = Client::builder("dari_emulator_key").base_url(url);
    let client = builder.attempt_timeout(Duration::from_millis(500)).build().unwrap();
    let long: dari::SessionId = "x".repeat(30_000).parse().unwrap();
    // The pipe is full when an answer does not come.
    let get = || client.sessions().get(&long).retry(RetryPolicy::none()).into_future();
    let mut requests = 0;
    while !get().await.unwrap_err().is_timeout() {
        requests += 1;
        assert!(requests < 1000);
    }
    let program = Program::of(child, url);
    program.signal("TERM");
    assert_eq!(program.end().0, Some(0));
}

#[tokio::test]
async fn agents_are_numbered_in_the_order_of_the_command_line() {
    let named = json!({"name": "of the file", "turns": [[{"text": "You said: {{input}}"}]]});
    let file = File::new("named", &named);
    let program = Program::start(&["--agent", "first", "--agent", &file.agent("second")]);
    let client = program.client();
    for (agent, name, reply) in [("agt_1", "first", "hi"), ("agt_2", "second", "You said: hi")] {
        let sent = client.agents().send_message(&agent.parse().unwrap(), "hi").await.unwrap();
        let message = client.messages().wait(&sent.message.id).await.unwrap();
        assert_eq!(message.text(), reply);
        let transcript = client.transcript().get(&sent.session.id).await.unwrap();
        assert_eq!(transcript.agent.unwrap().name, name);
    }
    let absent = client.agents().send_message(&"agt_3".parse().unwrap(), "hi").await;
    assert!(absent.unwrap_err().is_not_found());
}

#[tokio::test]
async fn every_request_is_a_line_without_secrets() {
    let faults = json!({"faults": [
        {"no_answer": true, "on": "send_events"},
        {"status": 503, "retry_after": 0, "on": "get_session"}
    ]});
    let file = File::new("lines", &faults);
    let arguments = ["--print-requests", "--api-key", "dari_hush", "--agent", &file.agent("a")];
    let program = Program::start(&arguments);
    let client = Client::builder("dari_hush").base_url(&*program.url).build().unwrap();
    let create = client.sessions().create(&"agt_1".parse().unwrap());
    let options = NewSession::new().llm_api_key("sk-hush");
    let session = create.session(options).await.unwrap().id;
    client.messages().send(&session, "hush").await.unwrap();
    client.sessions().get(&session).await.unwrap();
    client.sessions().list().metadata("secret", "hush").await.unwrap();
    assert!(program.client().sessions().list().await.unwrap_err().is_unauthorized());
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    http.put(format!("{}/uploads/hush", program.url)).send().await.unwrap();
    let lines: Vec<String> = (0..8).map(|_| program.line()).collect();
    let expected = [
        "POST /v1/agents/agt_1/sessions 201",
        "POST /v1/sessions/sess_1/events - no_answer",
        "POST /v1/sessions/sess_1/events 202",
        "GET /v1/sessions/sess_1 503 status",
        "GET /v1/sessions/sess_1 200",
        "GET /v1/sessions 200",
        "GET /v1/sessions 401",
        "PUT /uploads/{token} 403",
    ];
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn a_file_over_the_limit_is_refused() {
    let program = Program::start(&["--max-file-bytes", "4"]);
    let client = program.client();
    let upload = |text: &'static str| client.files().upload(dari::FileSource::bytes("a", text));
    upload("1234").await.unwrap();
    let error = upload("12345").await.unwrap_err();
    assert!(error.is_too_large() && error.to_string().contains("larger than 4 bytes"), "{error}");
}

#[tokio::test]
async fn a_stream_is_followed_as_it_happens() {
    let turns = json!({"turns": [[
        {"delay_ms": 10},
        {"tool_call": {"name": "bash", "arguments": {"command": "ls"}, "result": "README.md"}},
        {"delay_ms": 10},
        {"text": "done"}
    ]]});
    let file = File::new("turns", &turns);
    let program = Program::start(&["--agent", &file.agent("a")]);
    let client = program.client();
    let sent = client.agents().send_message(&"agt_1".parse().unwrap(), "hi").await.unwrap();
    let mut events = stream(&client, sent.session.id.as_str());
    assert_eq!(read(&mut events, 8).await, [1, 2, 3, 4, 5, 6, 7, 8]);
}

#[test]
fn a_wrong_command_line_is_one_line_and_code_2() {
    let unknown = File::new("unknown", &json!({"turns": [[{"txet": "hi"}]]}));
    let unknown = unknown.agent("a");
    for (arguments, said) in [
        (&["--prot", "1"][..], "invalid option '--prot'"),
        (&["extra"], "unexpected argument \"extra\""),
        (&["--port"], "missing argument for option '--port'"),
        (&["--port", "x"], "cannot parse argument \"x\""),
        (&["--port", "65536"], "cannot parse argument \"65536\""),
        (&["--api-key", ""], "--api-key takes printable ASCII"),
        (&["--api-key", "a b"], "--api-key takes printable ASCII"),
        (&["--agent", ""], "--agent takes NAME or NAME=BEHAVIOUR"),
        (&["--agent", "=file"], "--agent takes NAME or NAME=BEHAVIOUR"),
        (&["--agent", "a=/nowhere/at/all.json"], "/nowhere/at/all.json: cannot be read: "),
        (&["--agent", &unknown], "turns[0][0].txet: unknown field `txet`"),
        (&["--max-file-bytes", "-1"], "cannot parse argument \"-1\""),
        (&["--print-requests=yes"], "unexpected argument for option '--print-requests'"),
    ] {
        let (code, output, error) = run(arguments);
        assert_eq!((code, output.as_str()), (Some(2), ""), "{arguments:?}: {error}");
        assert_eq!(error.lines().count(), 1, "{error}");
        assert!(error.starts_with("dari-emulator: ") && error.contains(said), "{error}");
    }
}

#[test]
fn a_port_that_is_taken_is_one_line_and_code_1() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let (code, output, error) = run(&["--port", &port]);
    assert_eq!((code, output.as_str()), (Some(1), ""));
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.contains(&port) && error.contains("in use"), "{error}");
}

#[test]
fn help_and_version_are_printed() {
    let (code, help, error) = run(&["--help"]);
    assert_eq!((code, error.as_str()), (Some(0), ""));
    for option in ["--port", "--api-key", "--agent", "--max-file-bytes", "--print-requests"] {
        assert!(help.contains(option), "{help}");
    }
    let version = format!("dari-emulator {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(run(&["-V", "--ignored-after-this"]), (Some(0), version, String::new()));
}
