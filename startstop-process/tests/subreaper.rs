//! Orphans end with the subreaper, and strangers' children are left alone.
#![cfg(target_os = "linux")]

#[allow(dead_code)] // Shared with the other test binary.
mod support;

use startstop_process::Subreaper;

use support::{Folder, is_alive, is_there, runner, sh};

// One test, since there is one subreaper for the whole process.
#[tokio::test]
async fn orphans_end_with_it_and_children_of_others_are_left_alone() {
    let folder = Folder::new("orphans");
    let reaper = Subreaper::install().unwrap();
    let mut other = tokio::process::Command::new("sleep")
        .arg("1000")
        .spawn()
        .unwrap();
    let mut early = tokio::process::Command::new("true").spawn().unwrap();
    let script = format!(
        "setsid sh -c 'echo $$ >{left}; exec sleep 1000' & (sleep 0.01 & echo $! >{dead}; exit) & exec sleep 1000",
        left = folder.path("left"),
        dead = folder.path("dead"),
    );
    let runner = runner(sh(&script));
    runner.start().await.unwrap();
    let (left, dead) = (folder.read("left").await, folder.read("dead").await);
    while is_there(&dead) {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    runner.stop().await.unwrap();
    assert!(is_alive(&left));
    drop(reaper);
    assert!(!is_there(&left));
    assert!(
        early.wait().await.unwrap().success(),
        "somebody has taken it"
    );
    assert!(other.try_wait().unwrap().is_none());
    other.kill().await.unwrap();
}
