//! An HTTP server, derived: its methods are marked, and it is ready once it listens.
//!
//! Run it: `cargo run --example 13_derived_http_server`

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::OnceLock;

use axum::Router;
use axum::routing::get;
use startstop_core::{Context, Runner, Service, service_methods};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[derive(Service)]
#[service(name = "http", error = io::Error, readiness = explicit, stop_timeout = "10s")]
struct Http {
    address: &'static str,
    bound: OnceLock<SocketAddr>,
}

#[service_methods]
impl Http {
    #[start]
    async fn serve(&self, cx: Context) -> io::Result<()> {
        let listener = TcpListener::bind(self.address).await?;
        let _ = self.bound.set(listener.local_addr()?);
        let router = Router::new().route("/", get(async || "hello\n"));

        // Only now does `start()` of the runner return.
        cx.ready();
        // When the stop comes, requests in flight are answered first. `axum::serve` alone would hold it for its whole deadline
        // for one client that has sent half a head.
        startstop_host::serve(cx, listener, router).await
    }

    #[stop]
    async fn announce(&self) {
        println!("no more requests");
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let http = Runner::new(Http {
        address: "127.0.0.1:0",
        bound: OnceLock::new(),
    });
    http.start().await?;

    let address = http.service().bound.get().expect("the server is ready");
    println!("{}", last_line(&request(address).await?));

    http.stop().await?;
    println!("{} is {}", http.name(), http.state());
    Ok(())
}

async fn request(address: &SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

fn last_line(answer: &str) -> &str {
    answer.lines().last().unwrap_or_default()
}
