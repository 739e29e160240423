//! When a child counts as ready.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::port;

/// An example in which a process becomes ready.
macro_rules! becomes_ready {
    ($process:literal) => {
        concat!(
            "```\n# use startstop_core::Runner;\n# use startstop_process::{Process, Ready};\n",
            "# #[tokio::main(flavor = \"current_thread\")]\n# async fn main() {\n",
            $process,
            "\nlet runner = Runner::new(process);\nrunner.start().await.unwrap();\n",
            "assert!(runner.is_ready());\n# runner.stop().await.unwrap();\n# }\n```",
        )
    };
}

/// When a [`Process`](crate::Process) is ready. Without one it is ready once it has been spawned.
///
/// # Examples
///
/// ```
/// use startstop_core::Runner;
/// use startstop_process::{Process, Ready};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let slow = Process::new("sleep").arg("100").ready(Ready::command(["true"]));
/// let runner = Runner::new(slow);
/// runner.start().await.unwrap();
/// assert!(runner.is_ready());
/// runner.stop().await.unwrap();
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Ready(pub(crate) ReadyKind);

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ReadyKind {
    Tcp(String),
    Line(String),
    Notify,
    File(PathBuf),
    After(Duration),
    Command(Vec<OsString>),
}

impl Ready {
    /// Waits until a connection to this address is accepted: `"127.0.0.1:6379"`.
    ///
    /// # Examples
    ///
    #[doc = becomes_ready!(r#"let process = Process::new("python3").args(["-m", "http.server", "--bind", "127.0.0.1", "6399"]);
let process = process.ready(Ready::tcp("127.0.0.1:6399"));"#)]
    pub fn tcp(addr: impl Into<String>) -> Self {
        Self(ReadyKind::Tcp(addr.into()))
    }

    /// Waits until the child has written a line with this text in it, to standard output or standard error. The line may still
    /// have no end, as that of a prompt.
    ///
    /// # Examples
    ///
    #[doc = becomes_ready!(r#"let process = Process::new("sh").args(["-c", "echo listening; exec sleep 1000"]);
let process = process.ready(Ready::line("listening"));"#)]
    pub fn line(text: impl Into<String>) -> Self {
        Self(ReadyKind::Line(text.into()))
    }

    /// When it says `READY=1` as `sd_notify` does. `RELOADING=1` and `STOPPING=1` take the readiness back,
    /// `STATUS=` is shown beside the state, `EXTEND_TIMEOUT_USEC=` puts off the end of the start, and that of
    /// the stop as far as [`longest_stop`](crate::Process::longest_stop) allows it, `WATCHDOG=1` is a heartbeat,
    /// `WATCHDOG=trigger` kills its group and is a [failure](crate::ProcessError::Triggered), and `ERRNO=` is told with the failure.
    ///
    /// A `BARRIER=1`, as `systemd-notify` sends it, is passed as soon as it is read. What else a service of systemd may say is not
    /// looked at: descriptors for a store (`FDSTORE=1`) are closed, the leader of the group stays the one that was spawned
    /// (`MAINPID=`), the watchdog keeps its time (`WATCHDOG_USEC=`), and a reload by a signal waits for no `RELOADING=1`, for nothing
    /// says that one will come: use a [command](crate::Process::reload_command) whose end is the answer.
    ///
    /// # Examples
    ///
    #[doc = becomes_ready!(r#"let says = "import os, socket, time; s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); \
            s.sendto(b'READY=1', os.environ['NOTIFY_SOCKET']); time.sleep(1000)";
let process = Process::new("python3").args(["-c", says]).ready(Ready::notify());"#)]
    pub fn notify() -> Self {
        Self(ReadyKind::Notify)
    }

    /// When this file is there. One that was there before counts once it is written anew. A relative path begins at
    /// the working directory of the child.
    ///
    /// # Examples
    ///
    #[doc = becomes_ready!(r#"let path = std::env::temp_dir().join(format!("startstop-ready-{}", std::process::id()));
let process = Process::new("sh").args(["-c", "echo $$ >$PID; exec sleep 1000"]).env("PID", &path);
let process = process.ready(Ready::file(&path));"#)]
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(ReadyKind::File(path.into()))
    }

    /// Waits until the child has run for so long.
    ///
    /// # Examples
    ///
    #[doc = becomes_ready!(r#"let process = Process::new("sleep").arg("1000");
let process = process.ready(Ready::after(std::time::Duration::from_millis(100)));"#)]
    pub fn after(time: Duration) -> Self {
        Self(ReadyKind::After(time))
    }

    /// Waits until this command, tried again and again, leaves with 0. A try that takes more than 5 s is killed. Its output is not
    /// shown; a start that times out says what came of the last try, with the last line of its standard error.
    ///
    /// # Examples
    ///
    #[doc = becomes_ready!(r#"let process = Process::new("sleep").arg("1000").ready(Ready::command(["test", "-e", "/"]));"#)]
    pub fn command<A: Into<OsString>>(command: impl IntoIterator<Item = A>) -> Self {
        Self(ReadyKind::Command(
            command.into_iter().map(Into::into).collect(),
        ))
    }

    /// Returns the condition that is waited for, as a part of a sentence, and what is in the way.
    pub(crate) fn missing(&self) -> String {
        match &self.0 {
            ReadyKind::Tcp(addr) => match port::holder(&port::listening(addr), None) {
                Some(holder) => format!("{addr} is held by {holder}"),
                None => format!("nothing listens on {addr}"),
            },
            ReadyKind::Line(text) => format!("no line with `{text}`"),
            ReadyKind::Notify => "no READY=1".to_owned(),
            ReadyKind::File(path) => format!("no file {}", path.display()),
            ReadyKind::After(time) => format!("it was to run for {time:?}"),
            ReadyKind::Command(command) => format!("the command {command:?} does not succeed"),
        }
    }

    /// Replaces a placeholder in what it names.
    pub(crate) fn filled(self, placeholder: &str, value: &str) -> Self {
        let fill = |text: &str| text.replace(placeholder, value);
        Self(match self.0 {
            ReadyKind::Tcp(addr) => ReadyKind::Tcp(fill(&addr)),
            ReadyKind::Line(text) => ReadyKind::Line(fill(&text)),
            ReadyKind::File(path) => ReadyKind::File(fill(&path.to_string_lossy()).into()),
            ReadyKind::Command(words) => ReadyKind::Command(
                words
                    .iter()
                    .map(|word| fill(&word.to_string_lossy()).into())
                    .collect(),
            ),
            kind @ (ReadyKind::Notify | ReadyKind::After(_)) => kind,
        })
    }
}
