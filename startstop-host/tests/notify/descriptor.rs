//! The descriptor of s6, which gets one line.

use std::io::{Read, Write};
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::time::Instant;

use super::{Folder, LIMIT, Manager, Program, program};

/// A shell gives the descriptor 3, as s6 does.
fn with_descriptor(mode: &str, variables: &[(&str, &str)]) -> Program {
    let mut shell = Command::new("sh");
    // Descriptor 3 is the stdout of the shell; the stdout of the program goes nowhere.
    shell.args(["-c", "exec \"$0\" \"$1\" 3>&1 >/dev/null"]);
    shell
        .arg(env!("CARGO_BIN_EXE_startstop-host-told"))
        .arg(mode);
    shell
        .env_remove("NOTIFY_SOCKET")
        .envs(variables.iter().copied());
    Program(
        shell
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap(),
    )
}

#[test]
fn a_descriptor_gets_one_line_when_the_program_is_ready() {
    for (mode, variables) in [
        ("fd", [("A", "b")]),
        ("app", [("STARTSTOP_NOTIFY_FD", "3")]),
    ] {
        let mut program = with_descriptor(mode, &variables);
        program.0.stdin.take().unwrap().write_all(b"\n").unwrap();
        let mut told = program.0.stdout.take().unwrap();
        let mut line = [0; 8];
        assert_eq!((told.read(&mut line).unwrap(), line[0]), (1, b'\n'));
        assert!(
            Command::new("kill")
                .arg(program.0.id().to_string())
                .status()
                .unwrap()
                .success()
        );
        assert_eq!(program.0.wait().unwrap().code(), Some(0));
        let mut rest = Vec::new();
        told.read_to_end(&mut rest).unwrap();
        assert_eq!(rest, b"", "one line");
    }
}

#[test]
fn a_descriptor_that_nobody_reads_from_hinders_nobody() {
    let folder = Folder::new();
    let path = folder.0.join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    let mut shell = Command::new("sh");
    // A pipe holds so much, and not a byte more.
    shell.args([
        "-c",
        "head -c 65536 /dev/zero; exec \"$0\" app 3>&1 >/dev/null",
    ]);
    shell.arg(env!("CARGO_BIN_EXE_startstop-host-told"));
    // The socket tells that it is ready.
    shell
        .env("NOTIFY_SOCKET", path)
        .env("STARTSTOP_NOTIFY_FD", "3");
    let mut told = Manager::of(
        socket,
        shell
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped()),
        folder,
    );
    told.go_on();
    told.hear_of("READY=1");
    told.signal("-TERM");
    let begin = Instant::now();
    while told.program.0.try_wait().unwrap().is_none() && begin.elapsed() < LIMIT {
        std::thread::yield_now();
    }
    assert_eq!(
        told.program
            .0
            .try_wait()
            .unwrap()
            .and_then(|end| end.code()),
        Some(0)
    );
}

#[test]
fn a_descriptor_that_is_not_there_is_an_error_at_the_start() {
    for number in ["77", "-1", "three"] {
        let output = program("app")
            .env("STARTSTOP_NOTIFY_FD", number)
            .output()
            .unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{number}");
        assert!(told.contains(number), "{told}");
    }
}

/// Where a shell has opened a log for it.
#[test]
fn a_descriptor_that_is_a_file_keeps_what_is_in_it() {
    let folder = Folder::new();
    let path = folder.0.join("log");
    std::fs::write(&path, "line\n").unwrap();
    let mut shell = Command::new("sh");
    shell.args(["-c", "exec \"$0\" fd 3>>\"$1\""]);
    shell
        .arg(env!("CARGO_BIN_EXE_startstop-host-told"))
        .arg(&path)
        .env_remove("NOTIFY_SOCKET");
    let shell = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut program = Program(shell.unwrap());
    program.0.stdin.take().unwrap().write_all(b"\n").unwrap();
    let begin = Instant::now();
    while std::fs::read_to_string(&path).unwrap() != "line\n\n" {
        assert!(begin.elapsed() < LIMIT);
        std::thread::yield_now();
    }
}
