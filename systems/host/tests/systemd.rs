//! The program as a unit of systemd: `Type=notify`, in a manager of its own.

mod handed;
mod kill_mode;
mod manager;
mod notify_reload;
mod replaced;

use std::time::{Duration, Instant};

use crate::support::until;
use manager::Manager;

#[test]
fn a_start_returns_when_the_whole_is_ready_and_not_before() {
    let mut manager = Manager::new();
    manager.unit("Environment=SHOP_START=2500");
    manager.run("systemctl --user start --no-block shop");
    manager.until_status("starting: waits for shop/http");
    let begin = Instant::now();
    manager.run("systemctl --user start shop");
    assert_eq!(manager.show("ActiveState"), "active");
    assert_eq!(manager.show("StatusText"), "ready");
    assert!(begin.elapsed() < Duration::from_secs(30));

    manager.run("systemctl --user stop shop");
    manager.touch("down");
    manager.run("systemctl --user start --no-block shop");
    manager.until_status("starting: waits for shop/cache (backoff: connection refused)");
    manager.run("sleep 1");
    assert_eq!(
        manager.show("ActiveState"),
        "activating",
        "a member in backoff is not ready"
    );
    manager.remove("down");
    manager.run("systemctl --user start shop");
    assert_eq!(manager.show("StatusText"), "ready");
}

#[test]
fn what_takes_longer_than_the_unit_allows_gets_the_time() {
    let mut manager = Manager::new();
    manager.unit("Environment=SHOP_START=4000 SHOP_STOP=3000\nTimeoutStartSec=2\nTimeoutStopSec=1");
    manager.run("systemctl --user start shop");
    assert_eq!(manager.show("ActiveState"), "active");
    manager.run("systemctl --user stop shop");
    assert_eq!(
        (manager.show("ActiveState"), manager.show("Result")),
        ("inactive".into(), "success".into())
    );
    assert_eq!(manager.show("ExecMainStatus"), "0");
}

#[test]
fn a_failed_start_leaves_its_error() {
    let mut manager = Manager::new();
    manager.unit("Environment=SHOP_START=300");
    manager.touch("taken");
    assert_ne!(manager.code("systemctl --user start shop"), 0);
    assert_eq!(manager.show("ActiveState"), "failed");
    assert_eq!(manager.show("ExecMainStatus"), "1");
    let status = manager.show("StatusText");
    assert!(status.contains("cannot bind: address in use"), "{status}");
}

#[test]
fn a_program_that_fails_again_and_again_is_given_up_by_the_manager() {
    let mut manager = Manager::new();
    manager.unit(
        "Restart=on-failure\nRestartSec=0\n[Unit]\nStartLimitBurst=3\nStartLimitIntervalSec=600",
    );
    manager.touch("taken");
    assert_ne!(manager.code("systemctl --user start shop"), 0);
    manager.until("ActiveState", "failed");
    assert_eq!(manager.show("ExecMainStatus"), "1");
    let restarts = manager.show("NRestarts");
    assert!(["2", "3"].contains(&&*restarts), "{restarts}");
}

#[test]
fn a_stop_and_a_drain_are_told_at_their_beginning() {
    let mut manager = Manager::new();
    manager.unit("Environment=SHOP_DRAIN=2000");
    manager.run("systemctl --user start shop");
    // Not by the manager, which would know by itself.
    manager.run("kill $(systemctl --user show shop --property=MainPID --value)");
    manager.until("ActiveState", "deactivating");
    let status = manager.show("StatusText");
    assert!(
        status.starts_with("stopping: waits for shop/db"),
        "{status}"
    );
    manager.until("ActiveState", "inactive");
    assert_eq!(manager.show("Result"), "success");
}

#[test]
fn a_reload_waits_for_the_outcome() {
    let mut manager = Manager::new();
    // With 252 the reload lasts until READY=1 if RELOADING=1 comes before the command ends.
    manager.unit("ExecReload=/bin/sh -c 'kill -HUP $MAINPID; sleep 0.5'");
    manager.run("systemctl --user start shop");
    manager.run("systemctl --user reload shop");
    assert_eq!(
        (manager.show("ActiveState"), manager.show("StatusText")),
        ("active".into(), "ready".into())
    );
    manager.touch("odd");
    manager.run("systemctl --user reload shop");
    manager.until_status("ready; the last reload failed: line 7 is odd");
    assert_eq!(manager.show("NRestarts"), "0");
}

#[test]
fn the_watchdog_restarts_a_blocked_runtime_and_no_member_in_backoff() {
    let mut manager = Manager::new();
    manager.unit("WatchdogSec=1\nRestart=on-watchdog\nRestartSec=0");
    manager.run("systemctl --user start shop");
    manager.touch("down");
    manager.until_status("not ready: shop/cache (backoff: connection refused)");
    manager.run("sleep 3");
    assert_eq!(manager.show("NRestarts"), "0", "a backoff is alive");
    manager.remove("down");
    manager.touch("blocked");
    manager.until("NRestarts", "1");
    manager.until("ActiveState", "active");
    manager.until_status("ready");
}

#[test]
fn the_watchdog_restarts_a_program_with_an_unresponsive_member() {
    let mut manager = Manager::new();
    let unit = "Environment=SHOP_STUCK=1\nWatchdogSec=1\nRestart=on-watchdog\nRestartSec=0";
    manager.unit(unit);
    manager.run("systemctl --user start shop");
    let pid = manager.show("MainPID");
    manager.touch("stuck");
    // First its own watchdog finds out, then its abort does not help, and then nobody is told that it is alive.
    manager.until("NRestarts", "1");
    manager.until("ActiveState", "active");
    assert_ne!(manager.show("MainPID"), pid);
    manager.until_status("ready");
}

#[test]
fn a_child_cannot_speak_in_the_name_of_the_program() {
    let mut manager = Manager::new();
    manager.unit("WatchdogSec=60");
    manager.run("systemctl --user start shop");
    manager.touch("child");
    until("the child has told its environment", || {
        manager.path("env").exists()
    });
    let told = std::fs::read_to_string(manager.path("env")).unwrap();
    let has = |name: &str| told.lines().any(|line| line.starts_with(name));
    assert!(has("INVOCATION_ID="), "it has the rest: {told}");
    assert!(!has("NOTIFY_SOCKET=") && !has("WATCHDOG_"), "{told}");
    manager.run("systemctl --user stop shop");
}
