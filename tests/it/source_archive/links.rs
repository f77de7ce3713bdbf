//! Links: followed inside of the directory, refused everywhere else.

use std::fs;

use dari::SourceDirectory;

use super::{packed, paths, refusal};
use crate::support::folder::Folder;

#[tokio::test]
async fn a_link_inside_the_directory_is_replaced_by_what_it_leads_to() {
    let folder = Folder::with(&[("AGENTS.md", "rules"), ("shared/a.txt", "a")]);
    folder.link("CLAUDE.md", "AGENTS.md");
    folder.link("deep/er/copy", "../../shared");
    folder.link("absolute", folder.path().canonicalize().unwrap().join("shared/a.txt"));
    folder.link("chain", "CLAUDE.md");
    let files = packed(folder.path()).await;
    let expected = [
        ("AGENTS.md", "rules"),
        ("CLAUDE.md", "rules"),
        ("absolute", "a"),
        ("chain", "rules"),
        ("deep/er/copy/a.txt", "a"),
        ("shared/a.txt", "a"),
    ];
    let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    assert_eq!(files, expected);
}

#[tokio::test]
async fn a_link_that_leads_outside_is_refused_by_its_path() {
    let outside = Folder::with(&[("secret.txt", "s3cret"), ("folder/x", "s3cret")]);
    let inside = outside.path().join("root");
    for target in [
        outside.path().join("secret.txt"),
        outside.path().join("folder"),
        "../secret.txt".into(),
        "../../secret.txt".into(),
        "/etc/passwd".into(),
        "..".into(),
        // A sibling whose name only begins like the directory's.
        "../root2".into(),
    ] {
        let folder = Folder::new();
        let _unused = fs::remove_dir_all(&inside);
        fs::create_dir_all(inside.join("sub")).unwrap();
        fs::create_dir_all(outside.path().join("root2")).unwrap();
        fs::write(inside.join("dari.yml"), "name: a").unwrap();
        let place = if target.starts_with("../../") { "sub/link" } else { "link" };
        std::os::unix::fs::symlink(&target, inside.join(place)).unwrap();
        let refused = refusal(inside.as_path()).await;
        let expected = format!("`{place}` is a link that leads out of the directory");
        assert_eq!(refused, expected, "{}", target.display());
        drop(folder);
    }
}

#[tokio::test]
async fn a_chain_of_links_is_judged_by_its_end() {
    let outside = Folder::with(&[("secret.txt", "s3cret")]);
    let folder = Folder::with(&[("a", "x")]);
    folder.link("far", outside.path());
    folder.link("near", "far/secret.txt");
    let ignoring_far = SourceDirectory::new(folder.path()).ignore(["far"]);
    let refused = refusal(ignoring_far).await;
    assert_eq!(refused, "`near` is a link that leads out of the directory");
}

#[tokio::test]
async fn a_link_that_leads_nowhere_or_in_a_circle_is_refused() {
    for (links, path) in
        [(&[("a", "missing")][..], "a"), (&[("a", "a")], "a"), (&[("a", "b"), ("b", "a")], "a")]
    {
        let folder = Folder::with(&[("dari.yml", "name: a")]);
        links.iter().for_each(|(path, target)| folder.link(path, target));
        let refused = refusal(folder.path()).await;
        let either = links.iter().map(|(path, _)| format!("`{path}` is a link that cannot be"));
        assert!(either.into_iter().any(|start| refused.starts_with(&start)), "{path}: {refused}");
    }
}

#[tokio::test]
async fn directories_that_contain_each_other_by_links_are_refused() {
    for links in [
        &[("loop", ".")][..],
        &[("sub/up", "..")],
        &[("sub/up", "../sub")],
        &[("a/to_b", "../b"), ("b/to_a", "../a")],
        &[("a/b/c/up", "../../../a")],
    ] {
        let folder = Folder::with(&[("dari.yml", "name: a"), ("sub/x", "x")]);
        links.iter().for_each(|(path, target)| folder.link(path, target));
        let refused = refusal(folder.path()).await;
        assert!(refused.ends_with("is a link that leads in a circle"), "{links:?}: {refused}");
    }
}

#[tokio::test]
async fn links_that_multiply_end_at_the_ceiling() {
    let folder = Folder::new();
    (0..200).for_each(|number| drop(folder.write(&format!("l0/{number}"), "x")));
    for level in 1..40 {
        folder.link(&format!("l{level}/a"), format!("../l{}", level - 1));
        folder.link(&format!("l{level}/b"), format!("../l{}", level - 1));
    }
    let refused = refusal(SourceDirectory::new(folder.path()).max_files(1000)).await;
    assert!(refused.ends_with("is one more than 1000 files"), "{refused}");
    fs::remove_dir_all(folder.path().join("l0")).unwrap();
    fs::create_dir(folder.path().join("l0")).unwrap();
    let refused = refusal(SourceDirectory::new(folder.path()).max_files(1000)).await;
    assert!(refused.ends_with("is one more than 1000 directories"), "{refused}");
}

#[tokio::test]
async fn what_is_left_out_does_not_come_in_by_a_link() {
    let files = [("dari.yml", "name: a"), ("config/.env", "s3cret"), ("config/a", "a")];
    let folder = Folder::with(&files);
    folder.write(".gitignore", "/config/.env\n");
    folder.link("cfg", "config");
    assert_eq!(
        paths(folder.path()).await,
        [".gitignore", "cfg/a", "config/a", "dari.yml"],
        "the link leads past it, not to it"
    );
    folder.link("env", "config/.env");
    let refused = refusal(folder.path()).await;
    assert_eq!(refused, "`env` is a link to something that is left out");
    let without = SourceDirectory::new(folder.path()).ignore(["env", "cfg"]);
    assert_eq!(paths(without).await, [".gitignore", "config/a", "dari.yml"]);
}

#[tokio::test]
async fn the_history_of_git_does_not_come_in_by_a_link() {
    let folder = Folder::with(&[("dari.yml", "name: a"), (".git/config", "s3cret")]);
    folder.link("history", ".git");
    let refused = refusal(folder.path()).await;
    assert_eq!(refused, "`history` is a link to something that is left out");
}

#[tokio::test]
async fn a_directory_that_is_itself_a_link_is_followed() {
    let folder = Folder::with(&[("real/dari.yml", "name: a")]);
    folder.link("link", "real");
    assert_eq!(paths(folder.path().join("link")).await, ["dari.yml"]);
}
