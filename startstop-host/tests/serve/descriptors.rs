//! A process whose clients have taken all of its descriptors.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{LONG, idle, read_until, rest, send_get};

/// More than there are descriptors.
const CLIENTS: usize = 60;

/// A server that does not outlive its test.
struct Program(Child);

impl Program {
    fn with_few_descriptors() -> (Self, SocketAddr) {
        let mut command = Command::new("sh");
        command
            .args(["-c", "ulimit -n 40; exec \"$0\" serves"])
            .arg(env!("CARGO_BIN_EXE_startstop-host-told"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut program = Self(command.spawn().unwrap());
        let mut lines = BufReader::new(program.0.stdout.take().unwrap()).lines();
        let addr = lines.next().unwrap().unwrap().parse().unwrap();
        (program, addr)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[tokio::test]
async fn idle_connections_give_way_where_no_descriptor_is_left() {
    let (mut program, addr) = Program::with_few_descriptors();
    let mut idlers = Vec::new();
    let mut waits = loop {
        let mut client = TcpStream::connect(addr).await.unwrap();
        send_get(&mut client).await;
        let answer = timeout(Duration::from_secs(1), read_until(&mut client, "web"));
        if answer.await.is_err() {
            break client;
        }
        idlers.push(client);
        assert!(idlers.len() < CLIENTS, "all of them have a descriptor");
    };
    // The one that has been idle for the longest time goes, long before its idle timeout.
    read_until(&mut waits, "web").await;
    assert_eq!(rest(&mut idlers.remove(0)).await, "");
    // The others stay, and one after another makes room.
    for client in &mut idlers[10..] {
        send_get(client).await;
        read_until(client, "web").await;
    }
    for _ in 0..3 {
        timeout(LONG, idle(addr)).await.expect("there is room");
    }
    program.0.kill().unwrap();
    let mut told = String::new();
    let mut stderr = program.0.stderr.take().unwrap();
    stderr.read_to_string(&mut told).unwrap();
    assert!(told.contains("Too many open files"), "{told}");
}
