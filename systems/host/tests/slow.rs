//! Ten thousand clients that send a head byte by byte to the admin port: they cost a few megabytes at most, and the program
//! and the probes answer as if they were not there.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::free_port::free_port;
use crate::support::clients::Clients;
use crate::support::{Program, SHOP, curl, until};

const SLOW: usize = 10_000;
/// Of memory that they may cost: 256 connections with their buffers, and what the allocator keeps.
const MOST: usize = 32 << 20;

#[test]
fn ten_thousand_slow_clients_of_the_admin_port_disturb_nobody() {
    // For the files of this process.
    let own = std::process::id().to_string();
    let limit = Command::new("prlimit")
        .args(["--nofile=16384", "--pid", &own])
        .status()
        .unwrap();
    assert!(limit.success());
    let (port, admin) = (free_port(), free_port());
    let mut command = Command::new(SHOP);
    command
        .env("SHOP_HTTP", format!("127.0.0.1:{port}"))
        .env("SHOP_ADMIN", admin.to_string());
    let program = Program::run(command.env_remove("NOTIFY_SOCKET"));
    let probe = format!("http://127.0.0.1:{admin}/readyz");
    until("the shop is ready", || curl(&[&probe]) == "ok");
    let before = memory(&program);

    let clients = Clients::of(port, 2);
    let mut slow = Vec::new();
    for number in 0..SLOW {
        let mut stream = TcpStream::connect(("127.0.0.1", admin)).unwrap();
        // One that was closed to make room is told so; it goes on for the others.
        drop(stream.write_all(b"GET /livez HTTP/1.1\r\nx: "));
        slow.push(stream);
        if number % 1000 == 0 {
            answers(&probe);
        }
    }
    for _ in 0..3 {
        for stream in &mut slow {
            drop(stream.write_all(b"x"));
        }
        answers(&probe);
    }
    let cost = memory(&program).saturating_sub(before);
    assert!(cost < MOST, "{cost} bytes");
    let served = clients.end();
    assert!(
        served.failed.is_empty() && served.served > 100,
        "{:?}",
        served.failed
    );
    let open = slow.iter().filter(|stream| is_open(stream)).count();
    assert!(open <= 256, "{open} are open");
    assert_eq!(program.stop(), Some(0));
}

/// The probe of a manager, which is one client among them, and asks again where it was closed.
fn answers(probe: &str) {
    let begin = Instant::now();
    until("the probe answers", || curl(&[probe]) == "ok");
    assert!(
        begin.elapsed() < Duration::from_secs(20),
        "{:?}",
        begin.elapsed()
    );
}

/// The bytes of memory that a program has in use.
fn memory(program: &Program) -> usize {
    let path = format!("/proc/{}/statm", program.0.id());
    let text = std::fs::read_to_string(path).unwrap();
    text.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

fn is_open(mut stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let mut bytes = [0; 512];
    match stream.read(&mut bytes) {
        Ok(length) => length > 0,
        Err(error) => error.kind() == std::io::ErrorKind::WouldBlock,
    }
}
