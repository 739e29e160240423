//! The program `startstop-run` as pid 1, in a pid namespace of its own.

use std::fs;
use std::process::{Command, ExitStatus};

use crate::support::Folder;

/// Runs a process of this script; the end of the program.
fn as_pid_1(folder: &Folder, script: &str) -> ExitStatus {
    let path = folder.path("app.toml");
    fs::write(&path, format!("[process.a]\ncommand = \"{script}\"\n")).unwrap();
    let program = env!("CARGO_BIN_EXE_startstop-run");
    let mut unshare = Command::new("unshare");
    unshare.args(["--pid", "--fork", "--mount-proc", program, &path]);
    unshare.status().unwrap()
}

#[test]
fn as_pid_1_it_reaps_orphans_and_forwards_signals() {
    let folder = Folder::new("pid1");
    let (orphan, reaped) = (folder.path("orphan"), folder.path("reaped"));
    // A zombie is there until it is reaped; half a minute is long enough for that.
    let script = format!(
        "setsid sh -c 'sleep 0.1 & echo $! >{orphan}' & until [ -s {orphan} ]; do sleep 0.01; done; \
         n=0; while [ -e /proc/$(cat {orphan}) -a $n -lt 1500 ]; do n=$((n+1)); sleep 0.02; done; \
         [ -e /proc/$(cat {orphan}) ] || touch {reaped}; kill -TERM 1; exec sleep 1000"
    );
    assert_eq!(as_pid_1(&folder, &script).code(), Some(0));
    assert!(fs::exists(reaped).unwrap());
}

#[test]
fn as_pid_1_it_wakes_a_program_that_is_stopped_to_be_told_to_end() {
    let folder = Folder::new("pid1-stopped");
    // The parent of the process is what pid 1 runs.
    let stopped =
        "kill -STOP $PPID; until grep -q '^State:.T' /proc/$PPID/status; do sleep 0.02; done";
    let script = format!("{stopped}; kill -TERM 1; exec sleep 1000");
    assert_eq!(as_pid_1(&folder, &script).code(), Some(0));
}
