//! Runs the processes of a file: `startstop-run [--check] FILE`.

use std::io::Write;
use std::process::ExitCode;

const USAGE: &str = "usage: startstop-run [--check] FILE

Runs the processes of FILE, a TOML file or a Procfile. SIGHUP reads it again.
  --check    only reads it
  --version  says which one this is";

const VERSION: &str = concat!("startstop-run ", env!("CARGO_PKG_VERSION"));

/// The exit code for mistakes in the call.
const MISTAKE: u8 = 2;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    startstop_process::run_as_init().unwrap_or_else(program)
}

#[cfg(target_os = "linux")]
fn program() -> ExitCode {
    let args: Vec<_> = std::env::args_os().skip(1).collect();
    let args: Vec<_> = args.iter().map(|arg| arg.to_str()).zip(&args).collect();
    match args[..] {
        [(Some("--help" | "-h"), _)] => {
            drop(writeln!(std::io::stdout(), "{USAGE}"));
            ExitCode::SUCCESS
        }
        [(Some("--version" | "-V"), _)] => {
            drop(writeln!(std::io::stdout(), "{VERSION}"));
            ExitCode::SUCCESS
        }
        [(Some("--check"), _), (_, path)] | [(_, path), (Some("--check"), _)] => {
            startstop_process::check_file(path)
        }
        [(text, path)] if text.is_none_or(|text| !text.starts_with('-')) => {
            startstop_process::run_file(path)
        }
        _ => usage(),
    }
}

fn usage() -> ExitCode {
    // Errors are ignored: the exit code says the same.
    drop(writeln!(std::io::stderr(), "{USAGE}"));
    ExitCode::from(MISTAKE)
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    usage()
}
