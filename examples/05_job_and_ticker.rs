//! A job that is ready when it is done (`once`), and a function that is called each period (`every`).
//!
//! Run it: `cargo run --example 05_job_and_ticker`

use std::error::Error;
use std::path::Path;
use std::time::Duration;
use std::{env, fs, process};

use startstop_core::{BoxError, Runner, every, once};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let file = env::temp_dir().join(format!("startstop-05-{}", process::id()));

    let path = file.clone();
    let create = Runner::new(once(move |_cx| {
        let path = path.clone();
        async move { tokio::fs::write(path, "0").await }
    }));
    create.start().await?; // returns when the job is done
    println!("created with {}", fs::read_to_string(&file)?);
    println!(
        "the job has {}, ready: {}",
        create.wait().await,
        create.is_ready()
    );

    let path = file.clone();
    let count = Runner::new(every(Duration::from_millis(10), move |cx| {
        let path = path.clone();
        async move {
            let now = increment(&path)?;
            if now == 3 {
                cx.request_stop();
            }
            // An error is recorded, and the next call comes in time.
            if now == 2 {
                Err::<(), BoxError>("two is no good".into())
            } else {
                Ok(())
            }
        }
    }));
    count.start().await?;
    println!("the ticker has {}", count.wait().await);
    println!("counted to {}", fs::read_to_string(&file)?);
    for failure in count.errors_list() {
        println!("{failure}: {}", failure.error());
    }
    fs::remove_file(file)?;
    Ok(())
}

fn increment(path: &Path) -> Result<u32, BoxError> {
    let next = fs::read_to_string(path)?.parse::<u32>()? + 1;
    fs::write(path, next.to_string())?;
    Ok(next)
}
