//! Child processes as services of startstop.
//!
//! A [`Process`] is a service whose attempts are runs of a program: each attempt spawns it once, in a
//! process group of its own, and has ended when that group is empty. On a stop the leader gets a signal,
//! and what is left of the group is killed before the deadline.
//!
//! ```
//! use startstop_core::Runner;
//! use startstop_process::{Process, Ready};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let server = Process::new("sh")
//!     .args(["-c", "echo listening; exec sleep 100"])
//!     .ready(Ready::line("listening"));
//! let runner = Runner::new(server);
//! runner.start().await.unwrap(); // returns once the line has been read
//! runner.stop().await.unwrap(); // to end by the stop signal is no failure
//! # }
//! ```
//!
//! # What the end of this process leaves alive
//!
//! Nothing where [`run`](startstop_core::run) and [`main`](startstop_core::main) leave it by force, since a service does not yield: all
//! groups are killed then, as if they were dropped. A `std::process::exit` of another one's is like a SIGKILL.
//!
//! # What a SIGKILL of this process leaves alive
//!
//! The children: nobody is left who could tell them. Under systemd the default `KillMode=control-group` ends them
//! with the unit by SIGTERM, `mixed` by SIGKILL, and `process` leaves them. A [`Subreaper`] (`PR_SET_CHILD_SUBREAPER`) is
//! gone with this process, and what was its becomes the init process's. In a container whose pid 1 is this program the
//! kernel ends all of it. Elsewhere the next start may find a port taken; a failure before the child was ready then says
//! by whom. A line that a child writes to a pipe that nobody reads any more ends it by SIGPIPE.
//!
//! # Platforms
//!
//! Linux 5.4 and later, for it needs pidfds. On other systems the crate is empty.
//!
//! # Features
//!
//! - `tracing`: `Output::tracing`, the lines of a child as events.
//! - `run`: `run_file` and the program `startstop-run`, a process supervisor on top of `startstop-host`; `run_as_init`.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg(target_os = "linux")]

mod signal;
mod error;
mod proc_fs;
mod look;
mod port;
mod subreaper;
mod niceness;
mod group;
mod output;
mod ready;
mod process;
mod file;
#[cfg(feature = "run")]
mod run;

/// The example of the front page is compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Page;

pub use error::ProcessError;
pub use file::{FileError, Mistake, Processes};
pub use output::{Line, Output, Stream};
pub use process::Process;
pub use ready::Ready;
#[cfg(feature = "run")]
pub use run::{check_file, run_file};
pub use signal::{ParseSignalError, Signal};
#[cfg(feature = "run")]
pub use startstop_host::run_as_init;
pub use subreaper::Subreaper;
