//! A command beside the child: it asks whether the child is ready, or makes it reload. It runs as the child
//! does, with its user, environment and folder, and its whole group is killed when it is dropped.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use super::{Process, command};
use crate::group::{Ending, ProcessGroup};

#[derive(Debug)]
pub(super) struct Helper(ProcessGroup);

impl Helper {
    /// Starts one whose output nobody sees.
    pub(super) fn start_quiet(process: &Process, words: &[OsString]) -> io::Result<Self> {
        let mut command = build(process, words)?;
        command.stdout(Stdio::null()).stderr(Stdio::null());
        Self::spawn(command)
    }

    /// Starts one that knows the id of the child as `MAINPID`.
    pub(super) fn start_for(
        process: &Process,
        leader: u32,
        words: &[OsString],
    ) -> io::Result<Self> {
        let mut command = build(process, words)?;
        command.env("MAINPID", leader.to_string());
        Self::spawn(command)
    }

    fn spawn(mut command: Command) -> io::Result<Self> {
        ProcessGroup::of(&mut command.spawn()?).map(Self)
    }

    /// Waits until it has ended.
    pub(super) async fn ended(&self) -> io::Result<Ending> {
        self.0.ended().await
    }
}

fn build(process: &Process, words: &[OsString]) -> io::Result<Command> {
    let (program, args) = words.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let mut command = Command::new(program);
    command::surroundings(process, &mut command);
    command.args(args).stdin(Stdio::null()).process_group(0);
    Ok(command)
}
