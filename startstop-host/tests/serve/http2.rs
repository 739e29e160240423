//! HTTP/2: told to go away at a drain and at a stop, with what is in flight finished.

use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::rt::{TokioExecutor, TokioIo};
use startstop_core::{Exit, Settings, State};
use tokio::net::TcpStream;

use super::{LONG, server};

type Sender = hyper::client::conn::http2::SendRequest<Empty<Bytes>>;

async fn client(addr: std::net::SocketAddr) -> (Sender, tokio::task::JoinHandle<()>) {
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

fn request(path: &str) -> Request<Empty<Bytes>> {
    Request::get(format!("http://x{path}"))
        .body(Empty::new())
        .unwrap()
}

async fn text(response: hyper::Response<hyper::body::Incoming>) -> String {
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

#[tokio::test]
async fn a_stream_in_flight_is_finished() {
    let server = server(Settings::new().stop_timeout(LONG)).await;
    let (mut sender, connection) = client(server.addr).await;
    let answer = tokio::spawn(sender.send_request(request("/slow")));
    server.gate.arrived.notified().await;
    server.runner.request_stop();
    server.runner.wait_for(State::Stopping).await;
    server.gate.go.notify_one();
    assert_eq!(text(answer.await.unwrap().unwrap()).await, "done");
    assert_eq!(server.runner.wait().await, Exit::Stopped);
    connection.await.unwrap();
}

#[tokio::test]
async fn a_connection_is_told_to_go_away_when_the_drain_begins() {
    let server = server(Settings::new().drain(LONG).stop_timeout(LONG)).await;
    let (mut sender, connection) = client(server.addr).await;
    let answer = tokio::spawn(sender.send_request(request("/slow")));
    server.gate.arrived.notified().await;
    server.runner.request_stop();
    server.runner.wait_for(State::Stopping).await;
    server.gate.go.notify_one();
    assert_eq!(text(answer.await.unwrap().unwrap()).await, "done");
    // It ends within the drain, of its own accord.
    connection.await.unwrap();
    server
        .runner
        .stop_within(std::time::Duration::from_secs(1))
        .await
        .unwrap();
}
