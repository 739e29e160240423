//! A service that counts its reload requests.

use std::process::ExitCode;

use startstop_core::{Context, service_fn};

async fn count(cx: Context) {
    println!("running");
    let mut reloads = 0;
    while cx.run_until_cancelled(cx.reloaded()).await.is_some() {
        reloads += 1;
        println!("reload {reloads} in cycle {}", cx.cycle());
    }
    println!("stopping");
}

#[tokio::main]
async fn main() -> ExitCode {
    startstop_core::run(service_fn(count)).await
}
