//! Programs of which more is to be told than at their start.

use std::io::{ErrorKind, Read};
use std::os::unix::net::UnixDatagram;
use std::process::Stdio;

use super::{Folder, Manager, program};

/// Waits until the program says that it is over.
fn is_over(manager: &mut Manager) {
    let stdout = manager.program.0.stdout.as_mut().unwrap();
    stdout.read_exact(&mut [0; 5]).unwrap();
}

#[test]
fn whatever_happens_while_the_manager_is_busy_it_hears_that_the_program_is_ready() {
    let folder = Folder::new();
    let path = folder.0.join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    let other = UnixDatagram::unbound().unwrap();
    other.set_nonblocking(true).unwrap();
    let full = std::iter::repeat_with(|| other.send_to(b"X_FULL=1", &path))
        .find_map(Result::err)
        .unwrap();
    assert_eq!(full.kind(), ErrorKind::WouldBlock);

    let mut command = program("storm");
    let command = command.env("NOTIFY_SOCKET", path).stdout(Stdio::piped());
    let mut manager = Manager::of(socket, command, folder);
    is_over(&mut manager);
    manager.hear_of("READY=1");
    manager.signal("-TERM");
    manager.hear_of("STOPPING=1");
    assert_eq!(manager.end(), Some(0));
}

#[test]
fn a_stop_has_the_time_of_the_members_that_are_there() {
    let folder = Folder::new();
    let path = folder.0.join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    let mut command = program("grows");
    let command = command.env("NOTIFY_SOCKET", path).stdout(Stdio::piped());
    let mut manager = Manager::of(socket, command, folder);
    is_over(&mut manager);
    manager.signal("-TERM");
    manager.hear_of("STOPPING=1");
    for _ in 0..2 {
        manager.hear_of("EXTEND_TIMEOUT_USEC=");
    }
}
