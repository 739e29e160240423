//! An axum server that stops gracefully: a request in flight still gets its answer.
//!
//! `axum::serve` alone holds a stop for its whole deadline for one client that has sent half a head; `serve` gives that client half
//! of the time that is left, and no connection outlives the stop.
//!
//! Run it: `cargo run --example 03_http_server`, or with an address of your own after `--`. Then, with
//! the address that it prints, `(echo one; sleep 10; echo two) | curl -T - http://ADDRESS/upload`, and
//! press Ctrl-C in the server while the upload lasts.

use std::env;
use std::io;
use std::process::ExitCode;
use std::time::Duration;

use axum::Router;
use axum::body::{self, Body};
use axum::http::StatusCode;
use axum::routing::{get, put};
use startstop_core::{Context, Readiness, Service, Settings};
use startstop_host::serve;
use tokio::net::TcpListener;

struct Http {
    addr: String,
}

impl Service for Http {
    type Error = io::Error;

    async fn run(&self, cx: Context) -> io::Result<()> {
        let listener = TcpListener::bind(&self.addr).await?;
        println!("listening on http://{}", listener.local_addr()?);
        cx.ready();
        let app = Router::new()
            .route("/", get(async || "hello\n"))
            .route("/upload", put(upload));
        serve(cx, listener, app).await
    }

    async fn shutdown(&self, cx: Context) -> io::Result<()> {
        let left = cx
            .remaining()
            .unwrap_or(Duration::MAX)
            .as_secs_f32()
            .round();
        println!("stopping: requests in flight have {left} seconds");
        Ok(())
    }

    fn settings(&self) -> Settings {
        let patience = Duration::from_secs(30);
        Settings::new()
            .name("http")
            .readiness(Readiness::Explicit)
            .stop_timeout(patience)
    }
}

/// Takes as long as its client does.
async fn upload(request: Body) -> Result<String, StatusCode> {
    println!("an upload begins");
    let bytes = body::to_bytes(request, 1 << 20)
        .await
        .map_err(|_| StatusCode::BAD_REQUEST)?;
    println!("an upload ends");
    Ok(format!("got {} bytes\n", bytes.len()))
}

fn main() -> ExitCode {
    let addr = env::args()
        .nth(1)
        .unwrap_or_else(|| "127.0.0.1:0".to_owned());
    startstop_core::main(Http { addr })
}
