//! Clients that wait when the program stops: none of them holds the stop up beyond its bounds, and the program leaves with 0.

use std::io::{Read, Write};
use std::net::TcpStream as Blocking;
use std::process::Command;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::free_port::free_port;
use crate::support::{LIMIT, Program, SHOP, until};

/// Half of the time that the shop gives a stop: nothing that has sent half a head or was upgraded may hold it up for longer.
const HALF: Duration = Duration::from_secs(5);
/// What a loaded machine may take on top, less than the other half.
const SLACK: Duration = Duration::from_secs(4);

fn open() -> (Program, u16) {
    let port = free_port();
    let mut command = Command::new(SHOP);
    command.env("SHOP_HTTP", format!("127.0.0.1:{port}"));
    let program = Program::run(command.env_remove("NOTIFY_SOCKET"));
    until("it serves", || {
        Blocking::connect(("127.0.0.1", port)).is_ok()
    });
    (program, port)
}

/// How long the stop takes, which has to be one in order.
async fn stop(program: Program) -> Duration {
    let stopped = move || {
        let begin = Instant::now();
        assert_eq!(program.stop(), Some(0));
        begin.elapsed()
    };
    tokio::task::spawn_blocking(stopped).await.unwrap()
}

/// An open WebSocket, which was heard.
async fn websocket(port: u16, path: &str) -> WebSocketStream<MaybeTlsStream<TcpStream>> {
    let address = format!("ws://127.0.0.1:{port}{path}");
    let (mut socket, answer) = connect_async(address).await.unwrap();
    assert_eq!(answer.status(), 101);
    socket.send(Message::text("hello")).await.unwrap();
    assert_eq!(
        socket.next().await.unwrap().unwrap(),
        Message::text("hello")
    );
    socket
}

#[tokio::test]
async fn a_websocket_holds_a_stop_up_for_half_of_its_time() {
    let (program, port) = open();
    let mut socket = websocket(port, "/ws").await;
    let took = stop(program).await;
    assert!(
        took + Duration::from_secs(1) >= HALF,
        "{took:?}: it is kept"
    );
    assert!(took < HALF + SLACK, "{took:?}");
    let end = socket.next().await;
    assert!(!matches!(end, Some(Ok(_))), "it is closed: {end:?}");
}

#[tokio::test]
async fn a_websocket_that_looks_at_the_stop_says_goodbye_at_once() {
    let (program, port) = open();
    let mut socket = websocket(port, "/ws/polite").await;
    let stopping = tokio::spawn(stop(program));
    let goodbye = tokio::time::timeout(LIMIT, socket.next()).await.unwrap();
    assert!(
        matches!(goodbye, Some(Ok(Message::Close(_)))),
        "{goodbye:?}"
    );
    drop(socket);
    let took = stopping.await.unwrap();
    assert!(took < HALF, "{took:?}");
}

#[tokio::test]
async fn half_a_head_none_at_all_an_open_stream_and_a_websocket_leave_the_program_with_0() {
    let (program, port) = open();
    let none = Blocking::connect(("127.0.0.1", port)).unwrap();
    let mut half = Blocking::connect(("127.0.0.1", port)).unwrap();
    half.write_all(b"GET / HT").unwrap();
    let mut events = Blocking::connect(("127.0.0.1", port)).unwrap();
    events
        .write_all(b"GET /events HTTP/1.1\r\nhost: shop\r\n\r\n")
        .unwrap();
    let mut told = Vec::new();
    while !told.ends_with(b"data: open\n\n") {
        let mut byte = [0];
        events.read_exact(&mut byte).unwrap();
        told.extend(byte);
        if told.ends_with(b"data: open\n\n\r\n") {
            break;
        }
    }
    let socket = websocket(port, "/ws").await;
    let took = stop(program).await;
    assert!(took < HALF + SLACK, "{took:?}");
    // They were there until the end.
    drop((none, half, events, socket));
}
