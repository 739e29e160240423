//! The processes of a fleet, and the log that they write into while they lead.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::log::{Entry, Log};

/// For a machine that is busy.
pub(crate) const LONG: Duration = Duration::from_secs(60);

pub(crate) struct Fleet {
    socket: PathBuf,
    pub(crate) log: Log,
    children: Vec<Child>,
    /// The waits after a fault, longest first.
    pub(crate) gaps: Vec<(&'static str, Duration)>,
}

impl Fleet {
    /// One whose log is at `socket`.
    pub(crate) fn new(socket: PathBuf) -> Self {
        let log = Log::at(&socket);
        Self {
            socket,
            log,
            children: Vec::new(),
            gaps: Vec::new(),
        }
    }

    /// Starts a replica: `program STORE LOG`.
    pub(crate) fn join(&mut self, program: &str, store: &str) {
        self.join_by(Command::new(program).arg(store));
    }

    /// Starts a replica by a command that lacks the log only.
    pub(crate) fn join_by(&mut self, command: &mut Command) {
        let child = command
            .arg(&self.socket)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        self.children.push(child);
    }

    /// Which of those that have joined has this id.
    #[allow(dead_code, reason = "not all who have a fleet ask")]
    pub(crate) fn place(&self, pid: u32) -> usize {
        self.children
            .iter()
            .position(|child| child.id() == pid)
            .expect("one of ours")
    }

    /// Waits until somebody has written with a greater fence than `fence`.
    pub(crate) fn leader_after(&self, fence: u64) -> Entry {
        let until = Instant::now() + LONG;
        while Instant::now() < until {
            if let Some(entry) = self.log.last().filter(|entry| entry.fence > fence) {
                return entry;
            }
            thread::sleep(Duration::from_millis(2));
        }
        panic!("nobody leads after {fence}: {:?}", self.log.last());
    }

    /// Does something to the leader and returns the next one.
    pub(crate) fn after(
        &mut self,
        what: &'static str,
        leader: Entry,
        fault: impl FnOnce(Pid),
    ) -> Entry {
        let pid = process(leader.pid);
        let began = Instant::now();
        fault(pid);
        let next = self.leader_after(leader.fence);
        self.gaps.push((what, began.elapsed()));
        next
    }

    /// Wakes a frozen process: what it writes in the moment after bears its old fence and is refused, and then it writes no more.
    /// Returns how often.
    pub(crate) fn wake(&self, frozen: Entry) -> usize {
        self.place(frozen.pid);
        let before = self.log.refused().len();
        kill_process(process(frozen.pid), Signal::CONT).unwrap();
        thread::sleep(Duration::from_millis(500));
        let late = self.log.refused().len() - before;
        thread::sleep(Duration::from_millis(500));
        assert!(late <= 10, "{late} writes after it was woken");
        assert_eq!(self.log.refused().len() - before, late, "it goes on");
        late
    }

    /// The last takeover took no longer than a failover may, and a second for a busy machine.
    #[allow(dead_code, reason = "not all who have a fleet ask")]
    #[track_caller]
    pub(crate) fn assert_taken_within(&self, most: Duration) {
        let (what, took) = self.gaps.last().expect("somebody has taken over");
        assert!(*took <= most + Duration::from_secs(1), "{what}: {took:?}");
    }
}

pub(crate) fn process(pid: u32) -> Pid {
    i32::try_from(pid)
        .ok()
        .and_then(Pid::from_raw)
        .expect("the id of a process")
}

impl Drop for Fleet {
    fn drop(&mut self) {
        for child in &mut self.children {
            child.kill().ok();
            child.wait().ok();
        }
        eprintln!("{:?}", self.gaps);
    }
}
