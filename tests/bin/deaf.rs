//! A service that does not listen to its stop, and has an hour for it.

use std::convert::Infallible;
use std::future::pending;
use std::process::ExitCode;
use std::time::Duration;

use startstop_core::{Context, Service, Settings};

struct Deaf;

impl Service for Deaf {
    type Error = Infallible;

    async fn run(&self, _cx: Context) -> Result<(), Infallible> {
        println!("running");
        pending().await
    }

    async fn shutdown(&self, _cx: Context) -> Result<(), Infallible> {
        println!("stopping");
        Ok(())
    }

    fn settings(&self) -> Settings {
        Settings::new().stop_timeout(Duration::from_secs(3600))
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    startstop_core::run(Deaf).await
}
