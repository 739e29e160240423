//! A process without a descriptor left, which tells its manager as much as any other.

use super::{Folder, Manager, program};
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};

#[test]
fn a_program_without_a_descriptor_left_still_tells_the_manager() {
    let folder = Folder::new();
    let path = folder.0.join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    let mut command = Command::new("sh");
    let few = "ulimit -n 40; exec \"$0\" starves";
    command
        .args(["-c", few])
        .arg(program("starves").get_program())
        .env("NOTIFY_SOCKET", path)
        .env("WATCHDOG_USEC", "200000")
        .env_remove("WATCHDOG_PID")
        .stdin(Stdio::piped())
        .stdout(Stdio::null());
    let manager = Manager::of(socket, &mut command, folder);
    manager.hear_of("READY=1");
    for _ in 0..3 {
        manager.hear_of("WATCHDOG=1");
    }
    manager.signal("-TERM");
    manager.hear_of("STOPPING=1");
    assert_eq!(manager.end(), Some(0));
}
