//! The obstacles to a spawn: the system says the same of many.

use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::process::getegid;

use super::Process;
use crate::error::ProcessError;

/// Finds the program in the `PATH` that it will have.
pub(super) fn find(process: &Process) -> Option<PathBuf> {
    find_for(process, &process.program)
}

/// Finds the program of a command that has the `PATH` and the folder of a process.
pub(super) fn find_for(process: &Process, program: &OsStr) -> Option<PathBuf> {
    let is_path = program.as_bytes().contains(&b'/');
    let program = Path::new(program);
    if is_path {
        let base = process.cwd.clone().unwrap_or_default();
        return Some(base.join(program)).filter(|path| path.exists());
    }
    let set = process.envs.iter().rev().find(|(key, _)| key == "PATH");
    let path = match set {
        Some((_, value)) => value.clone(),
        None if process.env_clear => None,
        None => std::env::var_os("PATH"),
    };
    let path = path.unwrap_or_else(|| "/bin:/usr/bin".into());
    let found = std::env::split_paths(&path).map(|folder| folder.join(program));
    let found: Vec<PathBuf> = found.filter(|path| path.is_file()).collect();
    found
        .iter()
        .find(|path| is_executable(path))
        .or(found.first())
        .cloned()
}

pub(super) fn is_executable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

/// The system says the same of a missing program, a missing folder and a missing interpreter.
pub(super) fn explain(process: &Process, source: io::Error) -> ProcessError {
    let program = process.program.to_string_lossy().into_owned();
    let why = obstacle(process, &source);
    if source.kind() == io::ErrorKind::NotFound && why.is_none() && find(process).is_none() {
        return ProcessError::NotFound { program };
    }
    ProcessError::Spawn {
        program,
        why,
        source,
    }
}

fn obstacle(process: &Process, source: &io::Error) -> Option<String> {
    if let Some(what) = process.cwd.as_deref().and_then(no_folder) {
        return Some(format!("its working directory {what}"));
    }
    if source.raw_os_error() == Some(Errno::PERM.raw_os_error()) {
        return not_as(process);
    }
    let path = find(process)?;
    if source.kind() == io::ErrorKind::PermissionDenied && path.is_dir() {
        return Some("it is a folder".to_owned());
    }
    if source.kind() == io::ErrorKind::PermissionDenied && !is_executable(&path) {
        return Some("it is not executable".to_owned());
    }
    if let Some(what) =
        forbidden(process, &path).filter(|_| source.kind() == io::ErrorKind::PermissionDenied)
    {
        return Some(what);
    }
    if source.raw_os_error() == Some(Errno::NOEXEC.raw_os_error())
        && front_of(&path)?.strip_prefix(b"#!").is_none()
    {
        return Some("it is neither a program nor begins with `#!`".to_owned());
    }
    missing_interpreter(&path)
}

/// Says what is missing if a script cannot be run for that. To the system a name goes to the next space, tab or line end, and a carriage
/// return is a part of it: it shows that the file has the line ends of Windows.
pub(super) fn missing_interpreter(path: &Path) -> Option<String> {
    let front = front_of(path)?;
    let line = front.strip_prefix(b"#!")?;
    let line = line.split(|byte| *byte == b'\n').next()?;
    let mut words = line.split(|byte| [b' ', b'\t'].contains(byte));
    let Some(interpreter) = words.find(|word| !word.is_empty()) else {
        return Some("it names no interpreter behind `#!`".to_owned());
    };
    let interpreter = Path::new(OsStr::from_bytes(interpreter));
    let shown = interpreter.to_string_lossy();
    let shown = shown.escape_debug();
    (!interpreter.exists()).then(|| format!("its interpreter {shown} is not there"))
}

/// Returns what a file begins with.
pub(super) fn front_of(path: &Path) -> Option<Vec<u8>> {
    let mut front = vec![0; 256];
    let n = fs::File::open(path)
        .and_then(|mut file| file.read(&mut front))
        .ok()?;
    front.truncate(n);
    Some(front)
}

/// Says what is wrong with a folder, as far as this process can tell.
fn no_folder(folder: &Path) -> Option<String> {
    let shown = folder.display();
    match fs::metadata(folder.join(".")) {
        Ok(_) => None,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Some(format!("{shown} is not there"))
        }
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            Some(format!("{shown} is no directory"))
        }
        Err(error) => Some(format!("{shown} cannot be entered: {error}")),
    }
}

/// Says as whom it was to run, which takes rights.
fn not_as(process: &Process) -> Option<String> {
    let user = process.uid.map(|uid| format!("user {uid}"));
    let group = process.gid.map(|gid| format!("group {gid}"));
    let whom: Vec<_> = user.into_iter().chain(group).collect();
    (!whom.is_empty()).then(|| format!("this process may not run it as {}", whom.join(" and ")))
}

/// Says what the user of a child may not do, where that is another one than the user of this process. It is asked when the system has
/// refused, for there may be rights that the modes do not show.
fn forbidden(process: &Process, program: &Path) -> Option<String> {
    let uid = process.uid.filter(|uid| *uid != 0)?;
    let gid = process.gid.unwrap_or_else(|| getegid().as_raw());
    let may = |path: &Path| fs::metadata(path).is_ok_and(|data| may_execute(&data, uid, gid));
    let absolute = |path: &Path| std::path::absolute(path).ok();
    // The working directory is inherited where none is set: nobody has to enter it.
    let cwd = process.cwd.as_deref().and_then(absolute);
    let file = absolute(program)?;
    let folders = cwd.iter().flat_map(|cwd| cwd.ancestors());
    let mut folders = folders.chain(file.ancestors().skip(1));
    if let Some(folder) = folders.find(|folder| !may(folder)) {
        return Some(format!("user {uid} may not enter {}", folder.display()));
    }
    (!may(&file)).then(|| format!("user {uid} may not run it"))
}

/// Returns whether a user may run a file, or enter a folder. It has no supplementary groups.
fn may_execute(data: &Metadata, uid: u32, gid: u32) -> bool {
    let shift = match data {
        _ if data.uid() == uid => 6,
        _ if data.gid() == gid => 3,
        _ => 0,
    };
    data.mode() >> shift & 1 != 0
}

#[cfg(test)]
mod tests {
    use super::{Errno, Process, io, obstacle};

    #[test]
    fn one_without_rights_is_told_as_whom_it_may_not_run() {
        let refused = io::Error::from_raw_os_error(Errno::PERM.raw_os_error());
        let told = |process: Process| obstacle(&process, &refused);
        let expected = "this process may not run it as user 33 and group 34";
        let process = || Process::new("true");
        assert_eq!(told(process().uid(33).gid(34)).as_deref(), Some(expected));
        let expected = "this process may not run it as group 34";
        assert_eq!(told(process().gid(34)).as_deref(), Some(expected));
        assert_eq!(told(process()), None);
    }
}
