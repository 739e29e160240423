//! startstop.

use startstop_core::{Context, Service};
use std::process::ExitCode;

#[derive(Service)]
#[service(start = hello)]
struct Hello;

impl Hello {
    async fn hello(&self, _cx: Context) {
        println!("hello");
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    startstop_core::run(Hello).await
}
