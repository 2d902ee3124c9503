//! The program itself, as somebody would start it.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Output, Stdio},
    thread::JoinHandle,
};

use serde_json::Value;

/// `adjoin` with these arguments and nothing of our environment that it would read.
pub fn adjoin(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_adjoin"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("ADJOIN_")) {
        command.env_remove(name);
    }
    command.args(arguments).stdin(Stdio::null());
    command
}

/// As on a machine whose way out is a proxy, which is away at the moment and knows nothing of this machine anyhow.
pub fn behind_a_proxy(command: &mut Command) {
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
        // Port 9 (discard) is closed wherever tests run.
        command.env(name, "http://127.0.0.1:9");
    }
    command.env_remove("NO_PROXY").env_remove("no_proxy");
}

/// Runs to its end.
pub fn run(arguments: &[&str]) -> Output {
    adjoin(arguments).output().unwrap()
}

/// A subcommand that stays up and says on one line of stdout where it is. Dropped, it is killed.
#[derive(Debug)]
pub struct Server {
    child: Child,
    stdout: BufReader<ChildStdout>,
    stderr: Option<JoinHandle<String>>,
    pub ready: Value,
}

impl Server {
    pub fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = child.stderr.take().unwrap();
        let stderr = std::thread::spawn(move || read(stderr));
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let ready = serde_json::from_str(&line).unwrap_or_else(|error| {
            let _ = child.kill();
            panic!("its first line {line:?} is not JSON: {error}")
        });
        Self { child, stdout, stderr: Some(stderr), ready }
    }

    pub fn text(&self, name: &str) -> &str {
        self.ready[name].as_str().unwrap_or_else(|| panic!("{name} is not in {}", self.ready))
    }

    /// Asks it to end as a service manager does; answers how it ended, the rest of its stdout, and its logs.
    pub fn terminate(self) -> (ExitStatus, String, String) {
        self.signal("-TERM")
    }

    /// The same by another signal.
    pub fn signal(mut self, signal: &str) -> (ExitStatus, String, String) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        let status = self.child.wait().unwrap();
        let logs = self.stderr.take().expect("taken only here").join().unwrap();
        (status, rest, logs)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Echoes the logs, so that a failed test shows them, and keeps them.
fn read(stderr: ChildStderr) -> String {
    let mut all = String::new();
    for line in BufReader::new(stderr).lines().map_while(Result::ok) {
        eprintln!("{line}");
        all.push_str(&line);
        all.push('\n');
    }
    all
}
