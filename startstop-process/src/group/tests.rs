//! A group whose leader is traced by another process.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, kill_process};

use super::ProcessGroup;
use crate::signal::Signal;

/// Begins another process that traces it, says its id, and never looks after it.
const TRACED: &str = "import ctypes, os, time\n\
    libc, traced = ctypes.CDLL(None), os.getpid()\n\
    libc.prctl(0x59616d61, ctypes.c_ulong(-1), 0, 0, 0)\n\
    if os.fork() == 0:\n\
    \x20   os.setsid()\n\
    \x20   failed = libc.ptrace(0x4206, traced, None, None)\n\
    \x20   print(0 if failed else os.getpid(), flush=True)\n\
    time.sleep(30)";

/// Returns how long this thread has had a processor.
fn used() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}

#[tokio::test]
async fn a_dead_child_whose_tracer_does_not_look_is_waited_for_without_a_processor() {
    let mut python = Command::new("python3");
    python
        .args(["-c", TRACED])
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = python.spawn().unwrap();
    let mut group = ProcessGroup::of(&mut child).unwrap();
    let (mut said, stdout) = (String::new(), child.stdout.take().unwrap());
    BufReader::new(stdout).read_line(&mut said).unwrap();
    let tracer = Pid::from_raw(said.trim().parse().unwrap()).expect("it may be traced");
    group.signal_leader(Signal::KILL);
    poll(&mut [PollFd::new(&group.pidfd, PollFlags::IN)], None).unwrap();
    let before = used();
    group.wait_blocking(Duration::from_millis(500));
    let used = used().saturating_sub(before);
    assert!(used < Duration::from_millis(150), "{used:?}");
    assert!(!group.reaped);
    kill_process(tracer, Signal::KILL.raw().unwrap()).unwrap();
    assert!(group.ended().await.is_ok());
    group.reap();
}
