//! A service that blocks its thread for ever; its `shutdown` tells how far the stop has come.
//!
//! The argument is how long, in milliseconds, each of its deadlines is. A second one says where it is: `in a group`, or
//! `behind a status`, in one that blocks its thread as well; or `behind a lock`, which it keeps from who asks what it is made of.

use std::convert::Infallible;
use std::env;
use std::future::pending;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Duration;

use startstop_core::{Context, Group, Runner, Service, Settings, Status};

struct Blocked {
    patience: Duration,
    /// Runs beside it and is told to stop with it. All that it shows of this is a status.
    hidden: Option<Runner<Blocked>>,
    lock: Option<Mutex<()>>,
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
        let _locked = self.lock.as_ref().map(Mutex::lock);
        println!("running");
        loop {
            std::thread::park();
        }
    }

    async fn shutdown(&self, _cx: Context) -> Result<(), Infallible> {
        println!("stopping");
        if let Some(hidden) = &self.hidden {
            hidden.request_stop();
        }
        let _aborted = Aborted;
        pending().await
    }

    fn settings(&self) -> Settings {
        Settings::new()
            .name("blocked")
            .stop_timeout(self.patience)
            .abort_timeout(self.patience)
    }

    fn children(&self) -> Vec<Status> {
        let _locked = self.lock.as_ref().map(Mutex::lock);
        self.hidden.iter().map(Runner::status).collect()
    }
}

// The services block two of the threads.
#[tokio::main(worker_threads = 3)]
async fn main() -> ExitCode {
    let patience = env::args().nth(1).and_then(|millis| millis.parse().ok());
    let patience = Duration::from_millis(patience.expect("a number of milliseconds is given"));
    let blocked = Blocked {
        patience,
        hidden: None,
        lock: None,
    };
    match env::args().nth(2).as_deref() {
        Some("in a group") => {
            let app = Group::builder("app").settings(Settings::new().abort_timeout(patience));
            startstop_core::run(app.with("blocked", blocked).build().expect("one name")).await
        }
        Some("behind a status") => {
            let hidden = Runner::with_settings(blocked, Settings::new().name("hidden"));
            hidden.start().await.expect("it is ready at once");
            startstop_core::run(Blocked {
                hidden: Some(hidden),
                patience,
                lock: None,
            })
            .await
        }
        Some("behind a lock") => {
            startstop_core::run(Blocked {
                lock: Some(Mutex::default()),
                ..blocked
            })
            .await
        }
        _ => startstop_core::run(blocked).await,
    }
}
