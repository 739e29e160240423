//! A program that is pid 1, of a pid namespace of the test's own.

use std::fs;
#[cfg(feature = "sockets")]
use std::io::{BufRead, BufReader, Read};
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

/// As podman hands them over to a container, and systemd to a unit with a pid namespace of its own.
#[cfg(feature = "sockets")]
#[test]
fn sockets_that_are_handed_over_to_pid_1_are_those_of_its_program() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let variables = "LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=http";
    let program = env!("CARGO_BIN_EXE_startstop-host-sockets");
    let script = format!("exec env {variables} {program} 3<&0 </dev/null");
    let mut child = Command::new("unshare")
        .args(["--pid", "--fork", "--mount-proc", "--kill-child"])
        .args(["sh", "-c", &script])
        .stdin(Stdio::from(std::os::fd::OwnedFd::from(listener)))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let told: Vec<_> = lines
        .map(Result::unwrap)
        .inspect(|line| {
            if line == "listening" {
                let mut text = String::new();
                let mut client = std::net::TcpStream::connect(addr).unwrap();
                client.read_to_string(&mut text).unwrap();
                assert_eq!(text, "hello");
            }
        })
        .collect();
    assert!(child.wait().unwrap().success());
    for line in [
        "http: true",
        "inherited: false",
        "of pid 1: false",
        "listening",
    ] {
        assert!(told.iter().any(|said| said == line), "{line}: {told:?}");
    }
}
