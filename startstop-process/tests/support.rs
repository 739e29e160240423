//! Children that are written for a test, and how they are looked at.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use startstop_core::{Runner, Settings};
use startstop_process::{Process, ProcessError};

/// A child of `sh`.
pub(crate) fn sh(script: &str) -> Process {
    Process::new("sh").args(["-c", script])
}

/// A child of `python3`.
pub(crate) fn python(script: &str) -> Process {
    Process::new("python3").args(["-c", script])
}

pub(crate) fn runner(process: Process) -> Runner<Process> {
    Runner::with_settings(
        process,
        Settings::new().stop_timeout(Duration::from_secs(5)),
    )
}

/// The process errors of the current cycle, as text.
pub(crate) fn errors(runner: &Runner<Process>) -> Vec<String> {
    let errors = runner.errors_list();
    errors
        .iter()
        .map(|failure| failure.error().to_string())
        .collect()
}

/// Asks something of the last process error.
#[track_caller]
pub(crate) fn last_error<T>(runner: &Runner<Process>, f: impl Fn(&ProcessError) -> T) -> T {
    let failure = runner.errors_last().expect("it has failed");
    f(failure
        .error()
        .downcast_ref::<ProcessError>()
        .expect("it is a process error"))
}

/// A folder of a test of its own, removed with it.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("startstop-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    /// Waits until a file has something in it, and reads it.
    pub(crate) async fn read(&self, name: &str) -> String {
        loop {
            match fs::read_to_string(self.0.join(name)) {
                Ok(text) if text.ends_with('\n') => return text.trim().to_owned(),
                _ => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Returns whether a process is there, a zombie too.
pub(crate) fn is_there(pid: &str) -> bool {
    fs::metadata(format!("/proc/{pid}")).is_ok()
}

/// Returns whether it is there and no zombie.
pub(crate) fn is_alive(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ")
        .is_some_and(|(_, rest)| !rest.starts_with('Z'))
}
