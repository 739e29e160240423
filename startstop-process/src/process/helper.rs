//! A command beside the child: it asks whether the child is ready, or makes it reload. It runs as the child
//! does, with its user, environment and folder, and its whole group is killed when it is dropped.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use startstop_core::Context;

use super::{Process, command, format};
use crate::error::last;
use crate::group::{Ending, ProcessGroup};
use crate::output::{Pump, Pumped, Sink};
use crate::subreaper::Spawning;

#[derive(Debug)]
pub(super) struct Helper {
    group: ProcessGroup,
    pumped: Pumped,
}

/// A command that has not succeeded.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) why: String,
    /// The last lines of its standard error.
    tail: Vec<String>,
}

impl Helper {
    /// Starts one whose output nobody sees, unless it fails.
    pub(super) fn start_quiet(
        process: &Process,
        cx: &Context,
        words: &[OsString],
    ) -> io::Result<Self> {
        let mut command = build(process, words)?;
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        Self::spawn(command, cx, None)
    }

    /// Starts one that knows the id of the child as `MAINPID`, and whose output goes where that of the child does.
    pub(super) fn start_for(
        process: &Process,
        cx: &Context,
        leader: u32,
        words: &[OsString],
        sink: Option<Sink>,
    ) -> io::Result<Self> {
        let mut command = build(process, words)?;
        command.env("MAINPID", leader.to_string());
        command::outputs(process, &mut command, command::IsRead::No);
        Self::spawn(command, cx, sink)
    }

    fn spawn(mut command: Command, cx: &Context, sink: Option<Sink>) -> io::Result<Self> {
        let spawning = Spawning::begin();
        let mut child = command.spawn()?;
        let group = ProcessGroup::of(&mut child)?;
        drop(spawning);
        let stdout = child.stdout.take().map(OwnedFd::from);
        let stderr = child.stderr.take().map(OwnedFd::from);
        let (pump, pumped) = Pump::new(cx, stdout, stderr, sink, None)?;
        cx.spawn(pump.run());
        Ok(Self { group, pumped })
    }

    /// Waits until it has ended, and has been read.
    pub(super) async fn ended(&self) -> Result<(), Refusal> {
        let ending = self.group.ended().await?;
        self.pumped.caught_up().await;
        match ending {
            Ending::Exited(0) => Ok(()),
            ending => Err(self.refusal(ending.to_string())),
        }
    }

    /// Returns what it has said so far, with a reason.
    pub(super) fn refusal(&self, why: String) -> Refusal {
        let tail = self.pumped.tail_handle().lines();
        Refusal { why, tail }
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self {
            why: error.to_string(),
            tail: Vec::new(),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.why, last(&self.tail))
    }
}

fn build(process: &Process, words: &[OsString]) -> io::Result<Command> {
    let (program, args) = words.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    format::refuse_script_of(process, program)?;
    let mut command = Command::new(program);
    command::surroundings(process, &mut command);
    command.args(args).stdin(Stdio::null()).process_group(0);
    Ok(command)
}
