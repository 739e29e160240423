//! The wait until a child is ready. It begins before the spawn, and may be dropped and polled anew.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use startstop_core::Context;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::Process;
use super::helper::{Helper, Refusal};
use super::unready::Unready;
use crate::output::Awaited;
use crate::port::{self, Sockets};
use crate::ready::{Ready, ReadyKind};

/// How often it is tried.
const EACH: Duration = Duration::from_millis(25);

/// How long one try may take.
const TRY: Duration = Duration::from_secs(5);

/// A time that nobody waits for.
const NEVER: Duration = Duration::from_secs(86400 * 365);

#[derive(Debug)]
pub(super) enum Waiting {
    Spawned,
    /// The address, and who listened on it before the spawn.
    Tcp(String, Sockets),
    Line(oneshot::Receiver<()>),
    Notify,
    File(PathBuf, Option<Written>),
    After(Instant),
    Command(Vec<OsString>),
}

impl Waiting {
    pub(super) fn begin(process: &Process) -> (Self, Option<Awaited>) {
        let Some(Ready(kind)) = &process.ready else {
            return (Self::Spawned, None);
        };
        let waiting = match kind.clone() {
            ReadyKind::Tcp(addr) => {
                let before = port::listening(&addr);
                Self::Tcp(addr, before)
            }
            ReadyKind::Line(text) => {
                let (awaited, found) = Awaited::new(&text);
                return (Self::Line(found), Some(awaited));
            }
            ReadyKind::Notify => Self::Notify,
            ReadyKind::File(path) => {
                let folder = process.cwd.clone().unwrap_or_default();
                let path = folder.join(path);
                let before = written(&path);
                Self::File(path, before)
            }
            ReadyKind::After(time) => Self::After(Instant::now() + time.min(NEVER)),
            ReadyKind::Command(command) => Self::Command(command),
        };
        (waiting, None)
    }

    /// Returns whether a child that has ended, and has been read, had been ready before.
    pub(super) fn was_ready(&mut self) -> bool {
        match self {
            Self::Line(found) => found.try_recv().is_ok(),
            Self::File(path, before) => is_new(path, *before),
            _ => false,
        }
    }

    /// Waits until it is ready. A message is awaited elsewhere.
    pub(super) async fn ready(&mut self, process: &Process, unready: &Unready<'_>) {
        match self {
            Self::Spawned => {}
            Self::Tcp(addr, before) => {
                while !accepts(addr, before).await {
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
                while !is_new(path, *before) {
                    sleep(EACH).await;
                }
            }
            Self::After(time) => sleep_until(*time).await,
            Self::Command(command) => {
                while let Err(refusal) = succeeds(process, unready.cx(), command).await {
                    unready.was_refused(refusal);
                    sleep(EACH).await;
                }
            }
        }
    }
}

/// Returns whether somebody accepts connections who has not done so before the spawn: the port may be that of an
/// earlier run, of which this process knows nothing.
async fn accepts(addr: &str, before: &Sockets) -> bool {
    let is_another = before.is_empty()
        || port::listening(addr)
            .iter()
            .any(|socket| !before.contains(socket));
    is_another && matches!(timeout(TRY, TcpStream::connect(addr)).await, Ok(Ok(_)))
}

/// Tells one version of a file from another.
type Written = (u64, SystemTime);

fn is_new(path: &Path, before: Option<Written>) -> bool {
    written(path).is_some_and(|now| before != Some(now))
}

fn written(path: &Path) -> Option<Written> {
    let data = fs::metadata(path).ok()?;
    Some((data.ino(), data.modified().ok()?))
}

/// Runs the command once. The error says what came of it.
async fn succeeds(process: &Process, cx: &Context, command: &[OsString]) -> Result<(), Refusal> {
    let helper = Helper::start_quiet(process, cx, command)?;
    match timeout(TRY, helper.ended()).await {
        Ok(ended) => ended,
        Err(_) => Err(helper.refusal(format!("took more than {TRY:?}"))),
    }
}
