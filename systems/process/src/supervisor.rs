//! What `startstop-run` is: runs the processes of a file.

use std::process::ExitCode;

fn main() -> ExitCode {
    let path = std::env::args_os().nth(1).expect("a file is named");
    startstop_process::run_as_init().unwrap_or_else(|| startstop_process::run_file(path))
}
