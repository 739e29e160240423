//! Clients that take their time to read an answer: it is in flight until they have it.

use std::net::SocketAddr;
use std::time::Duration;

use startstop_core::Settings;
use startstop_host::Serve;
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::app::LARGE;
use super::{get_path, http2, read_until, rest, server_with};

const SHORT: Duration = Duration::from_millis(200);

/// A client that has read the head of a large answer, and no more.
async fn reader(addr: SocketAddr) -> TcpStream {
    let mut client = get_path(addr, "/large").await;
    read_until(&mut client, "\r\n\r\n").await;
    client
}

#[tokio::test]
async fn a_connection_is_not_idle_while_its_client_reads_an_answer() {
    let server = server_with(Settings::new(), Serve::new().idle_timeout(SHORT)).await;
    let mut client = reader(server.addr).await;
    sleep(3 * SHORT).await;
    let read = rest(&mut client).await.len();
    assert!(LARGE - read < 1024, "{read} of {LARGE}");
    server.runner.stop().await.unwrap();
}

#[tokio::test]
async fn an_answer_that_is_being_read_has_all_of_the_time_of_a_stop() {
    let stop = Duration::from_secs(12);
    let server = server_with(Settings::new().stop_timeout(stop), Serve::new()).await;
    let mut client = reader(server.addr).await;
    server.begin_stop().await;
    sleep(stop / 2 + SHORT).await;
    let read = rest(&mut client).await.len();
    assert!(LARGE - read < 1024, "{read} of {LARGE}");
    server.runner.stop().await.unwrap();
}

#[tokio::test]
async fn a_connection_of_http2_is_not_idle_while_its_client_reads_an_answer() {
    let server = server_with(Settings::new(), Serve::new().idle_timeout(SHORT)).await;
    let (mut sender, connection) = http2::client(server.addr).await;
    let answer = sender.send_request(http2::request("/large")).await.unwrap();
    sleep(3 * SHORT).await;
    assert_eq!(http2::text(answer).await.len(), LARGE);
    drop(sender);
    connection.await.unwrap();
    server.runner.stop().await.unwrap();
}
