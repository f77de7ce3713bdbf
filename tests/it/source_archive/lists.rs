//! Ignore lists: which there are, and which has the last word.

use dari::SourceDirectory;

use super::{paths, refusal};
use crate::support::folder::Folder;

#[tokio::test]
async fn git_is_left_out_at_every_depth_and_nothing_else_by_itself() {
    let folder = Folder::with(&[
        (".git/HEAD", "x"),
        ("sub/.git", "gitdir: elsewhere"),
        ("sub2/.GIT/HEAD", "x"),
        (".gitattributes", "x"),
        ("node_modules/a/index.js", "x"),
        ("target/debug/a", "x"),
        (".hidden", "x"),
    ]);
    let expected = [".gitattributes", ".hidden", "node_modules/a/index.js", "target/debug/a"];
    assert_eq!(paths(folder.path()).await, expected);
    let taken_in = SourceDirectory::new(folder.path()).ignore(["!.git"]);
    assert_eq!(paths(taken_in).await, expected, "no pattern takes it in");
}

#[tokio::test]
async fn a_git_list_is_honoured_where_it_stands() {
    let folder = Folder::with(&[
        (".gitignore", "\u{feff}*.log\n/build\n# no pattern\n\nlogs/\n!keep.log\r\n"),
        ("a.log", ""),
        ("keep.log", ""),
        ("build/x", ""),
        ("sub/build/x", ""),
        ("sub/.gitignore", "!important.log\n/only-here\n"),
        ("sub/important.log", ""),
        ("sub/other.log", ""),
        ("sub/only-here", ""),
        ("only-here", ""),
        ("logs/x", ""),
        ("sub/logs", "a file, not a directory"),
    ]);
    let expected = [
        ".gitignore",
        "keep.log",
        "only-here",
        "sub/.gitignore",
        "sub/build/x",
        "sub/important.log",
        "sub/logs",
    ];
    assert_eq!(paths(folder.path()).await, expected);
}

#[tokio::test]
async fn the_own_list_stands_above_that_of_git_and_patterns_above_both() {
    let folder = Folder::with(&[
        (".gitignore", "dist/\n.env\n"),
        (".dariignore", "!dist/\nnotes/\n"),
        (".env", "s3cret"),
        ("dist/app.js", ""),
        ("dist/app.map", ""),
        ("notes/a", ""),
        ("dari.yml", ""),
    ]);
    let own = [".dariignore", ".gitignore", "dari.yml", "dist/app.js", "dist/app.map"];
    assert_eq!(paths(folder.path()).await, own);
    let given = SourceDirectory::new(folder.path()).ignore(["*.map", "!notes/", ".*ignore"]);
    assert_eq!(paths(given).await, ["dari.yml", "dist/app.js", "notes/a"]);
}

#[tokio::test]
async fn a_list_that_cannot_be_followed_is_refused_not_skipped() {
    let folder = Folder::with(&[("dari.yml", ""), (".env", "s3cret")]);
    let refused = refusal(SourceDirectory::new(folder.path()).ignore([".env", "[z-a]"])).await;
    assert!(refused.starts_with("the patterns of `ignore`, line 2: "), "{refused}");
    folder.write(".dariignore", ".env\n\n[z-a]\n");
    let refused = refusal(folder.path()).await;
    assert!(refused.starts_with("`.dariignore`, line 3: "), "{refused}");
    folder.write(".dariignore", vec![b'#'; (1 << 20) + 1]);
    assert_eq!(refusal(folder.path()).await, "`.dariignore` is larger than 1 MiB");
    std::fs::remove_file(folder.path().join(".dariignore")).unwrap();
    std::fs::create_dir(folder.path().join(".dariignore")).unwrap();
    let refused = refusal(folder.path()).await;
    assert_eq!(refused, "`.dariignore` is to be an ignore list, and is no file");
    std::fs::remove_dir(folder.path().join(".dariignore")).unwrap();
    folder.write(".dariignore", b".env\n\xff\n");
    let error = dari::SourceArchive::pack(folder.path()).await.unwrap_err();
    assert!(error.to_string().contains("`.dariignore` cannot be read"), "{error}");
}
