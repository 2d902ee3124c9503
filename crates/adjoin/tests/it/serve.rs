//! `adjoin serve` and `adjoin key`, started as processes.

use crate::{
    process::{Server, adjoin, run},
    support::{Database, on_each_database},
};

fn serve(database: &Database, more: &[&str]) -> Server {
    let key = database.folder().join("master.key");
    let key = key.to_str().unwrap();
    if !database.folder().join("master.key").exists() {
        assert!(run(&["key", "generate", key]).status.success());
    }
    let mut arguments = vec!["serve", "--listen", "127.0.0.1:0", "--master-key-file", key];
    arguments.extend(["--database-url", database.url()]);
    arguments.extend(more);
    Server::start(adjoin(&arguments))
}

#[test]
fn it_says_where_it_is_and_ends_when_asked() {
    on_each_database(async |database| {
        let server = serve(&database, &[]);
        let url = format!("http://{}/healthz", server.text("listen"));
        assert_eq!(reqwest::get(&url).await.unwrap().text().await.unwrap(), "ok");
        let (status, rest, _) = server.terminate();
        assert!(status.success(), "{status}");
        assert_eq!(rest, "", "stdout holds one line");
        assert!(reqwest::get(&url).await.is_err(), "it still answers");
    });
}

#[test]
fn each_start_without_an_operator_gives_a_new_link_and_the_logs_hold_no_other_secret() {
    on_each_database(async |database| {
        let first = serve(&database, &["--log-json"]);
        let link = first.text("operator_link").to_owned();
        let (_, _, logs) = first.terminate();
        for line in logs.lines().filter(|line| line.starts_with('{')) {
            assert!(!line.contains("inv_"), "the link is in the log: {line}");
        }
        let second = serve(&database, &[]);
        assert_ne!(second.text("operator_link"), link);
        assert!(second.text("operator_link").starts_with(second.text("console_url")));
    });
}

#[test]
fn without_a_key_it_does_not_start_and_says_how_to_make_one() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("adjoin.db").display());
    let output = run(&["serve", "--listen", "127.0.0.1:0", "--database-url", &url]);
    assert_eq!(output.status.code(), Some(3));
    assert!(output.stdout.is_empty());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("adjoin key generate"), "{said}");
    assert!(!folder.path().join("adjoin.db").exists(), "it made a database all the same");
}

/// Escapes would only be noise in a file, a pipe or a journal.
#[test]
fn logs_outside_a_terminal_have_no_colours() {
    let sandbox = Server::start(adjoin(&["sandbox", "--listen", "127.0.0.1:0"]));
    let (_, _, logs) = sandbox.terminate();
    assert!(logs.contains("INFO") && !logs.contains('\u{1b}'), "{logs:?}");
}

#[test]
fn a_key_file_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("master.key");
    let path = path.to_str().unwrap();
    assert!(run(&["key", "generate", path]).status.success());
    let before = std::fs::read(path).unwrap();
    let again = run(&["key", "generate", path]);
    assert_eq!(again.status.code(), Some(3));
    assert_eq!(std::fs::read(path).unwrap(), before);
}

#[test]
fn a_database_address_that_cannot_be_used_is_named_without_its_password() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("master.key");
    assert!(run(&["key", "generate", key.to_str().unwrap()]).status.success());
    let output = run(&[
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--master-key-file",
        key.to_str().unwrap(),
        "--database-url",
        "mysql://someone:hunter2@localhost/x",
    ]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(said.contains("sqlite:// or postgres://"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}
