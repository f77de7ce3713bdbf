//! Where files go: into a new directory or a used one, never over something, never through a link.

use std::sync::{Arc, Mutex};

use dari::emulator::{Emulator, ScriptedAgent, Turn};
use dari::{Error, UnpackProgress};

use super::{Archive, session};
use crate::support::archive::{stored, with_mode, zip};
use crate::support::folder::Folder;

#[tokio::test]
async fn a_used_directory_is_filled_and_keeps_what_it_has() {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.join("out/a/kept")).unwrap();
    std::fs::write(folder.join("out/mine"), "mine").unwrap();
    let archive = zip(&[("a/b/c", b"1"), ("a/d", b"2"), ("e/f", b"3"), ("a/kept/", b"")]);
    Archive::of(&archive).await.unpack(&folder).await.unwrap();
    let expected = [
        "out/",
        "out/a/",
        "out/a/b/",
        "out/a/b/c: 1",
        "out/a/d: 2",
        "out/a/kept/",
        "out/e/",
        "out/e/f: 3",
        "out/mine: mine",
    ];
    assert_eq!(folder.listing(), expected);
}

#[tokio::test]
async fn nothing_is_overwritten_and_then_nothing_is_written() {
    for (taken, name) in [("a/b", "a/b"), ("a", "a/b"), ("a/b/c", "a/b")] {
        let folder = Folder::new();
        let place = folder.join("out").join(taken);
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::write(&place, "mine").unwrap();
        let before = folder.listing();
        let archive = stored(&[("0", b"new"), (name, b"new"), ("z", b"new")]);
        let error = Archive::of(&archive).await.unpack(&folder).await.unwrap_err();
        let Error::File(file) = &error else { panic!("{error:?}") };
        assert_eq!(file.io_error().kind(), std::io::ErrorKind::AlreadyExists);
        assert_eq!(folder.listing(), before);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn nothing_is_written_through_a_link() {
    for (link, name) in [("link", "link/evil"), ("a/link", "a/link/b/evil"), ("link", "link")] {
        let folder = Folder::new();
        std::fs::create_dir_all(folder.join("outside")).unwrap();
        std::fs::create_dir_all(folder.join("out/a")).unwrap();
        std::os::unix::fs::symlink(folder.join("outside"), folder.join("out").join(link)).unwrap();
        let before = folder.listing();
        let archive = stored(&[("good", b"good"), (name, b"evil")]);
        let error = Archive::of(&archive).await.unpack(&folder).await.unwrap_err();
        assert!(matches!(error, Error::File(_)), "{error:?}");
        assert_eq!(folder.listing(), before);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn programs_stay_programs_and_nothing_gets_more_than_that() {
    use std::os::unix::fs::PermissionsExt;
    let archive = stored(&[("program", b"#!"), ("text", b"t"), ("suid", b"s")]);
    let archive = with_mode(archive, 0, 0o100_755);
    let archive = with_mode(with_mode(archive, 1, 0o100_600), 2, 0o106_755);
    let folder = Folder::new();
    Archive::of(&archive).await.unpack(&folder).await.unwrap();
    let mode = |name: &str| {
        let path = folder.join("out").join(name);
        std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
    };
    assert_eq!((mode("program") & 0o100, mode("text") & 0o111), (0o100, 0));
    assert_eq!(mode("suid") & 0o7000, 0);
}

#[tokio::test]
async fn a_target_that_is_none_is_an_error_of_the_file() {
    let folder = Folder::new();
    std::fs::write(folder.join("out"), "mine").unwrap();
    let archive = Archive::of(&zip(&[("a", b"1")])).await;
    let error = archive.unpack(&folder).await.unwrap_err();
    assert!(matches!(error, Error::File(_)), "{error:?}");
    let call = archive.client.workspace().download(&session());
    let error = call.unpack_into(folder.join("no/parent")).await.unwrap_err();
    assert!(matches!(error, Error::File(_)), "{error:?}");
    assert_eq!(folder.listing(), ["out: mine"]);
}

#[tokio::test]
async fn what_an_agent_wrote_is_unpacked_with_progress() {
    let turn = Turn::new().file("src/main.rs", "fn main() {}").file("b", vec![7; 100_000]);
    let evil = Turn::new().file("../evil", "evil");
    let agent = ScriptedAgent::named("writer").turns([turn, evil]);
    let emulator = Emulator::builder().agent(agent).start().await.unwrap();
    let client = emulator.client().unwrap();
    let sent = client.agents().send_message(&emulator.agent(), "Write.").await.unwrap();
    client.messages().wait(&sent.message.id).await.unwrap();
    let folder = Folder::new();
    let seen = Arc::new(Mutex::new(Vec::<UnpackProgress>::new()));
    let log = seen.clone();
    let call = client.workspace().download(&sent.session.id);
    let call = call.on_unpack(move |progress| log.lock().unwrap().push(progress));
    call.unpack_into(folder.join("out")).await.unwrap();
    assert_eq!(std::fs::read_to_string(folder.join("out/src/main.rs")).unwrap(), "fn main() {}");
    let seen: Vec<_> =
        seen.lock().unwrap().iter().map(|it| (it.entries, it.total_entries, it.bytes)).collect();
    assert_eq!(seen, [(1, 2, 100_000), (2, 2, 100_012)]);
    let again = client.messages().send(&sent.session.id, "Harm.").await.unwrap();
    client.messages().wait(&again.message.id).await.unwrap();
    let call = client.workspace().download(&sent.session.id);
    let error = call.unpack_into(folder.join("other")).await.unwrap_err();
    assert!(error.to_string().contains("../evil"), "{error}");
    assert!(!folder.join("other").exists() && !folder.join("evil").exists());
}
