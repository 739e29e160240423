//! The messages to the manager while nothing of the service runs.

use super::Manager;

/// A manager that asks for a reload, as `systemctl reload` of a unit with `Type=notify-reload` does, waits for its beginning and end.
#[test]
fn a_reload_in_a_backoff_is_answered() {
    let mut manager = Manager::run("falls", &[]);
    manager.hear_of("READY=1");
    manager.go_on();
    manager.hear_of("STATUS=backoff: it fell");
    manager.signal("-HUP");
    assert!(manager.hear_of("RELOADING=1").contains("MONOTONIC_USEC="));
    let answer = manager.hear_of("READY=1");
    let why = "STATUS=backoff: it fell; the last reload failed: ";
    assert!(answer.contains(why), "{answer}");
    manager.signal("-TERM");
    manager.hear_of("STOPPING=1");
    assert_eq!(manager.end(), Some(0));
}
