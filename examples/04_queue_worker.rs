//! A queue worker: each job is a task of the service, which has not ended before they have.
//!
//! Run it: `cargo run --example 04_queue_worker`

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs, io, process};

use startstop_core::{Context, Runner, Service};
use tokio::sync::{Mutex, mpsc};

/// Counts the lines of the files that it is sent.
struct Counter {
    queue: Mutex<mpsc::Receiver<PathBuf>>,
    lines: Arc<AtomicUsize>,
}

impl Service for Counter {
    type Error = io::Error;

    async fn run(&self, cx: Context) -> io::Result<()> {
        let mut queue = self.queue.lock().await;
        // After a stop no job is taken any more: what is in the queue is there for the next start.
        while let Some(Some(path)) = cx.run_until_cancelled(queue.recv()).await {
            let lines = self.lines.clone();
            cx.spawn(async move {
                let text = tokio::fs::read_to_string(path).await?;
                lines.fetch_add(text.lines().count(), Ordering::Relaxed);
                io::Result::Ok(())
            });
        }
        println!("the queue is at its end");
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::temp_dir().join(format!("startstop-04-{}", process::id()));
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("a.txt"), "one\ntwo\n")?;
    fs::write(folder.join("b.txt"), "three\n")?;

    let (jobs, queue) = mpsc::channel(8);
    let lines = Arc::new(AtomicUsize::new(0));
    let counter = Runner::new(Counter {
        queue: Mutex::new(queue),
        lines: lines.clone(),
    });
    counter.start().await?;
    for name in ["a.txt", "missing.txt", "b.txt"] {
        jobs.send(folder.join(name)).await?;
    }
    drop(jobs);
    counter.wait().await;

    println!("{} lines", lines.load(Ordering::Relaxed));
    for failure in counter.errors_list() {
        let error = failure
            .error()
            .downcast_ref::<io::Error>()
            .map(io::Error::kind);
        println!("{failure}: {error:?}");
    }
    fs::remove_dir_all(folder)?;
    Ok(())
}
