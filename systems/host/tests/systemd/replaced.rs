//! Replacement under the manager: the unit stays active, and the new process becomes its main one.

use super::manager::Manager;
use crate::support::clients::Clients;
use crate::support::{SHOP, free_port};

const REPLACEMENTS: usize = 20;
const REQUESTS: usize = 10_000;

#[test]
fn the_unit_stays_active_and_nobody_is_refused_over_many_replacements() {
    let (mut manager, port) = (Manager::new(), free_port());
    let socket = manager.path("handover");
    // The new process belongs to the unit, and outlives the command that has begun it.
    let unit = format!(
        "NotifyAccess=all\nWatchdogSec=2\nRestart=always\nRestartSec=0\n\
         Environment=SHOP_HTTP=127.0.0.1:{port} SHOP_HANDOVER={} SHOP_DRAIN=300\n\
         ExecReload=/bin/sh -c '{SHOP} &'",
        socket.display()
    );
    manager.unit(&unit);
    manager.run("systemctl --user start shop");
    let clients = Clients::of(port, 8);
    let mut old = manager.show("MainPID");
    for replacement in 1..=REPLACEMENTS {
        crate::support::until("the socket is there", || socket.exists());
        manager.run("systemctl --user reload shop");
        crate::support::until("the new one is the main process", || {
            !["0", &old].contains(&&*manager.show("MainPID"))
        });
        crate::support::until("the old one has ended", || {
            manager.code(&format!("test -e /proc/{old}")) != 0
        });
        old = manager.show("MainPID");
        assert_eq!(manager.show("ActiveState"), "active");
        clients.until(REQUESTS / REPLACEMENTS * replacement);
    }
    let told = clients.end();
    assert_eq!(told.failed, Vec::<String>::new());
    assert!(told.served >= REQUESTS, "{}", told.served);

    // The watchdog of the unit is kept quiet by the last successor, which a command of the unit is not told of.
    assert_ne!(
        manager.code(&format!("grep -qz ^WATCHDOG_ /proc/{old}/environ")),
        0
    );
    manager.run("sleep 5");
    assert_eq!(
        (manager.show("MainPID"), manager.show("NRestarts")),
        (old, "0".into())
    );
    manager.until_status("ready");
    manager.run("systemctl --user stop shop");
    assert_eq!(manager.show("Result"), "success");
    assert!(!socket.exists());
}
