//! What `/proc` tells of processes.

use std::fs;
use std::path::Path;

use crate::signal::Signal;

/// The fields of `/proc/PID/stat` that matter here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) pid: u32,
    pub(crate) state: char,
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
        let group = fields.nth(1)?.parse().ok()?;
        Some(Self { pid, state, group })
    }

    /// Whether it runs, or could: one whose first thread has left while others go on reads as a zombie too.
    pub(crate) fn is_alive(self) -> bool {
        !matches!(self.state, 'Z' | 'X') || (self.state == 'Z' && threads(self.pid) > 1)
    }
}

fn threads(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count)
}

fn numbers(folder: impl AsRef<Path>) -> impl Iterator<Item = u32> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The processes of a group that are alive.
pub(crate) fn members(group: u32) -> Vec<u32> {
    let stats = numbers("/proc").filter_map(Stat::of);
    stats.filter(|stat| stat.group == group && stat.is_alive()).map(|stat| stat.pid).collect()
}

/// The children of this process, zombies too.
pub(crate) fn children() -> Vec<u32> {
    let lists = numbers("/proc/self/task")
        .filter_map(|thread| fs::read_to_string(format!("/proc/self/task/{thread}/children")).ok());
    lists
        .flat_map(|list| {
            list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>()
        })
        .collect()
}

/// Whether a process ignores a signal.
pub(crate) fn ignores(pid: impl std::fmt::Display, signal: Signal) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|set| u64::from_str_radix(set.trim(), 16).ok());
    ignored.is_some_and(|set| set & signal.bit() != 0)
}

/// Who listens on a TCP port of this machine: name and id, as far as they can be seen.
pub(crate) fn listener(port: u16) -> Option<(String, u32)> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(fs::read_to_string);
    let inodes = tables.iter().flatten().flat_map(|table| table.lines());
    let inodes: Vec<String> = inodes.filter_map(|line| listening_inode(line, port)).collect();
    let holds = |pid: &u32| {
        let links = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        let mut targets = links.filter_map(|link| fs::read_link(link.path()).ok());
        targets.any(|target| inodes.iter().any(|inode| target.to_str() == Some(inode)))
    };
    let pid = numbers("/proc").find(holds)?;
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    Some((name.trim_end().to_owned(), pid))
}

/// `sl local_address rem_address st … inode`, the port in hexadecimal, `0A` for a listener.
fn listening_inode(line: &str, port: u16) -> Option<String> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let (_, found) = fields.get(1)?.rsplit_once(':')?;
    let listens = *fields.get(3)? == "0A" && u16::from_str_radix(found, 16) == Ok(port);
    listens.then(|| format!("socket:[{}]", fields.get(9).unwrap_or(&"")))
}

#[cfg(test)]
mod tests {
    use super::Stat;

    #[test]
    fn a_name_with_parentheses_and_spaces_is_skipped() {
        let stat = Stat::parse("77 (a) b (c) S 1 76 75 0 -1").unwrap();
        assert_eq!(stat, Stat { pid: 77, state: 'S', group: 76 });
    }
}
