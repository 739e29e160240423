//! Child processes beside a service: one that it needs, and one that fails and says why.
//!
//! Run it: `cargo run --example 17_sidecars`

use std::time::Duration;

use startstop_core::{Group, Member, OnFailure, Runner, service_fn};
use startstop_process::{Output, Process, Ready};

/// Stands for a server: it is up after a while, and says so.
fn cache() -> Process {
    Process::new("sh")
        .args(["-c", "sleep 0.1; echo ready to accept; exec sleep 1000"])
        .ready(Ready::line("ready to accept"))
        .output(Output::null())
}

/// Fails at once.
fn exporter() -> Process {
    Process::new("sh")
        .args(["-c", "echo no such collector >&2; exit 3"])
        .output(Output::null())
}

#[tokio::main]
async fn main() {
    let app = Group::builder("app")
        .with("cache", cache())
        .with(
            "exporter",
            Member::new(exporter()).on_failure(OnFailure::Ignore),
        )
        .with(
            "http",
            Member::new(service_fn(async |cx| cx.cancelled().await)).after(["cache"]),
        )
        .build()
        .expect("the names are right");
    let app = Runner::new(app);
    app.start().await.expect("it starts");
    println!("http runs, for the cache is ready");
    let exporter = app.service().get("exporter").expect("it is a member");
    exporter.wait().await;
    if let Some(failure) = exporter.errors_last() {
        println!("exporter {}", failure.error());
    }
    app.stop_within(Duration::from_secs(5))
        .await
        .expect("it stops");
    println!("all of it has ended: {:?}", app.wait().await);
}
