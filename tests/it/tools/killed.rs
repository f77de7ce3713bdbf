//! A process that dies with an answer in its hands, and the one that comes after it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use dari::emulator::{Emulator, Turn};
use dari::{Client, SentMessage, ToolRequest, ToolSet};
use serde_json::json;

use super::{answers, ledger, playing, send};
use crate::support::cutting::{Cutting, CuttingProxy};
use crate::support::raw::PATIENCE;

const VARIABLES: [&str; 4] = ["KILLED_URL", "KILLED_KEY", "KILLED_MESSAGE", "KILLED_FILE"];

/// The process that is killed: it runs one tool, which writes a line to a file each time.
#[tokio::test]
#[ignore = "a process of its own, started by the tests beside it"]
async fn the_process() {
    let variables = VARIABLES.map(|name| std::env::var(name).ok());
    let [Some(url), Some(key), Some(message), Some(file)] = variables else { return };
    let client = Client::builder(key).base_url(url).build().unwrap();
    let tools = ToolSet::new().on_raw("charge", move |call: ToolRequest| {
        use std::io::Write;
        let mut log = std::fs::OpenOptions::new().create(true).append(true).open(&file).unwrap();
        writeln!(log, "{}", call.tool_call_id).unwrap();
        async { Ok::<_, String>("charged") }
    });
    client.tools().run(&message.parse().unwrap(), &tools).await.unwrap();
}

/// A process that does not outlive its test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _reaped = self.0.wait();
    }
}

/// A file that goes with its test.
struct Log(PathBuf);

impl Drop for Log {
    fn drop(&mut self) {
        let _gone = std::fs::remove_file(&self.0);
    }
}

fn start(url: &str, emulator: &Emulator, (sent, file): (&SentMessage, &Path)) -> Process {
    let values = [url, emulator.api_key(), sent.message.id.as_str(), file.to_str().unwrap()];
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tools::killed::the_process", "--ignored"])
        .envs(VARIABLES.into_iter().zip(values))
        .stdout(Stdio::null())
        .spawn();
    Process(child.unwrap())
}

fn file(name: &str) -> Log {
    let file = std::env::temp_dir().join(format!("dari-{name}-{}.log", std::process::id()));
    let _absent = std::fs::remove_file(&file);
    Log(file)
}

/// Kills a process at this point, and returns how often the tool ran until the message was done.
async fn killed_at(cutting: Cutting, name: &str) -> usize {
    let turn = Turn::new().external_tool("charge", json!({"cents": 100})).text("Paid.");
    let (emulator, client) = playing(turn).await;
    let (sent, file) = (send(&emulator, &client).await, file(name));
    let proxy = CuttingProxy::start(emulator.url(), cutting).await;

    let mut first = start(&proxy.url, &emulator, (&sent, &file.0));
    tokio::time::timeout(PATIENCE, proxy.held()).await.expect("no answer was posted");
    first.0.kill().unwrap();
    first.0.wait().unwrap();

    let mut second = start(emulator.url(), &emulator, (&sent, &file.0));
    let message = client.messages().wait(&sent.message.id).timeout(PATIENCE).await.unwrap();
    assert_eq!(message.into_completed().unwrap().text(), "Paid.");
    assert!(tokio::task::spawn_blocking(move || second.0.wait()).await.unwrap().unwrap().success());

    let answers = answers(&ledger(&client, &sent.session.id).await);
    assert_eq!(answers, [("call_1_1".to_owned(), json!("charged"), false)]);
    let lines = std::fs::read_to_string(&file.0).unwrap();
    assert!(lines.lines().all(|line| line == "call_1_1"), "{lines}");
    lines.lines().count()
}

#[tokio::test]
async fn a_process_killed_between_handler_and_post_is_followed_by_one_answer() {
    assert_eq!(killed_at(Cutting::PostsHeld, "before").await, 2, "the handler runs again");
}

#[tokio::test]
async fn a_process_killed_behind_its_post_leaves_nothing_to_do() {
    assert_eq!(killed_at(Cutting::RepliesToPostsHeld, "behind").await, 1);
}
