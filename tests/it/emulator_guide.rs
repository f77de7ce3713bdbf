//! The guide of the emulator: its files are read, its commands run, and print what it says.

use std::process::Command;

use dari::emulator::ScriptedAgent;

use crate::support::program::{File, Program};

const GUIDE: &str = include_str!("../../src/emulator/GUIDE.md");

/// Returns the texts of all blocks in this language.
fn blocks(language: &str) -> Vec<String> {
    let mut found = Vec::new();
    for part in GUIDE.split("\n```") {
        if let Some(text) = part.strip_prefix(&format!("{language}\n")) {
            found.push(text.to_owned());
        } else if part == language {
            found.push(String::new());
        }
    }
    found
}

/// Replaces what differs from run to run: the times.
fn timeless(text: &str) -> String {
    let mut text = text.trim().to_owned();
    let mut from = 0;
    while let Some(at) = text[from..].find("_at\":\"").map(|at| from + at + 6) {
        let length = text[at..].find('"').unwrap();
        text.replace_range(at..at + length, "TIME");
        from = at;
    }
    text
}

#[test]
fn the_behaviours_of_the_guide_are_read() {
    let behaviours = blocks("json");
    assert_eq!(behaviours.len(), 2);
    for behaviour in behaviours {
        ScriptedAgent::from_json(&behaviour).unwrap_or_else(|error| panic!("{error}: {behaviour}"));
    }
}

#[test]
fn the_commands_of_the_guide_print_what_it_says() {
    if Command::new("curl").arg("--version").output().is_err() {
        eprintln!("curl is not there, so the commands of the guide were not run");
        return;
    }
    let file = File::new("guide", &serde_json::from_str(&blocks("json")[0]).unwrap());
    let program = Program::start(&["--agent", &file.agent("support-agent")]);
    let (commands, outputs) = (blocks("sh"), blocks("text"));
    assert_eq!((commands.len(), outputs.len()), (7, 7));
    for (command, expected) in commands.iter().zip(outputs) {
        let mut shell = Command::new("sh");
        shell.args(["-c", command]).env("DARI_API_URL", &program.url).env("NO_PROXY", "*");
        let output = shell.env("DARI_API_KEY", "dari_emulator_key").output().unwrap();
        let output = String::from_utf8(output.stdout).unwrap();
        assert_eq!(timeless(&output), timeless(&expected), "{command}\nprinted\n{output}");
    }
}
