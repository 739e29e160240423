//! Services that do not end in time: they end with their process, whatever they block.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use rustix::time::{ClockId, clock_gettime};

use crate::support::QUICK;

fn child(case: &str, runtime: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_startstop-fleet-overrun"))
        .args([case, runtime])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped()) // and never read
        .spawn()
        .unwrap()
}

/// How it has ended, and when.
fn ended(mut child: Child) -> Option<(ExitStatus, u128)> {
    let (send, ended) = mpsc::channel();
    let pid = Pid::from_child(&child);
    thread::spawn(move || {
        let status = child.wait().unwrap();
        send.send((status, now())).ok();
    });
    let ended = ended.recv_timeout(Duration::from_secs(60)).ok();
    if ended.is_none() {
        kill_process(pid, Signal::KILL).ok();
    }
    ended
}

/// The clock that terms are measured by, in nanoseconds.
fn now() -> u128 {
    let now = clock_gettime(ClockId::Boottime);
    let seconds = u64::try_from(now.tv_sec).unwrap();
    Duration::new(seconds, u32::try_from(now.tv_nsec).unwrap()).as_nanos()
}

/// On the thread that polls, and on a runtime with one worker.
#[track_caller]
fn assert_exits(case: &str) {
    let children = ["current", "one"].map(|runtime| {
        let mut child = child(case, runtime);
        let mut lines = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .map(Result::unwrap);
        let over = lines.find_map(|line| line.strip_prefix("over ")?.parse::<u128>().ok());
        (
            runtime,
            child,
            over.unwrap_or_else(|| panic!("{case}: its lease")),
            lines,
        )
    });
    for (runtime, child, over, mut lines) in children {
        let (status, at) =
            ended(child).unwrap_or_else(|| panic!("{case} on {runtime}: still there"));
        assert!(!status.success(), "{case} on {runtime}: {status}");
        let late = at.saturating_sub(over) / 1_000_000;
        assert!(
            at <= over,
            "{case} on {runtime}: {late} ms after its lease was over"
        );
        // What stands for the destructors, as for those that kill children.
        assert!(
            lines.any(|line| line == "left"),
            "{case} on {runtime}: not left"
        );
    }
}

#[test]
fn a_service_that_ignores_its_stop_ends_with_its_process() {
    assert_exits("deaf");
}

/// The store is there, and the lease is renewed until the service is given up on.
#[test]
fn a_service_that_does_not_end_ends_with_its_process_when_its_leader_resigns_or_stops() {
    assert_exits("resigns");
    assert_exits("stops");
}

#[test]
fn a_service_that_blocks_the_only_thread_ends_with_its_process() {
    assert_exits("blocks");
}

#[test]
fn a_service_whose_destructor_hangs_ends_with_its_process() {
    assert_exits("destructor");
}

/// Children are killed then, for example.
#[test]
fn what_stands_for_the_destructors_has_what_is_left_of_the_term() {
    assert_exits("leaves");
}

#[test]
fn a_full_stderr_does_not_hold_it_up() {
    assert_exits("stderr");
}

#[test]
fn another_thread_inside_exit_does_not_hold_it_up() {
    assert_exits("exit");
}

#[test]
fn the_guard_stays_when_the_leader_is_dropped() {
    assert_exits("dropped");
}

#[test]
fn a_process_goes_on_if_its_service_ends_in_time_or_if_it_only_reports() {
    let cases = ["sound", "report", "tight", "dropped-and-ended"];
    for (case, child) in cases.map(|case| (case, child(case, "current"))) {
        let (status, _) = ended(child).unwrap_or_else(|| panic!("{case}: still there"));
        assert!(status.success(), "{case}: {status}");
    }
}

/// It exits, or its service is stopped and it leads anew: in no case does the old term seem valid.
#[cfg(target_os = "linux")]
#[test]
fn a_process_that_was_frozen_beyond_its_lease_does_not_go_on() {
    let mut child = child("frozen", "current");
    let pid = Pid::from_child(&child);
    let mut lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap);
    assert_eq!(
        lines.by_ref().find(|line| line.starts_with('1')),
        Some("1 valid".to_owned())
    );
    kill_process(pid, Signal::STOP).unwrap();
    thread::sleep(QUICK.lease + Duration::from_millis(500));
    let (send, after) = mpsc::channel();
    let reader = thread::spawn(move || {
        for line in lines {
            send.send(line).ok();
        }
    });
    // Skip what was written before the freeze.
    while after.recv_timeout(Duration::from_millis(500)).is_ok() {}
    kill_process(pid, Signal::CONT).unwrap();
    let old: Vec<String> = after
        .iter()
        .take_while(|line| line.starts_with('1'))
        .collect();
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap();
    // One write may have been checked before the freeze and done after it.
    assert!(
        old.iter().filter(|line| *line == "1 valid").count() <= 1,
        "{old:?}"
    );
}
