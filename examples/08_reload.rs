//! A service that reads its configuration again on SIGHUP, and ends on SIGTERM (Unix).
//!
//! Run it: `cargo run --example 08_reload`

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs, io, process};

use startstop_core::{Context, Runner, Service};
use tokio::process::Command;
use tokio::sync::watch;

struct Greeter {
    file: PathBuf,
    greeting: watch::Sender<String>,
}

impl Service for Greeter {
    type Error = io::Error;

    async fn run(&self, cx: Context) -> io::Result<()> {
        loop {
            let greeting = tokio::fs::read_to_string(&self.file).await?;
            println!("the greeting is {greeting:?}");
            self.greeting.send_replace(greeting);
            if cx.run_until_cancelled(cx.reloaded()).await.is_none() {
                return Ok(());
            }
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let file = env::temp_dir().join(format!("startstop-08-{}", process::id()));
    fs::write(&file, "hello")?;
    let (greeting, mut seen) = watch::channel(String::new());
    let runner = Runner::new(Greeter {
        file: file.clone(),
        greeting,
    });

    let operator = async {
        seen.wait_for(|greeting| greeting == "hello").await?;
        fs::write(&file, "good evening")?;
        send("HUP").await?;
        seen.wait_for(|greeting| greeting == "good evening").await?;
        send("TERM").await
    };
    let (exit, operated) = tokio::join!(runner.run_until_signal(), operator);
    operated?;
    println!("{} in cycle {}", exit?, runner.status().cycles());
    fs::remove_file(file)?;
    Ok(())
}

/// Sends this process a real signal.
async fn send(signal: &str) -> Result<(), Box<dyn Error>> {
    println!("SIG{signal}");
    let kill = format!("kill -{signal} {}", process::id());
    let status = Command::new("sh").args(["-c", &kill]).status().await?;
    if status.success() {
        Ok(())
    } else {
        Err("kill failed".into())
    }
}
