//! Processes, as `/proc` shows them.

use std::fs;
use std::path::Path;

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
        let text = fs::read(format!("/proc/{pid}/stat")).ok()?;
        Self::parse(&String::from_utf8_lossy(&text))
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
        !matches!(self.state, 'Z' | 'X') || (self.state == 'Z' && threads(self.pid) > 1)
    }
}

fn threads(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count)
}

pub(crate) fn numbers(folder: impl AsRef<Path>) -> impl Iterator<Item = u32> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// Returns the processes of a group that are alive.
pub(crate) fn members(group: u32) -> Vec<u32> {
    let stats = numbers("/proc").filter_map(Stat::of);
    stats
        .filter(|stat| stat.group == group && stat.is_alive())
        .map(|stat| stat.pid)
        .collect()
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
