//! The command line, one file a subcommand. Machine output is JSON on stdout; people's output and logs go to
//! stderr. Exit codes: 0 good, 1 the answer is no, 2 the input cannot be used, 3 something failed.

mod call;
pub mod demo;
mod forward;
mod key;
mod sandbox;
mod serve;
mod service;
mod validate;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "adjoin", version, about = "The Meta Marketing connector a SaaS vendor can own")]
pub struct Cli {
    /// Configuration file (TOML)
    #[arg(long, global = true, env = "ADJOIN_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service: console, connect page, API
    Serve(serve::Serve),
    /// Show the whole job on this machine, against the sandbox
    Demo(demo::Demo),
    /// Run the local Graph and login dialog
    Sandbox(sandbox::Sandbox),
    /// Call a method of the Marketing API for an account, through a running service
    Call(call::Call),
    /// Write events as JSON Lines to a file or to stdout, from a running service
    Forward(forward::Forward),
    /// Check an ad set offline
    #[command(subcommand)]
    Validate(validate::Validate),
    /// Make and rotate the keys that seal secrets
    #[command(subcommand)]
    Key(key::Key),
}

/// How a subcommand ended when nothing failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Good,
    /// The answer is no: rejected, refused, a step did not hold.
    No,
    /// The input cannot be used; what is wrong was printed.
    Unusable,
    /// It failed; what happened was printed.
    Failed,
}

pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("adjoin: cannot start: {error}");
            return ExitCode::from(3);
        }
    };
    let outcome = runtime.block_on(async {
        let config = cli.config.as_deref();
        match cli.command {
            Command::Serve(command) => command.run(config).await,
            Command::Demo(command) => command.run().await,
            Command::Sandbox(command) => command.run().await,
            Command::Call(command) => command.run().await,
            Command::Forward(command) => command.run().await,
            Command::Validate(command) => command.run(),
            Command::Key(command) => command.run(config).await,
        }
    });
    match outcome {
        Ok(Outcome::Good) => ExitCode::SUCCESS,
        Ok(Outcome::No) => ExitCode::from(1),
        Ok(Outcome::Unusable) => ExitCode::from(2),
        Ok(Outcome::Failed) => ExitCode::from(3),
        Err(error) => {
            eprintln!("adjoin: {error:#}");
            ExitCode::from(3)
        }
    }
}

/// Logs on stderr: pretty for a terminal, JSON lines when asked.
pub fn init_logs(json: bool) {
    use std::io::IsTerminal as _;

    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_env("ADJOIN_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    // Colours are for people: in a file or a pipe they would only be noise.
    let colours =
        std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr);
    // A second initialisation (tests in one process) keeps the first.
    let _ = if json { builder.json().try_init() } else { builder.compact().try_init() };
}
