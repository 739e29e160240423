//! Sockets that the manager has handed over, by name, and plain restarts that nobody notices.

use std::io::Read;
use std::net::TcpStream;

use super::manager::Manager;
use crate::free_port::free_port;
use crate::support::clients::Clients;

fn sockets(manager: &mut Manager, port: u16) {
    // Two of them, so that the order says nothing.
    let socket = |listen: &str, name: &str| {
        format!(
            "[Socket]\nListenStream={listen}\nFileDescriptorName={name}\nService=shop.service\n"
        )
    };
    manager.write("other.socket", &socket("%t/other", "other"));
    manager.write("web.socket", &socket(&format!("127.0.0.1:{port}"), "http"));
}

#[test]
fn sockets_are_found_by_name() {
    let (mut manager, port) = (Manager::new(), free_port());
    // The address would be another one: it counts only where nothing is handed over.
    manager.unit("Environment=SHOP_HTTP=127.0.0.1:0\nSockets=other.socket web.socket");
    sockets(&mut manager, port);
    manager.run("systemctl --user start other.socket web.socket");
    // The first client starts the program, and waits for it in the queue.
    let clients = Clients::of(port, 1);
    clients.until(10);
    manager.until_status("ready");
    assert_eq!(clients.end().failed, Vec::<String>::new());
    manager.run("systemctl --user stop shop");
}

#[test]
fn over_plain_restarts_with_a_socket_unit_nobody_is_refused_and_nothing_is_cut_off() {
    const RESTARTS: u32 = 20;
    const REQUESTS: usize = 10_000;
    let (mut manager, port) = (Manager::new(), free_port());
    manager.unit(
        "Environment=SHOP_HTTP=127.0.0.1:0 SHOP_DRAIN=300\nSockets=other.socket web.socket\n[Unit]\nStartLimitBurst=100",
    );
    sockets(&mut manager, port);
    manager.run("systemctl --user start other.socket web.socket shop.service");
    let clients = Clients::of(port, 8);
    for restart in 1..=RESTARTS {
        manager.run("systemctl --user restart shop");
        clients.until(REQUESTS / RESTARTS as usize * restart as usize);
    }
    let told = clients.end();
    assert_eq!(told.failed, Vec::<String>::new());
    assert!(told.served >= REQUESTS, "{}", told.served);
    assert_eq!(manager.show("Result"), "success");
    manager.run("systemctl --user stop web.socket other.socket shop.service");
    assert!(
        TcpStream::connect(("127.0.0.1", port))
            .and_then(|mut s| s.read(&mut [0]))
            .is_err()
    );
}
