//! A whole program: it keeps a child process alive, and ends in order on SIGTERM and SIGINT, also where a service
//! manager sends them to the child as well.
//!
//! Run it: `cargo run --example 11_whole_program`, or with a command of your own after `--`. Press Ctrl-C, or
//! send it SIGTERM; kill the child, and it is started again.

use std::env;
use std::process::ExitCode;

use startstop_core::{
    BoxError, Context, Permanent, RestartPolicy, Service, Settings, WithExitCode, on_exit,
};
use startstop_process::{Process, ProcessError};

/// Runs a command, and runs it again when it fails.
struct Keeper {
    name: String,
    process: Process,
}

impl Service for Keeper {
    type Error = BoxError;

    async fn run(&self, cx: Context) -> Result<(), BoxError> {
        println!("attempt {}: {} runs", cx.attempt(), self.name);
        // It tells the child to stop when this service is told, and kills its whole group before the deadline.
        let ended = self.process.run(cx).await;
        println!("{} has ended", self.name);
        ended.map_err(|error| match error {
            // Trying again is of no use, and the program exits as a shell does.
            ProcessError::NotFound { .. } => Permanent::new(WithExitCode::new(error, 127)).into(),
            _ => error.into(),
        })
    }

    fn settings(&self) -> Settings {
        Service::settings(&self.process).name("keeper")
    }
}

fn main() -> ExitCode {
    let mut command = env::args().skip(1);
    let (name, args) = match command.next() {
        Some(name) => (name, command.collect()),
        None => ("sleep".to_owned(), vec!["1000".to_owned()]),
    };
    let settings = Settings::new().restart(RestartPolicy::on_failure());
    let process = Process::new(&name).args(args).settings(settings);
    on_exit(|| println!("the log is flushed")); // also where the child cannot be ended
    startstop_core::main(Keeper { name, process })
}
