//! HTTP/2: told to go away at a drain and at a stop, with what is in flight finished.

use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::rt::{TokioExecutor, TokioIo};
use startstop_core::{Exit, Settings};
use tokio::net::TcpStream;

use super::{LONG, Server, server};

pub(super) type Sender = hyper::client::conn::http2::SendRequest<Empty<Bytes>>;

pub(super) async fn client(addr: std::net::SocketAddr) -> (Sender, tokio::task::JoinHandle<()>) {
    let stream = TcpStream::connect(addr).await.unwrap();
    let (sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    let connection = tokio::spawn(async move {
        let _ = connection.await;
    });
    (sender, connection)
}

pub(super) fn request(path: &str) -> Request<Empty<Bytes>> {
    Request::get(format!("http://x{path}"))
        .body(Empty::new())
        .unwrap()
}

pub(super) async fn text(response: hyper::Response<hyper::body::Incoming>) -> String {
    let body = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

#[tokio::test]
async fn an_idle_connection_goes_away_at_the_stop() {
    let server = server(Settings::new().stop_timeout(LONG)).await;
    let (mut sender, connection) = client(server.addr).await;
    assert_eq!(
        text(sender.send_request(request("/")).await.unwrap()).await,
        "web"
    );
    tokio::time::timeout(LONG / 2, server.runner.stop())
        .await
        .expect("it ends")
        .unwrap();
    connection.await.unwrap();
}

/// Begins a stop while a request is in flight, and returns its connection when that has been answered.
async fn answered_after_the_stop_has_begun(server: &Server) -> tokio::task::JoinHandle<()> {
    let (mut sender, connection) = client(server.addr).await;
    let answer = tokio::spawn(sender.send_request(request("/slow")));
    server.arrived().await;
    server.begin_stop().await;
    server.gate.go.notify_one();
    assert_eq!(text(answer.await.unwrap().unwrap()).await, "done");
    connection
}

#[tokio::test]
async fn a_stream_in_flight_is_finished() {
    let server = server(Settings::new().stop_timeout(LONG)).await;
    let connection = answered_after_the_stop_has_begun(&server).await;
    assert_eq!(server.runner.wait().await, Exit::Stopped);
    connection.await.unwrap();
}

/// So that the server has heard everything that was sent before, and could have answered it.
const A_WHILE: Duration = Duration::from_millis(50);

/// A client sends nothing again that it could not send on a connection that is new.
#[tokio::test]
async fn a_connection_that_is_new_in_a_drain_is_told_to_go_away_after_its_first_requests() {
    let server = server(Settings::new().drain(LONG).stop_timeout(LONG)).await;
    server.begin_stop().await;
    let (mut sender, connection) = client(server.addr).await;
    sender.ready().await.unwrap();
    tokio::time::sleep(A_WHILE).await;
    // A second request, a little later, is answered too.
    for _ in 0..2 {
        let answer = sender.send_request(request("/")).await.unwrap();
        assert_eq!(text(answer).await, "web");
    }
    connection.await.unwrap();
    server.end_drain().await;
}

#[tokio::test]
async fn a_connection_without_a_request_yet_has_a_moment_for_it_after_a_stop() {
    let server = server(Settings::new().stop_timeout(LONG)).await;
    let (mut sender, connection) = client(server.addr).await;
    let (_silent, other) = client(server.addr).await;
    sender.ready().await.unwrap();
    tokio::time::sleep(A_WHILE).await;
    server.begin_stop().await;
    tokio::time::sleep(A_WHILE / 2).await;
    let answer = sender.send_request(request("/")).await.unwrap();
    assert_eq!(text(answer).await, "web");
    connection.await.unwrap();
    // The silent client is closed too, long before half of the time is over.
    tokio::time::timeout(LONG / 4, server.runner.stop())
        .await
        .expect("it ends")
        .unwrap();
    other.await.unwrap();
}

#[tokio::test]
async fn a_connection_is_told_to_go_away_when_the_drain_begins() {
    let server = server(Settings::new().drain(LONG).stop_timeout(LONG)).await;
    let connection = answered_after_the_stop_has_begun(&server).await;
    connection.await.unwrap();
    server.end_drain().await;
}
