//! A service by hand, on the crates that startstop is built on.

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use async_trait::async_trait;
use thiserror::Error;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

#[derive(Debug, Error)]
enum Failed {
    #[error("it cannot hear signals")]
    Signals(#[from] io::Error),
    #[error("the service does not stop")]
    Late,
    #[error("the service has panicked")]
    Panicked(#[from] tokio::task::JoinError),
}

#[async_trait]
trait Service: Send + Sync {
    async fn run(&self, token: CancellationToken) -> Result<(), Failed>;
}

struct Hello;

#[async_trait]
impl Service for Hello {
    async fn run(&self, _token: CancellationToken) -> Result<(), Failed> {
        println!("hello");
        Ok(())
    }
}

async fn served(service: Box<dyn Service>) -> Result<(), Failed> {
    let token = CancellationToken::new();
    let [mut int, mut term] = [
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
    ];
    let told = token.clone();
    let mut task = tokio::spawn(async move { service.run(told).await });
    tokio::select! {
        ended = &mut task => return ended?,
        _ = int.recv() => {}
        _ = term.recv() => {}
    }
    token.cancel();
    let Ok(ended) = timeout(Duration::from_secs(5), &mut task).await else {
        task.abort();
        return Err(Failed::Late);
    };
    ended?
}

#[tokio::main]
async fn main() -> ExitCode {
    let result = served(Box::new(Hello)).await;
    let restored = signal_hook::flag::register_conditional_default;
    let flag = || std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    for number in [SignalKind::interrupt(), SignalKind::terminate()] {
        drop(restored(number.as_raw_value(), flag()));
    }
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
