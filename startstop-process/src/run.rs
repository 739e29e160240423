//! A file as a whole program.

mod journal;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use startstop_host::Host;

use crate::file::{FileError, Processes};
use journal::Journal;

/// The exit code for mistakes in a file.
const MISTAKE: u8 = 2;

/// How many threads the processes are watched with: there is little to do.
const THREADS: usize = 2;

/// Runs the processes of a file as the program `startstop-run` does, until they have ended or a signal has
/// stopped them: with the parts of a host that the file asks for, and a line on stderr for each thing that
/// happens.
///
/// Mistakes of the file go to stderr, and the code is 2.
///
/// # Examples
///
/// ```no_run
/// use std::process::ExitCode;
///
/// fn main() -> ExitCode {
///     startstop_process::run_as_init().unwrap_or_else(|| startstop_process::run_file("app.toml"))
/// }
/// ```
pub fn run_file(path: impl AsRef<Path>) -> ExitCode {
    match Processes::from_file(path) {
        Ok(processes) => run(processes),
        Err(error) => refuse(&error),
    }
}

/// Reads a file, and says what is wrong with it.
///
/// # Examples
///
/// ```
/// use std::process::ExitCode;
///
/// assert_eq!(startstop_process::check_file("/no/such/file"), ExitCode::from(2));
/// ```
pub fn check_file(path: impl AsRef<Path>) -> ExitCode {
    Processes::from_file(path).map_or_else(|error| refuse(&error), |_| ExitCode::SUCCESS)
}

fn refuse(error: &FileError) -> ExitCode {
    match error.io() {
        Some(source) => tell(&format!("{error}: {source}")),
        None => tell(error),
    }
    ExitCode::from(MISTAKE)
}

fn tell(text: &dyn std::fmt::Display) {
    // Errors are ignored: the exit code says the same.
    drop(writeln!(std::io::stderr(), "{text}"));
}

fn run(processes: Processes) -> ExitCode {
    let threads = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .enable_all()
        .build();
    match threads {
        Ok(runtime) => runtime.block_on(host(processes)),
        Err(error) => {
            tell(&error);
            ExitCode::FAILURE
        }
    }
}

async fn host(processes: Processes) -> ExitCode {
    let (admin, control) = (processes.admin().map(str::to_owned), processes.control());
    let journal = Journal::begin(processes.log());
    let mut host = Host::new(processes).notify();
    if let Some(addr) = admin {
        host = host.admin(addr);
    }
    if let Some(control) = control {
        host = host.allow_control(control.token);
        host = control.hosts.into_iter().fold(host, Host::allow_host);
    }
    let journal = journal.map(|journal| journal.follow(host.runner().events()));
    let code = host.run().await;
    if let Ok(journal) = journal {
        journal.end().await;
    }
    code
}
