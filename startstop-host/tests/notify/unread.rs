//! Programs whose stderr is a pipe that is full and that nobody reads from.

use std::io::{ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

use super::{Program, program};

/// Two ends, of which one takes nothing more.
fn full() -> (UnixStream, UnixStream) {
    let (unread, mut full) = UnixStream::pair().unwrap();
    full.set_nonblocking(true).unwrap();
    for bytes in [&[b'x'; 4096][..], b"x"] {
        let refused = std::iter::repeat_with(|| full.write(bytes)).find_map(Result::err);
        assert_eq!(refused.unwrap().kind(), ErrorKind::WouldBlock);
    }
    full.set_nonblocking(false).unwrap();
    (unread, full)
}

#[test]
fn a_stderr_that_nobody_reads_holds_up_neither_a_start_nor_an_end() {
    let gone = ("NOTIFY_SOCKET", "/nonexistent/notify");
    for (mode, variable) in [
        ("stays ready", gone),
        ("stays ready", ("STARTSTOP_GRACE", "3")),
        ("stays ready", ("STARTSTOP_GRACE", "soon")),
    ] {
        let (_unread, full) = full();
        let mut command = program(mode);
        command
            .env(variable.0, variable.1)
            .stdout(Stdio::piped())
            .stderr(Stdio::from(OwnedFd::from(full)));
        let mut program = Program(command.spawn().unwrap());
        let mut stdout = program.0.stdout.take().unwrap();
        stdout.read_exact(&mut [0; "ready".len()]).unwrap();
        let pid = program.0.id().to_string();
        assert!(Command::new("kill").arg(pid).status().unwrap().success());
        assert_eq!(program.0.wait().unwrap().code(), Some(0), "{variable:?}");
    }
}

#[test]
fn a_program_that_cannot_begin_ends_although_nobody_reads_why() {
    let (_unread, full) = full();
    let mut command = program("app");
    command
        .env("NOTIFY_SOCKET", "vsock:2:1234")
        .stderr(Stdio::from(OwnedFd::from(full)));
    let mut program = Program(command.spawn().unwrap());
    assert_eq!(program.0.wait().unwrap().code(), Some(1));
}

/// The manager is to be told why the start has failed.
#[test]
fn the_text_of_an_error_that_blocks_does_not_keep_a_program() {
    let gone = ("NOTIFY_SOCKET", "/nonexistent/notify");
    let mut program = Program(program("mute").env(gone.0, gone.1).spawn().unwrap());
    assert_eq!(program.0.wait().unwrap().code(), Some(1));
}
