//! What does not end in time ends with its process, whatever it blocks.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

fn child(case: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_startstop-fleet-overrun"))
        .arg(case)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped()) // and never read
        .spawn()
        .unwrap()
}

fn ended(mut child: Child) -> Option<ExitStatus> {
    let until = Instant::now() + Duration::from_secs(60);
    while Instant::now() < until {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    None
}

#[track_caller]
fn assert_exits(case: &str) {
    let status = ended(child(case)).unwrap_or_else(|| panic!("{case}: still there"));
    assert!(!status.success(), "{case}: {status}");
}

#[test]
fn a_service_that_ignores_its_stop_ends_with_its_process() {
    assert_exits("deaf");
}

#[test]
fn a_service_that_blocks_the_only_thread_ends_with_its_process() {
    assert_exits("blocks");
}

#[test]
fn a_service_whose_destructor_hangs_ends_with_its_process() {
    assert_exits("destructor");
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
    for case in ["sound", "report", "dropped-and-ended"] {
        let status = ended(child(case)).unwrap_or_else(|| panic!("{case}: still there"));
        assert!(status.success(), "{case}: {status}");
    }
}

/// It exits, or its service is stopped and it leads anew: in no case does the old term seem valid.
#[cfg(target_os = "linux")]
#[test]
fn a_process_that_was_frozen_beyond_its_lease_does_not_go_on() {
    use rustix::process::{Pid, Signal, kill_process};

    let mut child = child("frozen");
    let pid = Pid::from_child(&child);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert_eq!(lines.by_ref().find(|line| line.starts_with('1')), Some("1 valid".to_owned()));
    kill_process(pid, Signal::STOP).unwrap();
    thread::sleep(Duration::from_millis(2500));
    let (send, after) = mpsc::channel();
    let reader = thread::spawn(move || {
        for line in lines {
            send.send(line).ok();
        }
    });
    // What was written before the freeze.
    while after.recv_timeout(Duration::from_millis(500)).is_ok() {}
    kill_process(pid, Signal::CONT).unwrap();
    let old: Vec<String> = after.iter().take_while(|line| line.starts_with('1')).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap();
    // One may have asked before the freeze, and written after it.
    assert!(old.iter().filter(|line| *line == "1 valid").count() <= 1, "{old:?}");
}
