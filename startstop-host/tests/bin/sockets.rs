//! Takes what it was handed over by name, says so, and answers one client of each.

use std::io::{self, Write};
use std::net::TcpListener;
use std::process::ExitCode;

use startstop_host::Sockets;

fn main() -> io::Result<ExitCode> {
    #[cfg(all(target_os = "linux", feature = "init"))]
    if let Some(code) = startstop_host::run_as_init() {
        return Ok(code);
    }
    take().map(|()| ExitCode::SUCCESS)
}

fn take() -> io::Result<()> {
    let sockets = Sockets::from_env();
    println!("again: {}", Sockets::from_env().take_tcp("http").is_some());
    println!("udp of that name: {}", sockets.take_udp("http").is_some());
    println!("unknown name: {}", sockets.take_tcp("https").is_some());
    let first = sockets.take_tcp("http");
    println!("http: {}", first.is_some());
    let unknown = sockets.take_tcp("unknown");
    println!("http again: {}", sockets.take_tcp("http").is_some());
    if !std::env::args().any(|arg| arg == "leaves") {
        println!("control: {}", sockets.take_unix("control").is_some());
    }
    drop(sockets);
    let Some(listener) = first else {
        println!("unknown: {}", unknown.is_some());
        return Ok(());
    };
    println!("waits: {}", !is_nonblocking(&listener));
    println!("inherited: {}", inherits(3));
    println!("untaken: {}", inherits(4));
    #[cfg(target_os = "linux")]
    if std::os::unix::process::parent_id() == 1 {
        println!("of pid 1: {}", stays_open_in_pid_1());
    }
    println!("file: {}", inherits(5));
    println!("pipe: {}", inherits(6));
    answer(&listener)
}

fn is_nonblocking(listener: &TcpListener) -> bool {
    listener
        .accept()
        .is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
}

/// Returns whether a child would have the socket of that number.
fn inherits(number: u32) -> bool {
    let mut child = std::process::Command::new("sh");
    child.args(["-c", &format!("test -e /proc/self/fd/{number}")]);
    child.status().is_ok_and(|status| status.success())
}

/// Returns whether pid 1 does not close the first socket either.
#[cfg(target_os = "linux")]
fn stays_open_in_pid_1() -> bool {
    let is_open = || std::path::Path::new("/proc/1/fd/3").exists();
    (0..500).all(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        is_open()
    })
}

fn answer(listener: &TcpListener) -> io::Result<()> {
    println!("listening");
    listener.set_nonblocking(false)?;
    listener.accept()?.0.write_all(b"hello")
}
