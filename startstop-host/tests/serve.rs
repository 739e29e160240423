//! Serving: what becomes of each kind of connection at a drain, a stop and a deadline.

mod app;
#[cfg(feature = "notify")]
mod descriptors;
mod goodbye;
mod http2;
mod limits;
mod others;
mod panics;
mod slow_readers;
#[cfg(feature = "tls")]
mod tls;
mod tunnels;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use startstop_core::{Context, Exit, Runner, Settings, State, service_fn_with};
use startstop_host::{Serve, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use app::{Gate, app};

const LONG: Duration = Duration::from_secs(20);

pub(crate) struct Server {
    pub(crate) runner: Runner<Boxed>,
    pub(crate) addr: SocketAddr,
    gate: Arc<Gate>,
}

type Boxed = startstop_core::BoxService;

impl Server {
    /// Asks for a stop, and returns when the server has heard of it.
    async fn begin_stop(&self) {
        self.runner.request_stop();
        self.runner.wait_for(State::Stopping).await;
    }

    /// Ends a drain before its time.
    async fn end_drain(&self) {
        let second = Duration::from_secs(1);
        self.runner.stop_within(second).await.unwrap();
    }

    /// Returns once a request for `/slow`, `/events` or `/upgrade` has arrived.
    async fn arrived(&self) {
        self.gate.arrived.notified().await;
    }
}

pub(crate) async fn server(settings: Settings) -> Server {
    server_with(settings, Serve::new()).await
}

pub(crate) async fn server_with(settings: Settings, serve: Serve) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let gate = Arc::new(Gate::default());
    let app = app(&gate);
    let state = (listener, app, serve);
    let service = service_fn_with(state, async |state, cx: Context| {
        let (listener, app, serve) = &*state;
        serve.clone().serve(cx, listener, app.clone()).await
    });
    let runner = Runner::with_settings(
        startstop_core::Service::boxed(service),
        settings.name("web"),
    );
    runner.start().await.unwrap();
    Server { runner, addr, gate }
}

async fn send_get(client: &mut TcpStream) {
    let request = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";
    client.write_all(request).await.unwrap();
}

/// A connection that has had one answer already, and is idle.
pub(crate) async fn idle(addr: SocketAddr) -> TcpStream {
    let mut client = TcpStream::connect(addr).await.unwrap();
    send_get(&mut client).await;
    assert!(
        read_until(&mut client, "web")
            .await
            .starts_with("HTTP/1.1 200")
    );
    client
}

async fn get_path(addr: SocketAddr, path: &str) -> TcpStream {
    let mut client = TcpStream::connect(addr).await.unwrap();
    let head = format!(
        "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: {}\r\nupgrade: echo\r\n\r\n",
        if path == "/upgrade" {
            "upgrade"
        } else {
            "keep-alive"
        }
    );
    client.write_all(head.as_bytes()).await.unwrap();
    client
}

/// Reads up to and with this text.
pub(crate) async fn read_until(client: &mut TcpStream, end: &str) -> String {
    let mut text = String::new();
    let mut buffer = [0; 1024];
    while !text.contains(end) {
        let read = timeout(LONG, client.read(&mut buffer))
            .await
            .expect("it comes")
            .unwrap();
        assert!(read > 0, "ended after {text:?}");
        text.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }
    text
}

/// Reads until the connection ends, however it does.
pub(crate) async fn rest(client: &mut TcpStream) -> String {
    let mut rest = Vec::new();
    let _ = timeout(LONG, client.read_to_end(&mut rest))
        .await
        .expect("it ends");
    String::from_utf8_lossy(&rest).into_owned()
}

#[tokio::test]
async fn a_request_bears_the_context_and_idle_connections_close_at_once() {
    let server = server(Settings::new()).await;
    let mut client = idle(server.addr).await;
    let begin = Instant::now();
    server.runner.stop().await.unwrap();
    assert!(
        begin.elapsed() < Duration::from_secs(2),
        "{:?}",
        begin.elapsed()
    );
    assert_eq!(rest(&mut client).await, "");
    assert_eq!(server.runner.wait().await, Exit::Stopped);
}

#[tokio::test]
async fn a_request_in_flight_is_finished() {
    let server = server(Settings::new().stop_timeout(LONG)).await;
    let mut client = get_path(server.addr, "/slow").await;
    server.arrived().await;
    server.begin_stop().await;
    server.gate.go.notify_one();
    let answer = rest(&mut client).await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("done"),
        "{answer}"
    );
    assert!(answer.contains("connection: close"), "{answer}");
    assert_eq!(server.runner.wait().await, Exit::Stopped);
}

#[tokio::test]
async fn a_request_that_lasts_is_dropped_at_the_deadline() {
    let server = server(Settings::new().stop_timeout(Duration::from_millis(200))).await;
    let mut client = get_path(server.addr, "/slow").await;
    server.arrived().await;
    server.runner.stop().await.unwrap_err();
    assert_eq!(rest(&mut client).await, "");
    assert_eq!(server.runner.wait().await, Exit::Aborted);
}

