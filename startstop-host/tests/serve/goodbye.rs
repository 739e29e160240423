//! How a connection is closed: not before what has come is answered, and not without a word.

use std::time::Duration;

use startstop_core::Settings;
use startstop_host::Serve;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{LONG, get_path, idle, read_until, rest, send_get, server, server_with};

const SHORT: Duration = Duration::from_millis(300);

#[tokio::test]
async fn a_request_that_has_come_on_an_idle_connection_before_the_stop_is_answered() {
    for _ in 0..20 {
        let server = server(Settings::new()).await;
        let mut client = idle(server.addr).await;
        send_get(&mut client).await;
        server.runner.request_stop();
        let answer = rest(&mut client).await;
        assert!(answer.ends_with("web"), "{answer:?}");
        server.runner.stop().await.unwrap();
    }
}

/// The types of the frames that come until the connection ends.
async fn frames(client: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let read = client.read_to_end(&mut bytes);
    timeout(LONG, read).await.expect("it ends").unwrap();
    let (mut types, mut left) = (Vec::new(), &bytes[..]);
    while let [a, b, c, kind, ..] = *left {
        types.push(kind);
        left = &left[9 + usize::from(a) * 0x1_0000 + usize::from(b) * 0x100 + usize::from(c)..];
    }
    types
}

#[tokio::test]
async fn an_idle_connection_of_http2_is_told_to_go_away_before_it_is_closed() {
    const GOAWAY: u8 = 7;
    let serve = Serve::new().idle_timeout(SHORT).header_timeout(SHORT);
    let server = server_with(Settings::new(), serve).await;
    let mut client = TcpStream::connect(server.addr).await.unwrap();
    // The preface, and an empty SETTINGS frame.
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    client.write_all(preface).await.unwrap();
    // This client answers no ping, and is closed all the same.
    let frames = frames(&mut client).await;
    assert!(frames.contains(&GOAWAY), "{frames:?}");
    server.runner.stop().await.unwrap();
}

#[tokio::test]
async fn events_that_never_pause_end_at_the_stop() {
    let server = server(Settings::new().stop_timeout(LONG)).await;
    let mut client = get_path(server.addr, "/endless").await;
    server.arrived().await;
    let read = tokio::spawn(async move { rest(&mut client).await });
    timeout(LONG / 2, server.runner.stop())
        .await
        .expect("it ends")
        .unwrap();
    assert!(read.await.unwrap().ends_with("0\r\n\r\n"));
}

/// Two heads at once, of which the second one is not complete.
const ONE_AND_A_HALF: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\nGET / HTTP/1.1\r\nho";

#[tokio::test]
async fn half_a_head_that_came_along_with_a_request_is_waited_for_at_a_stop() {
    let server = server(Settings::new().stop_timeout(LONG)).await;
    let mut client = TcpStream::connect(server.addr).await.unwrap();
    client.write_all(ONE_AND_A_HALF).await.unwrap();
    read_until(&mut client, "web").await;
    server.begin_stop().await;
    // An answer here means that the idle ones were closed.
    let mut other = TcpStream::connect(server.addr).await.unwrap();
    drop(other.write_all(b"GET / HTTP/1.0\r\n\r\n").await);
    rest(&mut other).await;
    client.write_all(b"st: x\r\n\r\n").await.unwrap();
    assert!(rest(&mut client).await.ends_with("web"));
    server.runner.stop().await.unwrap();
}

#[tokio::test]
async fn half_a_head_that_came_along_with_a_request_has_the_time_of_a_head() {
    let server = server_with(Settings::new(), Serve::new().header_timeout(SHORT)).await;
    let mut client = TcpStream::connect(server.addr).await.unwrap();
    client.write_all(ONE_AND_A_HALF).await.unwrap();
    assert!(rest(&mut client).await.ends_with("web"));
    server.runner.stop().await.unwrap();
}
