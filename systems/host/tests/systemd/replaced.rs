//! Replacement under the manager: the unit stays active, and the new process becomes its main one.

use super::manager::Manager;
use crate::free_port::free_port;
use crate::support::clients::Clients;
use crate::support::{SHOP, until};

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
        until("the socket is there", || socket.exists());
        manager.run("systemctl --user reload shop");
        until("the new one is the main process", || {
            !["0", &old].contains(&&*manager.show("MainPID"))
        });
        until("the old one has ended", || {
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

/// It tells the manager nothing before it is ready, or its end would be taken for that of the unit.
#[test]
fn a_successor_that_dies_or_is_stopped_at_its_start_changes_nothing() {
    let (mut manager, port) = (Manager::new(), free_port());
    let (socket, code) = (manager.path("handover"), manager.path("code"));
    let unit = format!(
        "NotifyAccess=all\nWatchdogSec=2\nRestart=always\nRestartSec=0\n\
         Environment=SHOP_HTTP=127.0.0.1:{port} SHOP_HANDOVER={} SHOP_START=1500 SHOP_DRAIN=300\n\
         ExecReload=/bin/sh -c '({SHOP}; echo $? >{}) &'",
        socket.display(),
        code.display()
    );
    manager.unit(&unit);
    manager.run("systemctl --user start shop");
    let main = manager.show("MainPID");
    until("the socket is there", || socket.exists());
    let clients = Clients::of(port, 4);

    // It fails.
    manager.touch("taken");
    manager.run("systemctl --user reload shop");
    until("it has ended", || code.exists());
    assert_eq!(manager.output(&format!("cat {}", code.display())), "1");
    manager.remove("taken");
    unchanged(&mut manager, &main);

    // It is killed, and it is told to stop, while it starts.
    for signal in ["KILL", "TERM"] {
        manager.remove("code");
        manager.run("systemctl --user reload shop");
        until("it is there", || {
            manager.output("pgrep --count --exact shop") == "2"
        });
        manager.run("sleep 0.5");
        manager.run(&format!("pkill --signal {signal} --newest --exact shop"));
        until("it has ended", || code.exists());
        unchanged(&mut manager, &main);
    }

    // The next one takes over.
    manager.run("systemctl --user reload shop");
    until("the old one has ended", || {
        manager.code(&format!("test -e /proc/{main}")) != 0
    });
    assert_eq!(manager.show("ActiveState"), "active");
    let served = clients.end();
    assert_eq!(served.failed, Vec::<String>::new());
    assert!(served.served > 100, "{}", served.served);
    manager.run("systemctl --user stop shop");
    assert_eq!(manager.show("Result"), "success");
}

/// The predecessor is none of the unit, so the manager has nobody else to listen to.
#[test]
fn a_unit_that_takes_over_from_a_program_outside_of_it_speaks_from_the_beginning() {
    let (mut manager, port) = (Manager::new(), free_port());
    let socket = manager.path("handover");
    let variables = format!(
        "SHOP_HTTP=127.0.0.1:{port} SHOP_HANDOVER={}",
        socket.display()
    );
    manager.unit(&format!(
        "Environment={variables} SHOP_START=4000\nTimeoutStartSec=2"
    ));
    manager.run(&format!("{variables} {SHOP} >/dev/null 2>&1 & old=$!"));
    until("the socket is there", || socket.exists());
    manager.run("systemctl --user start --no-block shop");
    manager.until_status("starting: waits for shop/http");
    manager.run("systemctl --user start shop");
    assert_eq!(manager.show("StatusText"), "ready");
    manager.run("wait $old");
    manager.run("systemctl --user stop shop");
    assert_eq!(manager.show("Result"), "success");
}

/// The unit is as it was.
fn unchanged(manager: &mut Manager, main: &str) {
    let state = ["ActiveState", "StatusText", "MainPID", "NRestarts"];
    let seen = state.map(|property| manager.show(property));
    assert_eq!(seen, ["active", "ready", main, "0"]);
}
