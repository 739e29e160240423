//! A program as a child process: a test follows what it prints, and sends it signals.

use std::ffi::OsStr;
use std::future::Future;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// A program that takes longer than this is taken to hang.
const LIMIT: Duration = Duration::from_secs(60);

/// A running program.
#[derive(Debug)]
pub(crate) struct Program {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    stderr: Option<JoinHandle<String>>,
    printed: String,
}

/// A program that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    /// The signal that has ended it, if one has.
    pub(crate) signal: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Program {
    pub(crate) fn start(path: impl AsRef<Path>, args: &[&str]) -> Self {
        let mut program = Self::start_unread(path, args);
        let mut stderr = program.child.stderr.take().expect("stderr is piped");
        program.stderr = Some(tokio::spawn(async move {
            let mut text = String::new();
            stderr
                .read_to_string(&mut text)
                .await
                .expect("stderr is text");
            text
        }));
        program
    }

    /// The same with a stderr that nobody reads.
    pub(crate) fn start_unread(path: impl AsRef<Path>, args: &[&str]) -> Self {
        let path = path.as_ref();
        let mut command = Command::new(path);
        command
            .args(args)
            .kill_on_drop(true)
            .env("RUST_BACKTRACE", "0");
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let spawned = command.spawn();
        let mut child = spawned.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let stdout = child.stdout.take().expect("stdout is piped");
        let lines = BufReader::new(stdout).lines();
        Self {
            child,
            lines,
            stderr: None,
            printed: String::new(),
        }
    }

    /// Gives it a line of input.
    pub(crate) async fn enter(&mut self) {
        let stdin = self.child.stdin.as_mut().expect("stdin is piped");
        in_time(stdin.write_all(b"\n")).await.expect("it reads");
    }

    /// The state that the system shows for it.
    #[cfg(target_os = "linux")]
    pub(crate) fn status(&self) -> String {
        let id = self.child.id().expect("it has not been waited for");
        std::fs::read_to_string(format!("/proc/{id}/status")).expect("it runs")
    }

    /// The next line that it prints.
    pub(crate) async fn line(&mut self) -> String {
        let line = in_time(self.lines.next_line())
            .await
            .expect("stdout is text");
        let Some(line) = line else {
            panic!("it ended after printing\n{}", self.printed)
        };
        self.printed.push_str(&line);
        self.printed.push('\n');
        line
    }

    /// The next line that it prints is this one.
    pub(crate) async fn prints(&mut self, expected: &str) {
        assert_eq!(self.line().await, expected);
    }

    /// Closes the other end of its stderr.
    pub(crate) async fn stop_listening(&mut self) {
        let Some(stderr) = self.stderr.take() else {
            return;
        };
        stderr.abort();
        in_time(stderr).await.expect_err("it is still read");
    }

    /// Sends it a signal, by its name without `SIG`.
    pub(crate) async fn signal(&self, signal: &str) {
        let id = self.child.id().expect("it has not been waited for");
        // The shell's `kill`, since not every system has a program of that name.
        let status = Command::new("sh")
            .args(["-c", &format!("kill -{signal} {id}")])
            .status();
        assert!(
            in_time(status).await.expect("there is a shell").success(),
            "it has ended"
        );
    }

    /// Sends it a signal again and again, as somebody in a hurry would, until it ends.
    pub(crate) async fn signal_until_it_ends(mut self, signal: &str) -> Ended {
        let ends = async {
            while self
                .child
                .try_wait()
                .expect("it can be waited for")
                .is_none()
            {
                self.signal(signal).await;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        in_time(ends).await;
        self.end().await
    }

    /// Waits for its end.
    pub(crate) async fn end(mut self) -> Ended {
        while let Some(line) = in_time(self.lines.next_line())
            .await
            .expect("stdout is text")
        {
            self.printed.push_str(&line);
            self.printed.push('\n');
        }
        let status = in_time(self.child.wait())
            .await
            .expect("it can be waited for");
        let stderr = match self.stderr {
            Some(stderr) => in_time(stderr).await.expect("stderr is read"),
            None => String::new(),
        };
        Ended {
            code: status.code(),
            signal: status.signal(),
            stdout: self.printed,
            stderr,
        }
    }
}

/// The output of a future, unless it hangs.
async fn in_time<F: Future>(future: F) -> F::Output {
    timeout(LIMIT, future).await.expect("it does not hang")
}

/// Runs a program that ends by itself.
pub(crate) async fn run(path: impl AsRef<OsStr>) -> Ended {
    Program::start(Path::new(path.as_ref()), &[]).end().await
}
