//! A whole program: it keeps a child process alive, and ends in order on SIGTERM and SIGINT.
//!
//! Run it: `cargo run --example 11_whole_program`, or with a command that ends when its input does
//! after `--`. Press Ctrl-C, or send it SIGTERM.

use std::env;
use std::io;
use std::process::{ExitCode, Stdio};

use startstop_core::{Context, Permanent, RestartPolicy, Service, Settings, WithExitCode, on_exit};
use tokio::process::Command;

/// Runs a command, and runs it again when it fails.
struct Keeper {
    command: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
enum KeeperError {
    #[error("cannot run {command:?}")]
    Spawn { command: String, source: Permanent },
    #[error("the child could not be waited for")]
    Wait(#[from] io::Error),
    #[error("the child has failed: {0}")]
    Failed(std::process::ExitStatus),
}

impl Service for Keeper {
    type Error = KeeperError;

    async fn run(&self, cx: Context) -> Result<(), KeeperError> {
        let mut command = Command::new(&self.command[0]);
        // If the stop comes to its deadline, the child goes with this future.
        command.args(&self.command[1..]).stdin(Stdio::piped()).kill_on_drop(true);
        // Ctrl-C is for this process: it passes the stop on in its own way.
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn().map_err(|source| {
            let command = self.command[0].clone();
            // Trying again is of no use, and the program exits as a shell does.
            let source = Permanent::new(WithExitCode::new(source, 127));
            KeeperError::Spawn { command, source }
        })?;
        let input = child.stdin.take();
        println!("attempt {}: {} runs", cx.attempt(), self.command[0]);

        tokio::select! {
            _ = child.wait() => {}
            () = cx.cancelled() => drop(input), // for the child, this is the stop
        }
        let status = child.wait().await?;
        println!("{} has ended", self.command[0]);
        if status.success() { Ok(()) } else { Err(KeeperError::Failed(status)) }
    }

    fn settings(&self) -> Settings {
        Settings::new().name("keeper").restart(RestartPolicy::on_failure())
    }
}

fn main() -> ExitCode {
    let mut command: Vec<String> = env::args().skip(1).collect();
    if command.is_empty() {
        command.push("cat".to_owned());
    }
    on_exit(|| println!("the log is flushed")); // also where the child cannot be ended
    startstop_core::main(Keeper { command })
}
