//! Children of a process that can open no file any more. In a process of its own, whose limit is lowered.
#![cfg(target_os = "linux")]

#[allow(dead_code)] // Shared with the other test binary.
mod support;

use std::fs::File;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use startstop_core::{Exit, Runner, Settings, State};
use startstop_process::{Process, Ready};

use support::{Folder, errors, is_alive, python, runner, sh};

/// All files that can be opened.
fn exhaust() -> Vec<File> {
    std::iter::from_fn(|| File::open("/dev/null").ok()).collect()
}

async fn detail_after(runner: &Runner<Process>, before: Option<&str>) -> String {
    loop {
        let detail = runner.status().detail().map(str::to_owned);
        if let Some(new) = detail.filter(|detail| Some(detail.as_str()) != before) {
            return new;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A child goes on, and what it says is heard.
async fn a_child_speaks() {
    let script = "import itertools, os, socket, time\n\
                  s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n\
                  s.connect(os.environ['NOTIFY_SOCKET'])\n\
                  s.send(b'READY=1')\n\
                  for n in itertools.count(): s.send(b'STATUS=%d' % n); time.sleep(0.05)";
    let runner = runner(python(script).ready(Ready::notify()));
    runner.start().await.unwrap();
    let held = exhaust();
    let mut detail = None;
    for _ in 0..5 {
        detail = Some(detail_after(&runner, detail.as_deref()).await);
    }
    assert_eq!((runner.state(), errors(&runner).len()), (State::Running, 0));
    drop(held);
    runner.stop().await.unwrap();
}

/// A leader and one who ignores the signal, whose id is in the file `pid`.
fn with_a_deaf_one(folder: &Folder, then: &str) -> Process {
    let script = format!(
        "(trap '' TERM; exec sleep 1000) & echo $! >{}; {then}",
        folder.path("pid")
    );
    sh(&script).settings(Settings::new().stop_timeout(Duration::from_secs(2)))
}

/// Nobody is taken for gone because nobody can be seen.
async fn a_group_is_stopped() {
    let folder = Folder::new("exhausted-stop");
    let runner = Runner::new(with_a_deaf_one(&folder, "exec sleep 1000"));
    runner.start().await.unwrap();
    let deaf = folder.read("pid").await;
    let held = exhaust();
    runner.stop().await.unwrap();
    drop(held);
    assert!(!is_alive(&deaf));
}

async fn a_leader_leaves() {
    let folder = Folder::new("exhausted-end");
    let wait = format!("while [ ! -e {} ]; do sleep 0.01; done", folder.path("go"));
    let runner = Runner::new(with_a_deaf_one(&folder, &wait));
    runner.start().await.unwrap();
    let deaf = folder.read("pid").await;
    let mut held = exhaust();
    held.pop();
    std::fs::write(folder.path("go"), "").unwrap();
    held.extend(exhaust());
    assert_eq!(runner.wait().await, Exit::Completed);
    drop(held);
    assert!(!is_alive(&deaf));
}

// One test, since the limit is that of the whole process.
#[tokio::test]
async fn a_process_without_descriptors_loses_no_child() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(
        Resource::Nofile,
        Rlimit {
            current: Some(64),
            ..limit
        },
    )
    .unwrap();
    a_child_speaks().await;
    a_group_is_stopped().await;
    a_leader_leaves().await;
}
