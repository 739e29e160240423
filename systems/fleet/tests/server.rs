//! A server as a child process, in a folder of its own.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::fleet::Fleet;
use crate::program::TIMING;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_replica");

/// A folder that is deleted with it.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let name = format!("startstop-systems-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

/// A server that is killed with it.
pub(crate) struct Server(Child);

impl Server {
    pub(crate) fn start(command: &mut Command) -> Self {
        let command = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Self(command.spawn().unwrap())
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
    }

    /// Freezes it with its children, which are processes of their own, until the guard is dropped.
    pub(crate) fn freeze_all(&self) -> Frozen {
        self.signal(Signal::STOP);
        let children = Command::new("ps")
            .args(["-o", "pid=", "--ppid", &self.0.id().to_string()])
            .output()
            .unwrap();
        let children = String::from_utf8(children.stdout).unwrap();
        let pids = children.split_whitespace().map(|pid| pid.parse().unwrap());
        let mut pids: Vec<Pid> = pids.filter_map(Pid::from_raw).collect();
        pids.push(Pid::from_child(&self.0));
        for pid in &pids {
            kill_process(*pid, Signal::STOP).ok();
        }
        Frozen(pids)
    }

    pub(crate) fn stop(&mut self, signal: Signal) {
        self.signal(signal);
        self.0.wait().unwrap();
    }
}

/// Processes that are frozen until it is dropped.
pub(crate) struct Frozen(Vec<Pid>);

impl Drop for Frozen {
    fn drop(&mut self) {
        for pid in &self.0 {
            kill_process(*pid, Signal::CONT).ok();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Of three replicas one takes over from the next: the leader is stopped, and a new one joins; it is frozen and woken; it is
/// killed.
pub(crate) fn take_over(mut fleet: Fleet, store: &str) {
    let first = fleet.leader_after(0);
    let second = fleet.after("stopped", first, |pid| {
        kill_process(pid, Signal::TERM).unwrap()
    });
    fleet.assert_taken_within(Duration::ZERO); // in a second
    fleet.join(PROGRAM, store);
    let third = fleet.after("frozen", second, |pid| {
        kill_process(pid, Signal::STOP).unwrap()
    });
    fleet.assert_taken_within(TIMING.failover() + ROUNDED);
    assert_eq!(fleet.log.refused().len(), 0);
    fleet.wake(second);
    fleet.after("killed", third, |pid| {
        kill_process(pid, Signal::KILL).unwrap()
    });
    fleet.assert_taken_within(TIMING.failover() + ROUNDED);
    fleet.log.assert_sound();
}

/// Some stores have leases of whole seconds, and look for those that are over each half of one.
const ROUNDED: Duration = Duration::from_secs(1);

/// Waits until something is so.
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < until, "not in a minute: {what}");
        thread::sleep(Duration::from_millis(50));
    }
}
