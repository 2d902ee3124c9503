//! `adjoin serve` and `adjoin key`, started as processes.

use adjoin::{
    store::connections,
    time::Clock,
    vault::{KeyFile, Scope, Vault},
};

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

/// Seals something in the database with the keys of this file.
async fn seal(database: &Database, key_file: KeyFile) {
    let scope = Scope::Partner;
    let place = connections::token_place(&scope, "con_1");
    let mut tx = database.db.begin().await.unwrap();
    let vault = Vault::new(database.db.clone(), key_file);
    vault.seal(&mut tx, &place, &"secret".into(), Clock::System.now()).await.unwrap();
    tx.commit().await.unwrap();
}

#[test]
fn with_the_key_file_of_another_database_nothing_starts_and_nothing_changes() {
    on_each_database(async |database| {
        let own = database.folder().join("master.key");
        seal(&database, KeyFile::generate(&own).unwrap()).await;
        let lost = database.folder().join("lost.key");
        std::fs::rename(&own, &lost).unwrap();
        KeyFile::generate(&own).unwrap();
        // A key of the same name, and not the same.
        let forged = database.folder().join("forged.key");
        let id = std::fs::read_to_string(&lost).unwrap().split(':').next().unwrap().to_owned();
        let material = std::fs::read_to_string(&own).unwrap().split(':').nth(1).unwrap().to_owned();
        std::fs::write(&forged, format!("{id}:{material}")).unwrap();
        for file in [&own, &forged] {
            let before = std::fs::read(file).unwrap();
            let there = ["--master-key-file", file.to_str().unwrap(), "--database-url", database.url()];
            for command in [&["serve", "--listen", "127.0.0.1:0"][..], &["key", "rotate"]] {
                let output = run(&[command, &there[..]].concat());
                let said = String::from_utf8(output.stderr).unwrap();
                assert_eq!(output.status.code(), Some(3), "{said}");
                assert!(output.stdout.is_empty());
                assert!(said.contains("does not belong to this database") && said.contains(&id), "{said}");
                assert!(said.contains("ADJOIN_MASTER_KEY_FILE"), "{said}");
            }
            assert_eq!(std::fs::read(file).unwrap(), before, "a key was added");
        }
        std::fs::rename(&lost, &own).unwrap();
        let (status, ..) = serve(&database, &[]).terminate();
        assert!(status.success());
    });
}

#[cfg(unix)]
#[test]
fn a_key_file_that_others_may_read_is_told_at_each_start() {
    use std::os::unix::fs::PermissionsExt as _;

    on_each_database(async |database| {
        let key = database.folder().join("master.key");
        let (_, _, logs) = serve(&database, &[]).terminate();
        assert!(!logs.contains("chmod"), "{logs}");
        for (mode, told) in [(0o644, true), (0o444, true), (0o602, true), (0o400, false)] {
            std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).unwrap();
            let (status, _, logs) = serve(&database, &[]).terminate();
            assert!(status.success(), "{mode:o}");
            let command = format!("chmod 600 {}", key.display());
            assert_eq!(logs.contains("WARN") && logs.contains(&command), told, "{mode:o}: {logs}");
        }
    });
}

#[test]
fn keys_are_rotated_only_in_a_database_that_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let (key, database) = (folder.path().join("master.key"), folder.path().join("adjoin.db"));
    assert!(run(&["key", "generate", key.to_str().unwrap()]).status.success());
    let before = std::fs::read(&key).unwrap();
    let url = format!("sqlite://{}", database.display());
    let rotate = || {
        let output =
            run(&["key", "rotate", "--master-key-file", key.to_str().unwrap(), "--database-url", &url]);
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, said) = rotate();
    assert_eq!(code, Some(3));
    assert!(said.contains("there is no database of Adjoin at") && said.contains("adjoin.db"), "{said}");
    assert!(!database.exists(), "it made one");
    // Something else's, or nothing's yet.
    std::fs::write(&database, "").unwrap();
    let (code, said) = rotate();
    assert!(code == Some(3) && said.contains("there is no database of Adjoin at"), "{said}");
    assert_eq!(std::fs::read(&key).unwrap(), before, "a key was added");
}

#[test]
fn keys_are_rotated_beside_the_service() {
    on_each_database(async |database| {
        let server = serve(&database, &[]);
        seal(&database, KeyFile::read(&database.folder().join("master.key")).unwrap()).await;
        let key = database.folder().join("master.key");
        let arguments = ["--master-key-file", key.to_str().unwrap(), "--database-url", database.url()];
        let output = run(&[&["key", "rotate"][..], &arguments].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let ready = reqwest::get(format!("http://{}/readyz", server.text("listen"))).await.unwrap();
        assert_eq!(ready.status(), 200);
        server.terminate();
    });
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
