//! The processes of a fleet, and the journal that they write into while they lead.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// For a machine that is busy.
pub(crate) const LONG: Duration = Duration::from_secs(60);

pub(crate) struct Fleet {
    journal: PathBuf,
    children: Vec<Child>,
    /// What is awaited here after a fault, longest first.
    pub(crate) gaps: Vec<(&'static str, Duration)>,
}

/// One write: the fence, and the process that wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Write {
    pub(crate) fence: u64,
    pub(crate) pid: u32,
}

impl Fleet {
    pub(crate) fn new(journal: PathBuf) -> Self {
        Self { journal, children: Vec::new(), gaps: Vec::new() }
    }

    /// Starts a replica: `program STORE JOURNAL`.
    pub(crate) fn join(&mut self, program: &str, store: &str) {
        let child = Command::new(program)
            .arg(store)
            .arg(&self.journal)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        self.children.push(child);
    }

    pub(crate) fn writes(&self) -> Vec<Write> {
        let text = fs::read_to_string(&self.journal).unwrap_or_default();
        let parse = |line: &str| {
            let (fence, pid) = line.split_once(' ')?;
            Some(Write { fence: fence.parse().ok()?, pid: pid.parse().ok()? })
        };
        text.lines().filter_map(parse).collect()
    }

    /// Waits until somebody has written with a greater fence than `fence`.
    pub(crate) fn leader_after(&self, fence: u64) -> Write {
        let until = Instant::now() + LONG;
        while Instant::now() < until {
            if let Some(write) = self.writes().last().filter(|write| write.fence > fence) {
                return *write;
            }
            thread::sleep(Duration::from_millis(2));
        }
        panic!("nobody leads after {fence}: {:?}", self.writes().last());
    }

    /// Does something to the leader and returns the next one.
    pub(crate) fn after(
        &mut self,
        what: &'static str,
        leader: Write,
        fault: impl FnOnce(Pid),
    ) -> Write {
        let pid = process(leader.pid);
        let began = Instant::now();
        fault(pid);
        let next = self.leader_after(leader.fence);
        self.gaps.push((what, began.elapsed()));
        next
    }

    /// Wakes a frozen process: it may write for a moment with its old fence, and then no more. Returns how often.
    pub(crate) fn wake(&self, frozen: Write) -> usize {
        let known = self.children.iter().any(|child| child.id() == frozen.pid);
        assert!(known, "{frozen:?} is none of ours");
        kill_process(process(frozen.pid), Signal::CONT).unwrap();
        thread::sleep(Duration::from_millis(500));
        let late = self.late();
        thread::sleep(Duration::from_millis(500));
        assert!(late <= 10, "{late} writes after it was woken");
        assert_eq!(self.late(), late, "it goes on");
        late
    }

    /// How many writes came after one with a greater fence: a frozen process that wakes may write for a moment.
    pub(crate) fn late(&self) -> usize {
        let mut greatest = 0;
        let late = |write: &Write| {
            greatest = greatest.max(write.fence);
            write.fence < greatest
        };
        self.writes().into_iter().filter(late).count()
    }

    /// Each fence is of one process.
    pub(crate) fn assert_one_process_a_fence(&self) {
        let mut writes = self.writes();
        writes.sort_by_key(|write| (write.fence, write.pid));
        writes.dedup();
        let twice = writes.windows(2).find(|pair| pair[0].fence == pair[1].fence);
        assert!(twice.is_none(), "{twice:?}");
    }
}

fn process(pid: u32) -> Pid {
    i32::try_from(pid).ok().and_then(Pid::from_raw).expect("the id of a process")
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
