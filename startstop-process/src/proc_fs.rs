//! Processes, as `/proc` shows them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, DirEntry, File};
use std::io::{self, Read};
use std::path::Path;

// That of rustix takes for granted that no group is 0.
use nix::unistd::{Pid, getpgid};
use rustix::io::Errno;

use crate::signal::Signal;

/// The fields of `/proc/PID/stat` that matter here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) pid: u32,
    pub(crate) state: char,
    pub(crate) parent: u32,
    pub(crate) group: u32,
}

impl Stat {
    pub(crate) fn of(pid: u32) -> Option<Self> {
        Self::read(pid).ok().flatten()
    }

    /// Returns `None` for a process that is gone, or that others may not see.
    fn read(pid: u32) -> io::Result<Option<Self>> {
        // All that matters comes first, and is read at once.
        let mut front = [0; 512];
        let read =
            File::open(format!("/proc/{pid}/stat")).and_then(|mut file| file.read(&mut front));
        let length = seen(read)?.unwrap_or_default();
        Ok(Self::parse(&String::from_utf8_lossy(&front[..length])))
    }

    /// The name in parentheses may have spaces and parentheses of its own.
    fn parse(text: &str) -> Option<Self> {
        let (front, back) = text.rsplit_once(") ")?;
        let pid = front.split(' ').next()?.parse().ok()?;
        let mut fields = back.split(' ');
        let state = fields.next()?.chars().next()?;
        let parent = fields.next()?.parse().ok()?;
        let group = fields.next()?.parse().ok()?;
        Some(Self {
            pid,
            state,
            parent,
            group,
        })
    }

    /// Returns whether it runs, or could: one whose first thread has left while others go on reads as a zombie too.
    pub(crate) fn is_alive(self) -> bool {
        self.lives().unwrap_or_default()
    }

    fn lives(self) -> io::Result<bool> {
        Ok(match self.state {
            'X' => false,
            'Z' => threads(self.pid)? > 1,
            _ => true,
        })
    }
}

fn threads(pid: u32) -> io::Result<usize> {
    let threads = seen(fs::read_dir(format!("/proc/{pid}/task")))?;
    Ok(threads.map_or(0, Iterator::count))
}

/// Tells what is gone from what this process cannot look at now.
fn seen<T>(read: io::Result<T>) -> io::Result<Option<T>> {
    use io::ErrorKind::{NotFound, PermissionDenied};
    match read {
        Err(error) if matches!(error.kind(), NotFound | PermissionDenied) => Ok(None),
        Err(error) if error.raw_os_error() == Some(Errno::SRCH.raw_os_error()) => Ok(None),
        read => read.map(Some),
    }
}

pub(crate) fn numbers(folder: impl AsRef<Path>) -> impl Iterator<Item = u32> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.filter_map(number)
}

fn number(entry: io::Result<DirEntry>) -> Option<u32> {
    entry.ok()?.file_name().to_str()?.parse().ok()
}

/// Returns the processes of these groups that are alive, by their groups. To read about a process is what takes the time, so those are
/// left out of which something is `known`.
pub(crate) fn members(
    groups: &BTreeSet<u32>,
    known: impl Fn(u32) -> bool,
) -> io::Result<BTreeMap<u32, Vec<u32>>> {
    let mut members: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for pid in fs::read_dir("/proc")?.filter_map(number) {
        if known(pid) || !may_be_of(pid, groups) {
            continue;
        }
        let Some(stat) = Stat::read(pid)?.filter(|stat| groups.contains(&stat.group)) else {
            continue;
        };
        if stat.lives()? {
            members.entry(stat.group).or_default().push(pid);
        }
    }
    Ok(members)
}

/// Returns whether a process may be of one of these groups. One that is there, and of which the system does not say it, may be.
fn may_be_of(pid: u32, groups: &BTreeSet<u32>) -> bool {
    let is_of = |group: Option<u32>| group.is_some_and(|group| groups.contains(&group));
    asked_group_of(pid).map_or(true, is_of)
}

/// Returns the group of a process, a zombie too.
pub(crate) fn group_of(pid: u32) -> Option<u32> {
    asked_group_of(pid).unwrap_or_else(|_| Stat::of(pid).map(|stat| stat.group))
}

/// Asks the system for the group of a process, if it is there. That takes a small part of the time that its file does, and fails only
/// where the system is told to forbid it. That of a thread of the kernel, and of one whose group is not of this namespace, is 0.
fn asked_group_of(pid: u32) -> nix::Result<Option<u32>> {
    let Ok(pid) = i32::try_from(pid) else {
        return Ok(None);
    };
    match getpgid(Some(Pid::from_raw(pid))) {
        Err(nix::Error::ESRCH) => Ok(None),
        group => group.map(|group| u32::try_from(group.as_raw()).ok()),
    }
}

/// Returns the children of this process, zombies too.
pub(crate) fn children() -> Vec<u32> {
    let lists = numbers("/proc/self/task")
        .filter_map(|thread| fs::read_to_string(format!("/proc/self/task/{thread}/children")).ok());
    lists
        .flat_map(|list| {
            list.split_whitespace()
                .filter_map(|pid| pid.parse().ok())
                .collect::<Vec<_>>()
        })
        .collect()
}

/// Returns whether a process ignores a signal.
pub(crate) fn ignores(pid: impl std::fmt::Display, signal: Signal) -> bool {
    is_in("SigIgn:", pid, signal)
}

/// Returns whether a process has a handler for a signal.
pub(crate) fn catches(pid: impl std::fmt::Display, signal: Signal) -> bool {
    is_in("SigCgt:", pid, signal)
}

fn is_in(set: &str, pid: impl std::fmt::Display, signal: Signal) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let bits = status.lines().find_map(|line| line.strip_prefix(set));
    let bits = bits.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok());
    bits.is_some_and(|bits| bits & signal.bit() != 0)
}

#[cfg(test)]
mod tests {
    use super::Stat;

    #[test]
    fn a_name_with_parentheses_and_spaces_is_skipped() {
        let stat = Stat::parse("77 (a) b (c) S 1 76 75 0 -1").unwrap();
        assert_eq!(
            stat,
            Stat {
                pid: 77,
                state: 'S',
                parent: 1,
                group: 76
            }
        );
    }
}
