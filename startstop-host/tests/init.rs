//! A program that is pid 1, of a pid namespace of the test's own.

use std::fs;
use std::process::{Command, Output, Stdio};

use crate::free_port::free_port;

/// Runs the program as pid 1; what it prints.
fn as_pid_1(args: &[&str]) -> Output {
    Command::new("unshare")
        .args(["--pid", "--fork", "--mount-proc", "--kill-child"])
        .arg(env!("CARGO_BIN_EXE_startstop-host-pid1"))
        .args(args)
        .stderr(Stdio::inherit())
        .output()
        .unwrap()
}

#[test]
fn orphans_are_reaped_and_no_child_that_is_waited_for_is_taken_however_late() {
    let file = std::env::temp_dir().join(format!("startstop-pid1-{}", std::process::id()));
    let addr = format!("127.0.0.1:{}", free_port());
    let output = as_pid_1(&[&addr, file.to_str().unwrap()]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said, "2 dead, then (Some(0), Some(7))\n");
    assert_eq!(output.status.code(), Some(0));
    let told = fs::read_to_string(&file);
    fs::remove_file(file).unwrap();
    assert_eq!(
        told.unwrap(),
        "told\n",
        "what is left when the program ends gets a moment"
    );
}
