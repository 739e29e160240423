//! A replica on a folder: `replica FOLDER LOG`.

#[path = "../replicas/program.rs"]
mod program;

use std::env;
use std::process::ExitCode;

use startstop_fleet::Dir;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    let folder = arguments.next().expect("a folder");
    let log = arguments.next().expect("a log");
    program::replica(Dir::new(folder), log.into()).await
}
