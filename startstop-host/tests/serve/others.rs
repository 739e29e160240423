//! Stops of other servers, where `serve` does otherwise: docs/production.md tells of them, and these tests tell if they
//! change.

use std::io;
use std::net::{SocketAddr, TcpListener as Listener};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use startstop_core::{Context, Runner, Service, Settings, StopError, service_fn_with};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use super::{Gate, read_until, rest};

const SHORT: Duration = Duration::from_millis(500);

/// A server of another crate, and its address.
struct Alone {
    listener: Listener,
    gate: Arc<Gate>,
}

async fn run(alone: Arc<Alone>, cx: Context) -> io::Result<()> {
    let listener = TcpListener::from_std(alone.listener.try_clone()?)?;
    let gate = Arc::clone(&alone.gate);
    let slow = async move || {
        gate.arrived.notify_one();
        gate.go.notified().await;
        "slow"
    };
    let app = Router::new()
        .route("/", get(async || "axum"))
        .route("/slow", get(slow));
    axum::serve(listener, app)
        .with_graceful_shutdown(cx.cancelled_owned())
        .await
}

async fn started(stop_timeout: Duration) -> (Runner<impl Service>, SocketAddr, Arc<Gate>) {
    let listener = Listener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let (addr, gate) = (listener.local_addr().unwrap(), Arc::new(Gate::default()));
    let alone = Alone {
        listener,
        gate: Arc::clone(&gate),
    };
    let settings = Settings::new().stop_timeout(stop_timeout);
    let runner = Runner::with_settings(service_fn_with(alone, run), settings);
    runner.start().await.unwrap();
    (runner, addr, gate)
}

async fn ask(client: &mut TcpStream, path: &str) {
    let head = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
    client.write_all(head.as_bytes()).await.unwrap();
}

/// axum 0.8.9.
#[tokio::test]
async fn axum_alone_holds_a_stop_for_its_whole_deadline_for_half_a_head() {
    let (runner, addr, _) = started(SHORT).await;
    let mut half = TcpStream::connect(addr).await.unwrap();
    half.write_all(b"GET / HT").await.unwrap();
    // An answer to the second client means that the first was accepted.
    let mut other = TcpStream::connect(addr).await.unwrap();
    ask(&mut other, "/").await;
    read_until(&mut other, "axum").await;
    let begin = Instant::now();
    let stopped = runner.stop().await;
    assert!(matches!(stopped, Err(StopError::TimedOut)), "{stopped:?}");
    assert!(begin.elapsed() >= SHORT);
}

/// axum 0.8.9.
#[tokio::test]
async fn connections_of_axum_alone_outlive_the_stop() {
    let (runner, addr, gate) = started(Duration::ZERO).await;
    let mut client = TcpStream::connect(addr).await.unwrap();
    ask(&mut client, "/slow").await;
    gate.arrived.notified().await;
    runner.stop().await.unwrap();
    gate.go.notify_one();
    read_until(&mut client, "slow").await;
}

/// The same with `serve`.
#[tokio::test]
async fn no_connection_of_serve_outlives_the_stop() {
    let server = super::server(Settings::new().stop_timeout(Duration::ZERO)).await;
    let mut client = super::get_path(server.addr, "/slow").await;
    server.arrived().await;
    server.runner.stop().await.unwrap();
    server.gate.go.notify_one();
    assert_eq!(rest(&mut client).await, "");
}
