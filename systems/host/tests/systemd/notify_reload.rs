//! `Type=notify-reload`, which systemd knows from 253 on: the manager sends the signal by itself, and waits for the outcome.

use super::manager::Manager;

const UNIT: &str = "Type=notify-reload\nEnvironment=SHOP_RELOAD=1000";

#[test]
fn a_reload_lasts_until_the_program_has_answered() {
    let mut manager = Manager::of_debian_13();
    manager.unit(UNIT);
    manager.run("systemctl --user start shop");
    manager.run("systemctl --user reload --no-block shop");
    manager.until("ActiveState", "reloading");
    assert!(!manager.path("reloaded").exists(), "it takes a second");
    manager.until("ActiveState", "active");
    assert!(manager.path("reloaded").exists());

    manager.remove("reloaded");
    manager.run("systemctl --user reload shop");
    assert!(manager.path("reloaded").exists(), "the command has waited");
    assert_eq!(
        (manager.show("ActiveState"), manager.show("StatusText")),
        ("active".into(), "ready".into())
    );
}

#[test]
fn a_reload_that_is_refused_ends_with_its_error_in_the_status() {
    let mut manager = Manager::of_debian_13();
    manager.unit(UNIT);
    manager.run("systemctl --user start shop");
    let pid = manager.show("MainPID");
    manager.touch("odd");
    manager.run("systemctl --user reload shop");
    assert_eq!(
        (manager.show("ActiveState"), manager.show("StatusText")),
        (
            "active".into(),
            "ready; the last reload failed: line 7 is odd".into()
        )
    );
    manager.remove("odd");
    manager.run("systemctl --user reload shop");
    assert_eq!(manager.show("StatusText"), "ready");
    assert_eq!(
        (manager.show("MainPID"), manager.show("NRestarts")),
        (pid, "0".into())
    );
    manager.run("systemctl --user stop shop");
    assert_eq!(manager.show("Result"), "success");
}
