use std::process::ExitCode;

fn main() -> ExitCode {
    adjoin::cli::run()
}
