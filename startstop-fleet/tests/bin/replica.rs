//! A replica on a folder: `replica FOLDER JOURNAL`.

#[path = "../replicas/program.rs"]
mod program;

use std::env;
use std::process::ExitCode;

use startstop_fleet::Dir;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    let folder = arguments.next().expect("a folder");
    let journal = arguments.next().expect("a journal");
    program::replica(Dir::new(folder), journal.into()).await
}
