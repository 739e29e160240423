//! The quickstart, derived: two methods of a struct become a service.
//!
//! Run it: `cargo run --example 12_derived_quickstart`

use std::error::Error;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use startstop_core::{Context, Runner, Service};
use tokio::io::AsyncWriteExt;

#[derive(Service)]
#[service(start = beat, stop = say_goodbye, stop_timeout = "1s", restart = on_failure)]
struct Heart {
    period: Duration,
    beats: AtomicU32,
}

impl Heart {
    /// Becomes `run`. It takes a context, to know when to end, and yields nothing.
    async fn beat(&self, cx: Context) {
        let mut ticks = tokio::time::interval(self.period);
        while cx.run_until_cancelled(ticks.tick()).await.is_some() {
            let beats = self.beats.fetch_add(1, Ordering::Relaxed) + 1;
            println!("beat {beats}");
            if beats == 3 {
                cx.request_stop();
            }
        }
    }

    /// Becomes `shutdown`. It needs no context, and may fail.
    async fn say_goodbye(&self) -> std::io::Result<()> {
        let mut stdout = tokio::io::stdout();
        stdout.write_all(b"goodbye\n").await?;
        stdout.flush().await
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let period = Duration::from_millis(20);
    let heart = Runner::new(Heart {
        period,
        beats: AtomicU32::new(0),
    });

    heart.start().await?;
    println!("{} has {}", heart.name(), heart.wait().await);
    Ok(())
}
