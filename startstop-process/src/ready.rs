//! When a child counts as ready.

mod notify;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use crate::proc_fs;
pub(crate) use notify::NotifySocket;

/// How often it is tried.
const EACH: Duration = Duration::from_millis(25);

/// How long one try may take.
const TRY: Duration = Duration::from_secs(5);

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
pub struct Ready(pub(crate) Kind);

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    Tcp(String),
    Line(String),
    Notify,
    File(PathBuf),
    After(Duration),
    Command(Vec<OsString>),
}

impl Ready {
    /// When a connection to this address is accepted: `"127.0.0.1:6379"`.
    pub fn tcp(addr: impl Into<String>) -> Self {
        Self(Kind::Tcp(addr.into()))
    }

    /// When it has written a line with this text in it, to standard output or standard error.
    pub fn line(text: impl Into<String>) -> Self {
        Self(Kind::Line(text.into()))
    }

    /// When it says `READY=1` as `sd_notify` does. Its `EXTEND_TIMEOUT_USEC` is not kept yet; `RELOADING=1`
    /// takes the readiness back.
    pub fn notify() -> Self {
        Self(Kind::Notify)
    }

    /// When this file is there. One that was there before counts once it is written anew.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(Kind::File(path.into()))
    }

    /// When it has run for so long.
    pub fn after(time: Duration) -> Self {
        Self(Kind::After(time))
    }

    /// When this command, tried again and again, leaves with 0.
    pub fn command<A: Into<OsString>>(command: impl IntoIterator<Item = A>) -> Self {
        Self(Kind::Command(command.into_iter().map(Into::into).collect()))
    }

    /// What is waited for, as a part of a sentence.
    pub(crate) fn wish(&self) -> String {
        match &self.0 {
            Kind::Tcp(addr) => match held(addr) {
                Some(holder) => format!("{addr} is held by {holder}"),
                None => format!("nothing listens on {addr}"),
            },
            Kind::Line(text) => format!("no line with `{text}`"),
            Kind::Notify => "no READY=1".to_owned(),
            Kind::File(path) => format!("no file {}", path.display()),
            Kind::After(time) => format!("it was to run for {time:?}"),
            Kind::Command(command) => format!("the command {command:?} does not succeed"),
        }
    }
}

/// Who holds the port of an address, if that is known.
pub(crate) fn held(addr: &str) -> Option<String> {
    let port = addr.rsplit_once(':')?.1.parse().ok()?;
    proc_fs::listener(port).map(|(name, pid)| format!("{name} (pid {pid})"))
}

/// A wait that has begun before the child was spawned.
#[derive(Debug)]
pub(crate) enum Waiting {
    Spawned,
    Tcp(String),
    Line(oneshot::Receiver<()>),
    Notify,
    File(PathBuf, Option<SystemTime>),
    After(Duration),
    Command(Vec<OsString>),
}

impl Waiting {
    /// The wait, and what the pump has to look for.
    pub(crate) fn begin(ready: Option<&Ready>) -> (Self, Option<(String, oneshot::Sender<()>)>) {
        let Some(Ready(kind)) = ready else { return (Self::Spawned, None) };
        let waiting = match kind.clone() {
            Kind::Tcp(addr) => Self::Tcp(addr),
            Kind::Line(text) => {
                let (sender, receiver) = oneshot::channel();
                return (Self::Line(receiver), Some((text, sender)));
            }
            Kind::Notify => Self::Notify,
            Kind::File(path) => {
                let before = written(&path);
                Self::File(path, before)
            }
            Kind::After(time) => Self::After(time),
            Kind::Command(command) => Self::Command(command),
        };
        (waiting, None)
    }

    /// Waits until it is ready. That of `notify` is told elsewhere.
    pub(crate) async fn ready(&mut self) {
        match self {
            Self::Spawned => {}
            Self::Tcp(addr) => {
                while !matches!(timeout(TRY, TcpStream::connect(&*addr)).await, Ok(Ok(_))) {
                    sleep(EACH).await;
                }
            }
            Self::Line(found) => {
                if found.await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
            Self::Notify => std::future::pending().await,
            Self::File(path, before) => {
                while written(path).is_none_or(|at| *before == Some(at)) {
                    sleep(EACH).await;
                }
            }
            Self::After(time) => sleep(*time).await,
            Self::Command(command) => {
                while !succeeds(command).await {
                    sleep(EACH).await;
                }
            }
        }
    }
}

fn written(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).ok()?.modified().ok()
}

async fn succeeds(command: &[OsString]) -> bool {
    let Some((program, args)) = command.split_first() else { return true };
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.process_group(0).kill_on_drop(true).env_remove("NOTIFY_SOCKET");
    matches!(timeout(TRY, command.status()).await, Ok(Ok(status)) if status.success())
}
