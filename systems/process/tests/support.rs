//! Folders, ports and runners of the tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use startstop_core::{Runner, Settings};
use startstop_process::{Output, Process, ProcessError};

/// A folder of a test, removed with it. Every user can enter it.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("systems-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        fs::write(self.0.join(name), text).unwrap();
        self.path(name)
    }

    /// Waits until a file has a whole line in it, and reads it.
    pub(crate) fn read(&self, name: &str) -> String {
        until(|| {
            let text = fs::read_to_string(self.0.join(name)).ok();
            text.filter(|text| text.ends_with('\n'))
                .map(|text| text.trim().to_owned())
        })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Asks until there is an answer, for at most a minute.
pub(crate) fn until<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    for _ in 0..6000 {
        if let Some(answer) = ask() {
            return answer;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("nothing after a minute");
}

/// A runner with time for a server to start.
pub(crate) fn runner(process: Process) -> Runner<Process> {
    let settings = Settings::new()
        .start_timeout(Duration::from_secs(60))
        .stop_timeout(Duration::from_secs(20));
    Runner::with_settings(process.output(Output::null()), settings)
}

/// Starts, asks whether it is ready, stops, and expects that nothing has failed.
pub(crate) async fn lives_and_ends(process: Process) {
    let runner = runner(process);
    runner.start().await.unwrap();
    assert!(runner.is_ready());
    runner.stop().await.unwrap();
    assert!(
        runner.errors_list().is_empty(),
        "{:?}",
        runner.errors_list()
    );
}

pub(crate) fn last_error<T>(runner: &Runner<Process>, f: impl Fn(&ProcessError) -> T) -> T {
    let failure = runner.errors_last().expect("it has failed");
    f(failure
        .error()
        .downcast_ref()
        .expect("it is a process error"))
}

/// Whether there is a process, and it is no zombie.
pub(crate) fn is_alive(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ")
        .is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

pub(crate) fn kill(signal: &str, pid: &str) {
    assert!(
        Command::new("kill")
            .args([signal, pid])
            .status()
            .unwrap()
            .success()
    );
}

/// The process that a server has written the id of.
pub(crate) fn pid_of(path: impl AsRef<Path>) -> Option<String> {
    fs::read_to_string(path)
        .ok()
        .map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty())
}
