//! Ids that are given to another process: in a pid namespace, where it can be said which one is given next.

use std::fs;
use std::process::{Child, Command};
use std::time::Duration;

use startstop_core::{Exit, Runner, Settings};
use startstop_process::{Ready, Subreaper};

use crate::support::{Folder, is_alive, sh};

const WITHIN: &str = "STARTSTOP_TEST_WITHIN";

#[test]
fn no_signal_ever_reaches_a_process_that_was_given_the_id_of_a_child() {
    if std::env::var_os(WITHIN).is_some() {
        return tokio::runtime::Runtime::new().unwrap().block_on(within());
    }
    let name = "reuse::no_signal_ever_reaches_a_process_that_was_given_the_id_of_a_child";
    let status = Command::new("unshare")
        .args(["--pid", "--fork", "--mount-proc", "--kill-child"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(WITHIN, "1")
        .status()
        .unwrap();
    assert!(status.success(), "{status}");
}

/// A process that has nothing to do with any of this, with the id that is free next behind `wanted`.
fn stranger(wanted: &str) -> Child {
    let last = wanted.parse::<u32>().unwrap() - 1;
    fs::write("/proc/sys/kernel/ns_last_pid", last.to_string()).unwrap();
    Command::new("sleep").arg("1000").spawn().unwrap()
}

/// The same with this very id. A thread may have taken it before.
fn stranger_with(wanted: &str) -> Child {
    for _ in 0..1000 {
        let mut child = stranger(wanted);
        if child.id().to_string() == wanted {
            return child;
        }
        end(&mut child);
    }
    panic!("{wanted} is not given again");
}

fn end(child: &mut Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

async fn within() {
    let folder = Folder::new("reuse");
    let reaper = Subreaper::install().unwrap();
    // The leader ends first; the rest of the group ignores the signal, and one process has left the group.
    let script = format!(
        "trap '' TERM; sleep 1000 & echo $! >{rest}; setsid sh -c 'echo $$ >{left}; exec sleep 1000' & \
         echo $$ >{leader}; trap 'exit 0' TERM; echo up; while :; do sleep 0.01; done",
        left = folder.path("left"),
        rest = folder.path("rest"),
        leader = folder.path("leader"),
    );
    let settings = Settings::new().stop_timeout(Duration::from_secs(5));
    let runner = Runner::with_settings(sh(&script).ready(Ready::line("up")), settings);
    runner.start().await.unwrap();
    let (leader, left) = (folder.read("leader").await, folder.read("left").await);
    let rest = folder.read("rest").await;
    let stop = tokio::spawn({
        let runner = runner.clone();
        async move { runner.stop().await }
    });
    while is_alive(&leader) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // The id is in use until the group is empty, so no new process may get it.
    let mut tries = 0;
    let mut as_leader = loop {
        let mut other = stranger(&leader);
        if other.id().to_string() == leader {
            break other;
        }
        end(&mut other);
        tries += 1;
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    assert!(tries > 0 && !is_alive(&rest), "{tries}");
    stop.await.unwrap().unwrap();
    assert_eq!(runner.wait().await, Exit::Stopped);

    Command::new("kill")
        .args(["-KILL", &left])
        .status()
        .unwrap();
    while fs::exists(format!("/proc/{left}")).unwrap() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let mut as_orphan = stranger_with(&left);
    runner.restart().await.unwrap();
    runner.stop_within(Duration::ZERO).await.unwrap();
    drop(runner);
    drop(reaper);
    for stranger in [&mut as_leader, &mut as_orphan] {
        assert!(
            stranger.try_wait().unwrap().is_none(),
            "{} was signalled",
            stranger.id()
        );
        end(stranger);
    }
}
