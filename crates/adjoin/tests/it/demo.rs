//! `adjoin demo`, as a process.

use std::{os::unix::fs::PermissionsExt as _, process::Command};

use serde_json::Value;

use crate::process::{Server, adjoin, behind_a_proxy};

#[test]
fn it_needs_no_network_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = adjoin(&["demo", "--once", "--json"]);
    demo.env("TMPDIR", folder.path());
    behind_a_proxy(&mut demo);
    let output = demo.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_step_that_fails_is_told_in_the_last_line_and_by_the_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let demo = adjoin(&["demo", "--once", "--json"]);
    // A limit on the size of every file, that fails writes as a full disk does.
    let mut limited = Command::new("bash");
    limited.args(["-c", "trap '' XFSZ; ulimit -f 100; exec \"$@\"", "bash"]);
    limited.arg(demo.get_program()).args(demo.get_args()).env("TMPDIR", folder.path());
    let output = limited.output().unwrap();
    let (told, said) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(1), "{told}{said}");
    let lines: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (last, before) = lines.split_last().unwrap();
    assert_eq!(last["ok"], false, "{told}");
    assert!(last["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{told}");
    assert!(!before.is_empty() && before.iter().all(|line| line["ok"] == true), "{told}");
    assert!(said.contains(last["step"].as_str().unwrap()), "{said}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn interrupted_on_its_way_it_leaves_nothing_behind() {
    for signal in ["-INT", "-TERM"] {
        let folder = tempfile::tempdir().unwrap();
        let mut demo = adjoin(&["demo", "--once", "--json"]);
        demo.env("TMPDIR", folder.path());
        // Its first step is done then.
        let demo = Server::start(demo);
        let own = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap();
        assert_eq!(own.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        let (status, _, said) = demo.signal(signal);
        assert_eq!(status.code(), Some(1), "{said}");
        assert!(said.contains("interrupted"), "{said}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{signal}");
    }
}
