//! A service that blocks its thread for ever; its `shutdown` tells how far the stop has come.
//!
//! The argument is how long, in milliseconds, each of its deadlines is; with a second one it is the member of a group.

use std::convert::Infallible;
use std::env;
use std::future::pending;
use std::process::ExitCode;
use std::time::Duration;

use startstop_core::{Context, Group, Service, Settings};

struct Blocked {
    patience: Duration,
}

/// Says that the future it lives in was dropped.
struct Aborted;

impl Drop for Aborted {
    fn drop(&mut self) {
        println!("aborting");
    }
}

impl Service for Blocked {
    type Error = Infallible;

    async fn run(&self, _cx: Context) -> Result<(), Infallible> {
        println!("running");
        loop {
            std::thread::park();
        }
    }

    async fn shutdown(&self, _cx: Context) -> Result<(), Infallible> {
        println!("stopping");
        let _aborted = Aborted;
        pending().await
    }

    fn settings(&self) -> Settings {
        Settings::new().name("blocked").stop_timeout(self.patience).abort_timeout(self.patience)
    }
}

// The service takes one of the threads.
#[tokio::main(worker_threads = 2)]
async fn main() -> ExitCode {
    let patience = env::args().nth(1).and_then(|millis| millis.parse().ok());
    let patience = Duration::from_millis(patience.expect("a number of milliseconds is given"));
    let blocked = Blocked { patience };
    if env::args().nth(2).is_none() {
        return startstop_core::run(blocked).await;
    }
    let app = Group::builder("app").settings(Settings::new().abort_timeout(patience));
    startstop_core::run(app.with("blocked", blocked).build().expect("one name")).await
}
