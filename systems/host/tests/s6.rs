//! s6 waits for the line on the descriptor that it has given.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::support::{Folder, Program, SHOP};

#[test]
fn s6_sees_when_the_program_is_ready_and_not_before() {
    let folder = Folder::new();
    let run = folder.write(
        "shop/run",
        &format!("#!/bin/sh\nexec env STARTSTOP_NOTIFY_FD=3 SHOP_START=1500 {SHOP}\n"),
    );
    std::fs::set_permissions(&run, std::fs::Permissions::from_mode(0o755)).unwrap();
    folder.write("shop/notification-fd", "3\n");
    let service = folder.path().join("shop");
    let _supervise = Program::run(Command::new("s6-supervise").arg(&service));
    let wait = |what: &str, millis: &str| {
        let mut command = Command::new("s6-svwait");
        command
            .args([what, "-t", millis])
            .arg(&service)
            .output()
            .unwrap()
            .status
            .success()
    };
    crate::support::until("it is up", || wait("-u", "20000"));
    assert!(!wait("-U", "300"), "it is not ready yet");
    assert!(wait("-U", "30000"));
    assert!(
        Command::new("s6-svc")
            .arg("-d")
            .arg(&service)
            .status()
            .unwrap()
            .success()
    );
    assert!(wait("-D", "30000"));
}
