//! The three ways in which the manager tells a unit to stop, and a shell in between.

use super::manager::Manager;
use crate::support::SHOP;

const SLOW_STOP: &str = "Environment=SHOP_STOP=1000";

/// Starts the shop, with a child, and stops it.
fn stopped_by(mode: &str) -> Manager {
    let mut manager = Manager::new();
    manager.unit(&format!("{SLOW_STOP}\nKillMode={mode}"));
    manager.run("systemctl --user start shop");
    manager.touch("child");
    crate::support::until("the child is there", || manager.path("env").exists());
    manager.run("systemctl --user stop shop");
    assert_eq!(manager.show("Result"), "success", "{mode}");
    assert_eq!(manager.show("ExecMainStatus"), "0", "{mode}");
    assert!(
        manager.path("stopped").exists(),
        "{mode}: it has stopped in order"
    );
    manager
}

/// How many children of the shop there are.
fn children(manager: &mut Manager) -> String {
    manager.output("pgrep --count --full --exact 'sleep 600' || true")
}

#[test]
fn a_stop_by_control_group_is_one_in_order_and_leaves_no_child() {
    let mut manager = stopped_by("control-group");
    assert_eq!(children(&mut manager), "0");
    assert_eq!(manager.show("ActiveState"), "inactive");
}

#[test]
fn a_stop_by_mixed_is_one_in_order_and_leaves_no_child() {
    let mut manager = stopped_by("mixed");
    assert_eq!(children(&mut manager), "0");
    assert_eq!(manager.show("ActiveState"), "inactive");
}

#[test]
fn a_stop_by_process_is_one_in_order_and_leaves_the_children() {
    let mut manager = stopped_by("process");
    assert_eq!(children(&mut manager), "1");
    // As the manual has it: what is left is nobody's until the unit starts again.
    assert_eq!(manager.show("ActiveState"), "inactive");
}

/// The shell is the main process. It ends at once, and then the manager sends SIGTERM to what is left, a second time.
#[test]
fn behind_a_shell_the_second_sigterm_cuts_nothing_short() {
    let mut manager = Manager::new();
    let shell = format!("/bin/sh -c '{SHOP}; exit 0'");
    manager.unit_of(&shell, &format!("{SLOW_STOP}\nNotifyAccess=all"));
    manager.run("systemctl --user start shop");
    manager.until_status("ready");
    let main = manager.show("MainPID");
    let name = manager.output(&format!("cat /proc/{main}/comm"));
    assert_ne!(name, "shop", "the shell is the main process");
    manager.run("systemctl --user stop shop");
    assert!(manager.path("stopped").exists(), "it has stopped in order");
    assert_eq!(manager.output("pgrep --count --exact shop || true"), "0");
}

/// The advice of docs/production.md, for the other two modes.
#[test]
fn a_shell_that_replaces_itself_is_as_if_there_was_none() {
    let mut manager = Manager::new();
    let shell = format!("/bin/sh -c 'umask 027; exec {SHOP}'");
    manager.unit_of(&shell, &format!("{SLOW_STOP}\nKillMode=mixed"));
    manager.run("systemctl --user start shop");
    manager.run("systemctl --user stop shop");
    assert!(manager.path("stopped").exists(), "it has stopped in order");
    assert_eq!(manager.show("Result"), "success");
}
