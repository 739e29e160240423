//! A thousand restarts leave nothing. In a process of its own, where nothing else is counted.
#![cfg(target_os = "linux")]

#[allow(dead_code)] // Shared with the other test binary.
mod support;

use std::fs;

use startstop_core::Runner;
use startstop_process::{Output, Process, Ready};

use support::{Folder, runner, sh};

/// The open descriptors, threads and children of this process.
#[derive(Debug)]
struct Counts {
    descriptors: usize,
    threads: usize,
    /// Zombies too.
    children: Vec<String>,
}

fn counts() -> Counts {
    let entries = |folder| fs::read_dir(folder).unwrap().count();
    let threads = fs::read_dir("/proc/self/task").unwrap().flatten();
    let children =
        threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    let children = children.collect::<Vec<_>>().concat();
    Counts {
        descriptors: entries("/proc/self/fd"),
        threads: entries("/proc/self/task"),
        children: children.split_whitespace().map(str::to_owned).collect(),
    }
}

/// In kilobytes: what only this process has.
fn memory() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// The thread of its lines ends a moment after the attempt.
async fn settled(before: &Counts) {
    let mut now = counts();
    for _ in 0..1000 {
        let grown = now.descriptors > before.descriptors || now.threads > before.threads;
        if !grown && now.children.is_empty() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        now = counts();
    }
    panic!("{before:?} has become {now:?}");
}

async fn restart(runner: &Runner<Process>, times: usize) {
    for _ in 0..times {
        runner.restart().await.unwrap();
    }
    runner.stop().await.unwrap();
}

#[tokio::test]
async fn a_thousand_restarts_leave_no_process_no_descriptor_no_thread_and_no_growth() {
    let folder = Folder::new("restarts");
    let script = format!(
        "echo $$ >>{}; echo up; sleep 1000 & exec sleep 1000",
        folder.path("pids")
    );
    let child = sh(&script)
        .ready(Ready::line("up"))
        .output(Output::lines(drop));
    let runner = runner(child);
    // Warm up first: everything that is made once exists after that.
    restart(&runner, 50).await;
    let (before, memory_before) = (counts(), memory());
    restart(&runner, 1000).await;
    settled(&before).await;
    assert_eq!(before.children, [""; 0]);
    let grown = memory().saturating_sub(memory_before);
    assert!(grown < 1024, "{grown} kB more");
    let pids = fs::read_to_string(folder.path("pids")).unwrap();
    assert_eq!(pids.lines().count(), 1050);
    let members = fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| {
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            // Zombies here belong to the init process, which has not reaped them yet; ours were checked above.
            let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
            let is_of_a_child = fields[0] != "Z" && pids.lines().any(|pid| pid == fields[2]);
            is_of_a_child.then_some(stat)
        });
    assert_eq!(members.collect::<Vec<_>>(), [""; 0]);
}
