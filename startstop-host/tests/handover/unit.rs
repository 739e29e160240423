//! A unit of a service manager whose main process is replaced; a test takes the place of the manager.

use std::os::unix::net::UnixDatagram;

use super::hindered::Hindered;
use super::{Place, signal};
use crate::notify::{LIMIT, hear_of};

/// The place of the manager, and the variable that names it.
fn manager_at(socket: &Place) -> (UnixDatagram, (&str, &str)) {
    let manager = UnixDatagram::bind(&socket.0).unwrap();
    manager.set_read_timeout(Some(LIMIT)).unwrap();
    (manager, ("NOTIFY_SOCKET", socket.0.to_str().unwrap()))
}

/// The first one is told of the watchdog by its environment; a command of the unit, which starts the second one, is not.
#[test]
fn the_new_main_process_keeps_the_watchdog_quiet_and_so_does_the_one_after_it() {
    let (place, socket) = (Place::new("unit"), Place::new("unit-notify"));
    let (manager, notify) = manager_at(&socket);
    let watched = [notify, ("WATCHDOG_USEC", "200000")];
    let mut old = place.start_with(0, "", &watched).ready();
    hear_of(&manager, "WATCHDOG=1");
    for number in 1..=2 {
        place.wait();
        // Variables for another process, which a shell of the unit would hand on, are of no use either.
        let others = [notify, ("WATCHDOG_PID", "1")];
        let new = place.start_with(number, "", &others).ready();
        let main = hear_of(&manager, "MAINPID=");
        assert_eq!(main, format!("MAINPID={}\nWATCHDOG=1\n", new.child.id()));
        assert_eq!(old.code(), Some(0));
        // These messages are of the new process: those of the old one were heard before.
        for _ in 0..3 {
            assert_eq!(hear_of(&manager, "WATCHDOG=1"), "WATCHDOG=1\n");
        }
        old = new;
    }
}

/// It would take the end of the old one for that of the unit.
#[test]
fn the_old_one_stays_until_a_manager_that_is_busy_has_heard_of_the_new_one() {
    let (place, socket) = (Place::new("busy"), Place::new("busy-notify"));
    let (manager, notify) = manager_at(&socket);
    let mut old = place.start_with(0, "", &[notify]).ready();
    hear_of(&manager, "READY=1");
    place.wait();
    let other = UnixDatagram::unbound().unwrap();
    other.set_nonblocking(true).unwrap();
    while other.send_to(b"X_FULL=1", &socket.0).is_ok() {}
    let new = place.start_with(1, "", &[notify]).ready();
    // It takes the place, and the old one leaves it.
    place.wait();
    assert_eq!(
        hear_of(&manager, "MAINPID="),
        format!("MAINPID={}\nWATCHDOG=1\n", new.child.id())
    );
    assert_eq!(old.code(), Some(0));
}

/// With `NotifyAccess=all` the manager would take what it says for what the unit says.
#[test]
fn a_successor_that_ends_before_it_takes_over_tells_the_manager_nothing() {
    let (place, socket) = (Place::new("quiet"), Place::new("quiet-notify"));
    let (manager, notify) = manager_at(&socket);
    let mut old = place.start_with(0, "", &[notify]).ready();
    hear_of(&manager, "READY=1");
    place.wait();
    assert_eq!(place.start_with(1, "dies", &[notify]).code(), Some(1));
    let mut stopped = place.start_with(2, "waits", &[notify]).listening();
    // A wait would close it, and let the program become ready.
    let _stdin = stopped.child.stdin.take();
    signal(&stopped, "-TERM");
    stopped.code();
    let mut hindered = Hindered::start(&place, 4, &[notify]);
    signal(&hindered.program, "-TERM");
    hindered.program.code();
    let new = place.start_with(3, "", &[notify]).ready();
    assert_eq!(old.code(), Some(0));
    // The first datagram comes from the process that was ready.
    let mut buffer = [0; 512];
    let length = manager.recv(&mut buffer).unwrap();
    let told = String::from_utf8_lossy(&buffer[..length]).into_owned();
    assert!(
        told.starts_with("READY=1\n")
            || told == format!("MAINPID={}\nWATCHDOG=1\n", new.child.id()),
        "{told}"
    );
}
