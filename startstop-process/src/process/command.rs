//! How the program is begun, and what stands in the way.
//!
//! Without `unsafe` nothing of ours runs between fork and exec: limits and umask are set by a `sh`, a session by `setsid`,
//! each of which replaces itself with the program.

use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::time::Duration;

use super::limits::{NotRaised, Raise};
use super::obstacle::{explain, find, is_executable, missing_interpreter};
use super::{Process, Stdin, format};
use crate::error::ProcessError;
use crate::group::ProcessGroup;
use crate::niceness::nicer;
use crate::output::OutputKind;
use crate::ready::{self, Ready};
use crate::subreaper::{self, Spawning};

/// Variables by which a host speaks to this process, and not to its children. A child that speaks by `sd_notify` gets those of
/// its own; there is no store for its descriptors. What a host says of the whole unit, as `JOURNAL_STREAM` and
/// `CREDENTIALS_DIRECTORY`, is said to them too.
const OURS: [&str; 10] = [
    "NOTIFY_SOCKET",
    "FDSTORE",
    "WATCHDOG_USEC",
    "WATCHDOG_PID",
    "LISTEN_PID",
    "LISTEN_PIDFDID",
    "LISTEN_FDS",
    "LISTEN_FDNAMES",
    "STARTSTOP_NOTIFY_FD",
    "STARTSTOP_GRACE",
];

pub(super) struct Spawned {
    pub(super) group: ProcessGroup,
    pub(super) stdin: Option<ChildStdin>,
    pub(super) stdout: Option<OwnedFd>,
    pub(super) stderr: Option<OwnedFd>,
}

/// The socket and the watchdog of a child that may say how it is.
#[derive(Clone, Copy)]
pub(super) struct Notified<'a> {
    pub(super) socket: &'a Path,
    /// The longest silence of its watchdog.
    pub(super) silence: Option<Duration>,
}

pub(super) fn spawn(
    process: &Process,
    notified: Option<Notified<'_>>,
) -> Result<Spawned, ProcessError> {
    let failed = |source| explain(process, source);
    let raise = process.limits.raise();
    let mut command = build(process, notified, &raise).map_err(failed)?;
    let spawning = Spawning::begin();
    let (child, spawner) = match process.nice {
        None => (command.spawn(), None),
        Some(by) => nicer(by, move || command.spawn())
            .map(|(child, spawner)| (child, Some(spawner)))
            .map_err(|source| refused(process, "its niceness cannot be set".to_owned(), source))?,
    };
    let mut child = child.map_err(failed)?;
    // From here on the drop of the group ends the child.
    let group = ProcessGroup::of(&mut child).map_err(failed)?;
    drop(spawning);
    let group = group.spawned_by(spawner);
    raise
        .of(&group)
        .map_err(|NotRaised { why, source }| refused(process, why, source))?;
    let stdin = child.stdin.take();
    let stdout = child.stdout.take().map(OwnedFd::from);
    let stderr = child.stderr.take().map(OwnedFd::from);
    Ok(Spawned {
        group,
        stdin,
        stdout,
        stderr,
    })
}

fn build(process: &Process, notified: Option<Notified<'_>>, raise: &Raise) -> io::Result<Command> {
    let (program, args) = command_line(process, raise)?;
    let mut command = Command::new(program);
    command.args(args);
    surroundings(process, &mut command);
    if let Some(Notified { socket, silence }) = notified {
        command.env("NOTIFY_SOCKET", socket);
        command.envs(silence.and_then(micros).map(|it| ("WATCHDOG_USEC", it)));
    }
    // `setsid` would fork if it led a group already.
    if !process.session {
        command.process_group(0);
    }
    streams(process, &mut command);
    Ok(command)
}

/// Returns a silence in microseconds, if that is a number that a child can read.
fn micros(silence: Duration) -> Option<String> {
    let micros = u64::try_from(silence.as_micros()).ok();
    micros
        .filter(|micros| *micros > 0)
        .map(|micros| micros.to_string())
}

/// Environment, folder and user.
pub(super) fn surroundings(process: &Process, command: &mut Command) {
    if process.env_clear {
        command.env_clear();
    }
    for name in OURS {
        command.env_remove(name);
    }
    for (key, value) in &process.envs {
        match value {
            Some(value) => command.env(key, value),
            None => command.env_remove(key),
        };
    }
    if let Some(mark) = subreaper::mark() {
        command.env(subreaper::MARK, mark);
    }
    if let Some(folder) = &process.cwd {
        command.current_dir(folder);
    }
    if let Some(uid) = process.uid {
        command.uid(uid);
    }
    if let Some(gid) = process.gid {
        command.gid(gid);
    }
}