#[tokio::test]
async fn server_sent_events_end_at_the_stop() {
    let server = server(Settings::new().stop_timeout(LONG)).await;
    let mut client = get_path(server.addr, "/events").await;
    server.arrived().await;
    read_until(&mut client, "\r\n\r\n").await;
    timeout(LONG / 2, server.runner.stop())
        .await
        .expect("it ends")
        .unwrap();
    rest(&mut client).await;
}

#[tokio::test]
async fn half_a_head_holds_a_stop_up_for_half_of_the_time() {
    let server = server(Settings::new().stop_timeout(Duration::from_secs(2))).await;
    let mut client = TcpStream::connect(server.addr).await.unwrap();
    client.write_all(b"GET / HT").await.unwrap();
    idle(server.addr).await; // its bytes have come by then, or are on their way
    let begin = Instant::now();
    server.runner.stop().await.unwrap();
    assert!(
        begin.elapsed() < Duration::from_millis(1_900),
        "{:?}",
        begin.elapsed()
    );
    rest(&mut client).await;
}

#[tokio::test]
async fn an_upgraded_connection_reads_as_ended_after_half_of_the_time() {
    let server = server(Settings::new().stop_timeout(Duration::from_secs(4))).await;
    let mut client = get_path(server.addr, "/upgrade").await;
    server.arrived().await;
    read_until(&mut client, "\r\n\r\n").await;
    server.gate.go.notify_one(); // the callback lasts until its socket reads as ended
    let begin = Instant::now();
    server.runner.stop().await.unwrap();
    let took = begin.elapsed();
    assert!(
        took > Duration::from_millis(1_500) && took < Duration::from_millis(3_900),
        "{took:?}"
    );
    rest(&mut client).await;
}

#[tokio::test]
async fn an_upgraded_connection_is_closed_at_the_deadline() {
    let server = server(Settings::new().stop_timeout(Duration::from_millis(300))).await;
    let mut client = get_path(server.addr, "/upgrade").await;
    server.arrived().await;
    read_until(&mut client, "\r\n\r\n").await;
    server.runner.stop().await.unwrap_err(); // the callback never lets go of its socket
    assert_eq!(server.runner.wait().await, Exit::Aborted);
    server.gate.go.notify_one();
    rest(&mut client).await;
}

#[tokio::test]
async fn during_a_drain_answers_say_that_the_connection_closes() {
    let server = server(Settings::new().drain(LONG).stop_timeout(LONG)).await;
    let mut open = idle(server.addr).await;
    server.begin_stop().await;
    // A new connection is still accepted.
    let mut client = TcpStream::connect(server.addr).await.unwrap();
    send_get(&mut client).await;
    assert!(rest(&mut client).await.contains("connection: close"));
    // An idle connection is still answered.
    send_get(&mut open).await;
    assert!(rest(&mut open).await.contains("connection: close"));
    server.end_drain().await;
}

#[tokio::test]
async fn a_connection_that_waits_in_the_queue_is_taken() {
    let server = server(Settings::new().stop_timeout(LONG)).await;
    let addr = server.addr;
    let clients: Vec<_> = (0..20)
        .map(|_| std::net::TcpStream::connect(addr).unwrap())
        .collect();
    let asking: Vec<_> = clients
        .into_iter()
        .map(|client| {
            client.set_nonblocking(true).unwrap();
            tokio::spawn(async move {
                let mut client = TcpStream::from_std(client).unwrap();
                send_get(&mut client).await;
                rest(&mut client).await
            })
        })
        .collect();
    server.runner.stop().await.unwrap();
    for answer in asking {
        assert!(answer.await.unwrap().starts_with("HTTP/1.1 200"));
    }
}

#[tokio::test]
async fn a_listener_that_is_lent_outlives_restarts() {
    let server = server(Settings::new()).await;
    for _ in 0..5 {
        server.runner.restart().await.unwrap();
        idle(server.addr).await;
    }
    server.runner.stop().await.unwrap();
    // A client that connects now waits for the next start.
    let mut client = TcpStream::connect(server.addr).await.unwrap();
    send_get(&mut client).await;
    server.runner.start().await.unwrap();
    read_until(&mut client, "web").await;
    server.runner.stop().await.unwrap();
}

#[tokio::test]
async fn the_status_counts_connections_and_requests() {
    let server = server(Settings::new()).await;
    let _idle = idle(server.addr).await;
    let _slow = get_path(server.addr, "/slow").await;
    server.arrived().await;
    let shows = async {
        while server.runner.status().detail() != Some("2 connections, 1 requests in flight") {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(LONG, shows).await.expect("the detail is written");
    server.runner.stop_within(Duration::ZERO).await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn a_unix_socket_is_served() {
    let folder = std::env::temp_dir().join(format!("startstop-serve-{}", std::process::id()));
    let listener = tokio::net::UnixListener::bind(&folder).unwrap();
    let runner = Runner::new(service_fn_with(listener, async |listener, cx: Context| {
        serve(
            cx,
            &*listener,
            Router::new().route("/", get(async || "by file")),
        )
        .await
    }));
    runner.start().await.unwrap();
    let mut client = tokio::net::UnixStream::connect(&folder).await.unwrap();
    client.write_all(b"GET / HTTP/1.0\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("by file"), "{answer}");
    runner.stop().await.unwrap();
    std::fs::remove_file(folder).unwrap();
}
