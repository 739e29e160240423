//! Tunnels: CONNECT in HTTP/2, where one connection bears many of them, and in HTTP/1.1, where it becomes one.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::Request;
use axum::http::Method;
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::ext::Protocol;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use startstop_core::{
    BoxService, Context, Exit, Runner, Service, Settings, State, service_fn_with,
};
use startstop_host::Serve;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::http2::{Sender, client, request};
use super::{LONG, read_until};

const SHORT: Duration = Duration::from_millis(300);

/// Sends back what it receives.
const FAR: &str = "far.example:443";

/// Says nothing, and listens to the end.
const LISTENER: &str = "listener.example:443";

type Tunnel = TokioIo<Upgraded>;

/// A server of nothing but tunnels.
struct Proxy {
    runner: Runner<BoxService>,
    addr: SocketAddr,
    /// Told when a tunnel reads as ended on the side of the server.
    ended: Arc<Notify>,
}

/// Does with a tunnel as the host there does, and answers other requests when all of them has come.
async fn app(request: Request, ended: Arc<Notify>) {
    if request.method() != Method::CONNECT {
        request.into_body().collect().await.unwrap();
        return;
    }
    let to_listener = request.uri().host() == Some("listener.example");
    tokio::spawn(async move {
        let upgraded = hyper::upgrade::on(request).await.expect("it is a tunnel");
        let (mut from, mut to) = tokio::io::split(TokioIo::new(upgraded));
        if to_listener {
            to.shutdown().await.unwrap();
            from.read_to_end(&mut Vec::new()).await.unwrap();
        } else {
            let _ = tokio::io::copy(&mut from, &mut to).await;
        }
        ended.notify_one();
    });
}

async fn proxy(settings: Settings, serve: Serve) -> Proxy {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let ended = Arc::new(Notify::new());
    let tells = Arc::clone(&ended);
    let app = Router::new().fallback(async move |request| app(request, tells).await);
    let service = service_fn_with((listener, app, serve), async |state, cx: Context| {
        let (listener, app, serve) = &*state;
        serve.clone().serve(cx, listener, app.clone()).await
    });
    let runner = Runner::with_settings(service.boxed(), settings);
    runner.start().await.unwrap();
    Proxy {
        runner,
        addr,
        ended,
    }
}

impl Proxy {
    /// Returns once as much time is over as a connection may be idle: one that is was closed.
    async fn idle_time_is_over(&self) {
        let (mut sender, connection) = client(self.addr).await;
        answered(&mut sender).await;
        connection.await.unwrap();
    }
}

async fn answered(sender: &mut Sender) {
    sender.send_request(request("/")).await.unwrap();
}

async fn connect(sender: &mut Sender, to: &str) -> Tunnel {
    let request = Request::connect(to).body(Empty::<Bytes>::new());
    open(sender, request.unwrap()).await
}

async fn open(sender: &mut Sender, request: hyper::Request<Empty<Bytes>>) -> Tunnel {
    let answer = sender.send_request(request).await.unwrap();
    assert_eq!(answer.status(), 200);
    TokioIo::new(hyper::upgrade::on(answer).await.unwrap())
}

async fn opened(proxy: &Proxy) -> (Tunnel, Sender, JoinHandle<()>) {
    let (mut sender, connection) = client(proxy.addr).await;
    let tunnel = connect(&mut sender, FAR).await;
    (tunnel, sender, connection)
}

async fn echoes(tunnel: &mut Tunnel) {
    tunnel.write_all(b"to and fro").await.unwrap();
    let mut back = [0; 10];
    let read = tunnel.read_exact(&mut back);
    timeout(LONG, read).await.expect("it comes").unwrap();
    assert_eq!(&back, b"to and fro");
}

fn strict() -> Serve {
    Serve::new().idle_timeout(SHORT).header_timeout(SHORT)
}

#[tokio::test]
async fn a_connection_with_a_tunnel_is_not_idle() {
    let proxy = proxy(Settings::new(), strict()).await;
    let (mut tunnel, _sender, connection) = opened(&proxy).await;
    for _ in 0..3 {
        proxy.idle_time_is_over().await;
        echoes(&mut tunnel).await;
    }
    // It is when the tunnel has gone.
    drop(tunnel);
    timeout(LONG, connection).await.expect("it ends").unwrap();
    proxy.runner.stop().await.unwrap();
}

/// The task of hyper has ended by then.
#[tokio::test]
async fn a_connection_is_not_idle_while_a_tunnel_brings_something_that_bears_nothing_back() {
    let proxy = proxy(Settings::new(), strict()).await;
    let (mut sender, _connection) = client(proxy.addr).await;
    let mut tunnel = connect(&mut sender, LISTENER).await;
    assert_eq!(tunnel.read(&mut [0; 8]).await.unwrap(), 0);
    let mut over = std::pin::pin!(async {
        for _ in 0..4 {
            proxy.idle_time_is_over().await;
        }
    });
    loop {
        tokio::select! {
            () = over.as_mut() => break,
            () = tokio::time::sleep(SHORT / 6) => tunnel.write_all(b"more").await.unwrap(),
        }
    }
    tunnel.shutdown().await.unwrap();
    let heard = timeout(LONG, proxy.ended.notified());
    heard.await.expect("all of it is heard");
    proxy.runner.stop().await.unwrap();
}

