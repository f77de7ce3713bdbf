//! Archives that pass, and every way in which one does not.

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use tar::{Builder, EntryType, Header};

use super::{Announced, Bundle, sha256, yaml};

/// Returns a tar.gz of files, whose paths are written as they are.
fn archive(files: &[(&str, &str)]) -> Vec<u8> {
    let mut tar = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (path, text) in files {
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Regular);
        header.set_size(text.len() as u64);
        header.as_gnu_mut().unwrap().name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_cksum();
        tar.append(&header, text.as_bytes()).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}

fn check(archive: &[u8]) -> Result<Bundle, String> {
    Announced { sha256: sha256(archive), size_bytes: archive.len() as u64 }.check(archive)
}

fn yaml_of(text: &str) -> Value {
    yaml::read(text).unwrap()
}

#[test]
fn a_manifest_gives_name_and_prompt() {
    let manifest = "# an agent\nname: support-agent\nharness: pi\ninstructions:\n  \
                    system: prompts/system.md\nllm: {model: 'm/1', tries: 3}\n";
    for prefix in ["", "./"] {
        let (manifest_path, prompt_path) =
            (format!("{prefix}dari.yml"), format!("{prefix}prompts/system.md"));
        let files = [(&*manifest_path, manifest), (&*prompt_path, "Be kind."), ("b.bin", "\u{1}")];
        let bundle = check(&archive(&files)).unwrap();
        assert_eq!(bundle.name, "support-agent");
        assert_eq!(bundle.system_prompt.as_deref(), Some("Be kind."));
        let expected = json!({"name": "support-agent", "harness": "pi",
            "instructions": {"system": "prompts/system.md"}, "llm": {"model": "m/1", "tries": 3}});
        assert_eq!(bundle.manifest, expected);
    }
    let bare = check(&archive(&[("dari.yml", "name: a")])).unwrap();
    assert_eq!((bare.name.as_str(), bare.system_prompt), ("a", None));
}

#[test]
fn an_archive_that_is_not_the_one_announced_fails() {
    let archive = archive(&[("dari.yml", "name: a")]);
    let announced = Announced { sha256: sha256(&archive), size_bytes: archive.len() as u64 };
    let cut = &archive[..archive.len() - 1];
    assert!(announced.check(cut).unwrap_err().contains("size_bytes is"));
    let mut flipped = archive.clone();
    flipped[20] ^= 1;
    assert!(announced.check(&flipped).unwrap_err().contains("sha256 is"));
    announced.check(&archive).unwrap();
}

#[test]
fn what_is_no_tar_in_gzip_fails() {
    let good = archive(&[("dari.yml", "name: a"), ("x", &"y".repeat(5000))]);
    let not_gzip = check(b"name: a").unwrap_err();
    assert!(not_gzip.starts_with("The archive is no readable tar.gz"), "{not_gzip}");
    for end in [1, 10, good.len() / 2, good.len() - 1] {
        assert!(check(&good[..end]).is_err(), "cut at {end}");
    }
    let mut broken = good.clone();
    let last = broken.len() - 6;
    broken[last] ^= 0xff;
    assert!(check(&broken).is_err(), "the sum at the end is wrong");
}

#[test]
fn a_path_that_leads_out_of_the_archive_fails() {
    for path in ["../dari.yml", "/dari.yml", "a/../../b"] {
        let found = check(&archive(&[("dari.yml", "name: a"), (path, "x")])).unwrap_err();
        assert_eq!(found, format!("The archive has the unsafe path {path}"));
    }
}

#[test]
fn a_link_that_leads_out_of_the_archive_fails() {
    let linked = |kind, path: &str, target: &str| {
        let mut tar = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        let mut header = Header::new_gnu();
        header.set_size(7);
        tar.append_data(&mut header, "dari.yml", &b"name: a"[..]).unwrap();
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(0);
        tar.append_link(&mut header, path, target).unwrap();
        check(&tar.into_inner().unwrap().finish().unwrap())
    };
    for (kind, path, target) in [
        (EntryType::Symlink, "link", "/etc/passwd"),
        (EntryType::Symlink, "link", "../secret"),
        (EntryType::Symlink, "a/link", "../../secret"),
        (EntryType::Link, "link", "/etc/passwd"),
        (EntryType::Link, "a/link", "../secret"),
    ] {
        let expected = format!("The archive has a link that leads out of it: {path}");
        assert_eq!(linked(kind, path, target).unwrap_err(), expected, "{target}");
    }
    linked(EntryType::Symlink, "a/link", "../dari.yml").unwrap();
    linked(EntryType::Link, "a/link", "dari.yml").unwrap();
}

#[test]
fn a_manifest_that_lacks_what_the_contract_names_fails() {
    for (manifest, reason) in [
        ("", "dari.yml: it is empty"),
        ("harness: pi", "dari.yml: there is no name"),
        ("name: ''", "dari.yml: there is no name"),
        ("name: 7", "dari.yml: there is no name"),
        ("- name: a", "dari.yml: there is no name"),
        ("name: a\nname: b", "dari.yml: name is given twice"),
        ("name: &a b\nother: *a", "dari.yml: it has an alias"),
        (
            "name: a\ninstructions: {system: p.md}",
            "dari.yml: instructions.system: there is no file p.md",
        ),
        (
            "name: a\ninstructions: {system: ../p.md}",
            "dari.yml: instructions.system: there is no file ../p.md",
        ),
    ] {
        assert_eq!(check(&archive(&[("dari.yml", manifest)])).unwrap_err(), reason, "{manifest}");
    }
    let broken = check(&archive(&[("dari.yml", "name: [a")])).unwrap_err();
    assert!(broken.starts_with("dari.yml: "), "{broken}");
    let elsewhere = check(&archive(&[("agent/dari.yml", "name: a")])).unwrap_err();
    assert_eq!(elsewhere, "There is no dari.yml in the root");
}

#[test]
fn yaml_is_read_as_the_json_it_means() {
    let text = "a: [1, -2.5, true, null, ~, 'x', \"1\", 0x10]\nb:\n  c: |\n    two\n    lines\n";
    let expected =
        json!({"a": [1, -2.5, true, null, null, "x", "1", "0x10"], "b": {"c": "two\nlines\n"}});
    assert_eq!(yaml_of(text), expected);
    assert_eq!(yaml_of("--- text"), json!("text"));
    assert_eq!(yaml::read(&"[".repeat(100)).unwrap_err(), "it is nested too deep");
    assert_eq!(yaml::read("[a]: b").unwrap_err(), "it has a key that is no text");
}