fn streams(process: &Process, command: &mut Command) {
    command.stdin(match process.stdin {
        Stdin::Null => Stdio::null(),
        Stdin::Inherit => Stdio::inherit(),
        Stdin::Text(_) => Stdio::piped(),
    });
    // Readiness by a line needs the output to be read.
    let is_read = match process.ready {
        Some(Ready(ready::ReadyKind::Line(_))) => IsRead::Yes,
        _ => IsRead::No,
    };
    outputs(process, command, is_read);
}

/// Whether output is read although it goes where that of this process does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum IsRead {
    Yes,
    No,
}

/// Sends the output of a command where that of the process goes.
pub(super) fn outputs(process: &Process, command: &mut Command, is_read: IsRead) {
    let is_read = is_read == IsRead::Yes;
    command.stdout(match process.output.0 {
        _ if is_read => Stdio::piped(),
        OutputKind::Inherit | OutputKind::Plain => Stdio::inherit(),
        OutputKind::Null => Stdio::null(),
        _ => Stdio::piped(),
    });
    command.stderr(match process.output.0 {
        OutputKind::Inherit if !is_read => Stdio::inherit(),
        _ => Stdio::piped(),
    });
}

/// Returns the program and its arguments, behind what sets its limits.
fn command_line(process: &Process, raise: &Raise) -> io::Result<(OsString, Vec<OsString>)> {
    let mut script = process.limits.script(raise);
    if let Some(mask) = process.umask {
        script = format!("{script}umask {mask:04o} && ");
    }
    let mut front: Vec<OsString> = Vec::new();
    if process.session {
        front.push(tool("setsid"));
    }
    if script.is_empty() && front.is_empty() {
        format::refuse_script_of(process, &process.program)?;
        return Ok((process.program.clone(), process.args.clone()));
    }
    front.push(looked_at(process)?);
    let sh = [
        "-c".into(),
        format!("{script}exec \"$@\"").into(),
        "sh".into(),
    ];
    let words = sh.into_iter().chain(front);
    Ok((
        "/bin/sh".into(),
        words.chain(process.args.iter().cloned()).collect(),
    ))
}

/// Returns the program as `sh` is to call it. `sh` would only print why it cannot be run, so it is looked at here.
fn looked_at(process: &Process) -> io::Result<OsString> {
    let found = find(process).ok_or(io::ErrorKind::NotFound)?;
    if !is_executable(&found) {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    if missing_interpreter(&found).is_some() {
        return Err(io::ErrorKind::NotFound.into());
    }
    format::refuse_script(&found)?;
    if process.program.as_bytes().contains(&b'/') {
        // The child calls it from the working directory, where a relative path begins.
        return Ok(process.program.clone());
    }
    std::path::absolute(found).map(OsString::from)
}

/// Returns the path of a program of the system, which the `PATH` of the child may not have.
fn tool(name: &str) -> OsString {
    let ours = std::env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/bin", "/bin"].map(PathBuf::from);
    let found = std::env::split_paths(&ours).chain(usual);
    let mut found = found.map(|folder| folder.join(name));
    found
        .find(|path| path.is_absolute() && is_executable(path))
        .map_or_else(|| name.into(), OsString::from)
}

/// It takes rights that this process does not have.
fn refused(process: &Process, why: String, source: io::Error) -> ProcessError {
    ProcessError::Spawn {
        program: process.program.to_string_lossy().into_owned(),
        why: Some(why),
        source,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use super::{Notified, OURS, Process, build};

    #[test]
    fn a_child_has_none_of_the_variables_that_are_ours_but_those_that_were_set() {
        let process = Process::new("true").env("STARTSTOP_NOTIFY_FD", "3");
        let command = build(&process, None, &process.limits.raise()).unwrap();
        for ours in OURS {
            let (_, value) = command.get_envs().find(|(name, _)| *name == ours).unwrap();
            let expected = (ours == "STARTSTOP_NOTIFY_FD").then_some("3");
            assert_eq!(value.and_then(|value| value.to_str()), expected, "{ours}");
        }
    }
    #[test]
    fn a_silence_is_told_if_there_is_a_number_for_it() {
        let process = Process::new("true");
        let told = |silence| {
            let notified = Notified {
                socket: Path::new("/notify"),
                silence: Some(silence),
            };
            let command = build(&process, Some(notified), &process.limits.raise()).unwrap();
            let mut envs = command.get_envs();
            let (_, value) = envs.find(|(name, _)| *name == "WATCHDOG_USEC").unwrap();
            value.map(|value| value.to_str().unwrap().to_owned())
        };
        assert_eq!(told(Duration::from_secs(2)).as_deref(), Some("2000000"));
        assert_eq!([told(Duration::ZERO), told(Duration::MAX)], [None, None]);
    }
}