#[tokio::test]
async fn a_websocket_of_http2_is_a_tunnel() {
    let proxy = proxy(Settings::new(), strict()).await;
    let (mut sender, _connection) = client(proxy.addr).await;
    // The settings of the server have come by then.
    answered(&mut sender).await;
    let request = Request::connect("http://far.example/chat");
    let request = request.extension(Protocol::from_static("websocket"));
    let mut tunnel = open(&mut sender, request.body(Empty::new()).unwrap()).await;
    proxy.idle_time_is_over().await;
    proxy.idle_time_is_over().await;
    echoes(&mut tunnel).await;
    drop(tunnel);
    proxy.runner.stop().await.unwrap();
}

#[tokio::test]
async fn a_tunnel_goes_on_during_a_drain_and_for_half_of_a_stop() {
    let settings = Settings::new().drain(LONG);
    let proxy = proxy(settings.stop_timeout(Duration::from_secs(4)), strict()).await;
    let (mut tunnel, mut sender, connection) = opened(&proxy).await;
    proxy.runner.request_stop();
    proxy.runner.wait_for(State::Stopping).await;
    // It goes away as soon as its tunnels have ended.
    while sender.ready().await.is_ok() && sender.send_request(request("/")).await.is_ok() {}
    echoes(&mut tunnel).await;
    let begin = Instant::now();
    proxy
        .runner
        .stop_within(Duration::from_secs(4))
        .await
        .unwrap();
    let took = begin.elapsed();
    proxy.ended.notified().await;
    let half = Duration::from_millis(1_500)..Duration::from_millis(3_900);
    assert!(half.contains(&took), "{took:?}");
    connection.await.unwrap();
}

#[tokio::test]
async fn a_tunnel_that_ends_after_a_stop_lets_its_connection_go() {
    let proxy = proxy(Settings::new().stop_timeout(LONG), strict()).await;
    let (mut tunnel, _sender, connection) = opened(&proxy).await;
    proxy.runner.request_stop();
    proxy.runner.wait_for(State::Stopping).await;
    echoes(&mut tunnel).await;
    drop(tunnel);
    let stopped = timeout(LONG / 4, proxy.runner.wait());
    assert_eq!(stopped.await.expect("it ends"), Exit::Stopped);
    connection.await.unwrap();
}

/// In HTTP/1.1 the whole connection becomes the tunnel.
#[tokio::test]
async fn a_tunnel_of_http1_is_not_told_to_close() {
    let settings = Settings::new().drain(LONG).stop_timeout(LONG);
    let proxy = proxy(settings, strict()).await;
    proxy.runner.request_stop();
    proxy.runner.wait_for(State::Stopping).await;
    let mut client = TcpStream::connect(proxy.addr).await.unwrap();
    let head = b"CONNECT far.example:443 HTTP/1.1\r\nhost: far.example:443\r\n\r\n";
    client.write_all(head).await.unwrap();
    let answer = read_until(&mut client, "\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(!answer.contains("close"), "{answer}");
    client.write_all(b"to and fro").await.unwrap();
    read_until(&mut client, "to and fro").await;
    drop(client);
    proxy.ended.notified().await;
    let second = Duration::from_secs(1);
    proxy.runner.stop_within(second).await.unwrap();
}

#[tokio::test]
async fn a_tunnel_of_http1_is_not_idle() {
    let proxy = proxy(Settings::new(), strict()).await;
    let mut client = TcpStream::connect(proxy.addr).await.unwrap();
    let head = b"CONNECT far.example:443 HTTP/1.1\r\nhost: far.example:443\r\n\r\n";
    client.write_all(head).await.unwrap();
    read_until(&mut client, "\r\n\r\n").await;
    for _ in 0..3 {
        proxy.idle_time_is_over().await;
        client.write_all(b"to and fro").await.unwrap();
        read_until(&mut client, "to and fro").await;
    }
    drop(client);
    proxy.runner.stop().await.unwrap();
}

/// A body that comes slowly keeps its connection as a tunnel does.
#[tokio::test]
async fn a_connection_with_half_a_body_is_not_idle() {
    let proxy = proxy(Settings::new(), strict()).await;
    let mut client = TcpStream::connect(proxy.addr).await.unwrap();
    let head = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\n";
    client.write_all(head).await.unwrap();
    for _ in 0..3 {
        proxy.idle_time_is_over().await;
        client.write_all(b"x").await.unwrap();
    }
    let answer = read_until(&mut client, "\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    proxy.runner.stop().await.unwrap();
}
