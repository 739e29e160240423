//! A service that is starting for ever.

use std::convert::Infallible;
use std::process::ExitCode;
use std::time::Duration;

use startstop_core::{Context, Readiness, Service, Settings};

struct Starting;

impl Service for Starting {
    type Error = Infallible;

    async fn run(&self, cx: Context) -> Result<(), Infallible> {
        println!("starting");
        cx.cancelled().await;
        println!("stopping");
        Ok(())
    }

    fn settings(&self) -> Settings {
        Settings::new()
            .readiness(Readiness::Explicit)
            .start_timeout(Duration::MAX)
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    startstop_core::run(Starting).await
}
