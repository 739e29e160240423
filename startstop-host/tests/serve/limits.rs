//! Slow clients, idle ones, and more of them than there is room for.

use std::time::{Duration, Instant};

use startstop_core::Settings;
use startstop_host::Serve;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::{idle, read_until, rest, send_get, server_with};

const SHORT: Duration = Duration::from_millis(300);

#[tokio::test]
async fn a_head_has_its_time_from_its_first_byte_and_from_the_accept() {
    let server = server_with(Settings::new(), Serve::new().header_timeout(SHORT)).await;
    for begun in ["", "GET / HTTP/1.1\r\nx: "] {
        let begin = Instant::now();
        let mut client = TcpStream::connect(server.addr).await.unwrap();
        client.write_all(begun.as_bytes()).await.unwrap();
        assert_eq!(rest(&mut client).await, "");
        assert!(
            begin.elapsed() + Duration::from_millis(20) >= SHORT,
            "{:?}",
            begin.elapsed()
        );
    }
    let mut client = idle(server.addr).await;
    tokio::time::sleep(2 * SHORT).await;
    send_get(&mut client).await;
    read_until(&mut client, "web").await;
    // The second head of a connection has a timeout of its own.
    client.write_all(b"GET / HT").await.unwrap();
    assert_eq!(rest(&mut client).await, "");
    server.runner.stop().await.unwrap();
}

#[tokio::test]
async fn an_idle_connection_is_closed_in_time() {
    let server = server_with(Settings::new(), Serve::new().idle_timeout(SHORT)).await;
    let mut client = idle(server.addr).await;
    assert_eq!(rest(&mut client).await, "");
    server.runner.stop().await.unwrap();
}

#[tokio::test]
async fn a_client_that_finds_no_room_waits() {
    let server = server_with(Settings::new(), Serve::new().max_connections(1)).await;
    let first = idle(server.addr).await;
    let mut second = TcpStream::connect(server.addr).await.unwrap();
    send_get(&mut second).await;
    drop(first);
    read_until(&mut second, "web").await;
    server.runner.stop().await.unwrap();
}

#[tokio::test]
async fn the_connection_that_has_been_idle_longest_makes_room_for_a_client_that_waits() {
    let server = server_with(Settings::new(), Serve::new().max_connections(2)).await;
    let mut first = idle(server.addr).await;
    let mut second = idle(server.addr).await;
    let begin = Instant::now();
    let mut third = TcpStream::connect(server.addr).await.unwrap();
    send_get(&mut third).await;
    read_until(&mut third, "web").await;
    assert!(
        begin.elapsed() > Duration::from_secs(4),
        "{:?}",
        begin.elapsed()
    );
    assert_eq!(rest(&mut first).await, "");
    send_get(&mut second).await;
    read_until(&mut second, "web").await;
    server.runner.stop().await.unwrap();
}

#[tokio::test]
async fn nobody_makes_room_while_nobody_waits() {
    let server = server_with(Settings::new(), Serve::new().max_connections(1)).await;
    let mut client = idle(server.addr).await;
    tokio::time::sleep(Duration::from_secs(7)).await;
    send_get(&mut client).await;
    read_until(&mut client, "web").await;
    server.runner.stop().await.unwrap();
}

#[tokio::test]
async fn half_a_head_holds_a_stop_up_for_no_longer_than_the_header_timeout() {
    let half_of_the_stop = Duration::from_secs(30);
    let settings = Settings::new().stop_timeout(2 * half_of_the_stop);
    let server = server_with(settings, Serve::new().header_timeout(SHORT)).await;
    let mut client = TcpStream::connect(server.addr).await.unwrap();
    client.write_all(b"GET / HT").await.unwrap();
    idle(server.addr).await; // the first one is accepted by then
    let stopped = tokio::time::timeout(half_of_the_stop / 3, server.runner.stop());
    stopped.await.expect("it ends").unwrap();
    rest(&mut client).await;
}

#[tokio::test]
async fn a_client_that_has_sent_nothing_is_waited_for_a_moment_at_a_stop() {
    let server = server_with(Settings::new(), Serve::new()).await;
    let mut client = TcpStream::connect(server.addr).await.unwrap();
    idle(server.addr).await; // the first one is accepted by then
    let begin = Instant::now();
    server.runner.stop().await.unwrap();
    assert!(
        begin.elapsed() >= Duration::from_millis(90),
        "{:?}",
        begin.elapsed()
    );
    assert!(
        begin.elapsed() < Duration::from_secs(2),
        "{:?}",
        begin.elapsed()
    );
    assert_eq!(rest(&mut client).await, "");
}
