//! `adjoin demo`, as a process.

use std::os::unix::fs::PermissionsExt as _;

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
