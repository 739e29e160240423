//! Runs the processes of a file: `startstop-run [--check] FILE`.

use std::io::Write;
use std::process::ExitCode;

const USAGE: &str = "usage: startstop-run [--check] FILE

Runs the processes of FILE, a TOML file or a Procfile. SIGHUP reads it again.
  --check  only reads it";

/// What is wrong with the call or the file.
const MISTAKE: u8 = 2;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    startstop_process::run_as_init().unwrap_or_else(program)
}

#[cfg(target_os = "linux")]
#[tokio::main]
async fn program() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let (checks, path) = match args[..] {
        ["--help" | "-h"] => {
            drop(writeln!(std::io::stdout(), "{USAGE}"));
            return ExitCode::SUCCESS;
        }
        ["--check", path] | [path, "--check"] => (true, path),
        [path] if !path.starts_with('-') => (false, path),
        _ => return mistake(&USAGE),
    };
    match startstop_process::Processes::from_file(path) {
        Ok(_) if checks => ExitCode::SUCCESS,
        Ok(processes) => startstop_core::run(processes).await,
        Err(error) => match error.io() {
            Some(source) => mistake(&format!("{error}: {source}")),
            None => mistake(&error),
        },
    }
}

fn mistake(text: &dyn std::fmt::Display) -> ExitCode {
    // Nobody may read it; the code says it too.
    drop(writeln!(std::io::stderr(), "{text}"));
    ExitCode::from(MISTAKE)
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    mistake(&USAGE)
}
