//! Services that start, stop, restart and are watched.
//!
//! A **service** is a value with two methods: `run` does the work until it is told to stop, `shutdown` makes it stop
//! gracefully. A **runner** drives one service through its life, again and again, and records what went wrong.
//!
//! ```
//! use startstop_core::{Runner, State, service_fn};
//! use tokio::net::TcpListener;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = service_fn(async |cx| {
//!     let listener = TcpListener::bind("127.0.0.1:0").await?;
//!     while let Some(client) = cx.run_until_cancelled(listener.accept()).await {
//!         println!("hello, {}", client?.1);
//!     }
//!     Ok::<(), std::io::Error>(())
//! });
//! let runner = Runner::new(server);
//!
//! runner.start().await?;
//! assert!(runner.is_running());
//! runner.stop().await?; // run, shutdown and its tasks have ended
//! assert_eq!(runner.state(), State::Stopped);
//! assert!(runner.errors_list().is_empty());
//! # Ok(())
//! # }
//! ```
//!
//! | word | meaning |
//! |---|---|
//! | service | a value that implements [`Service`] |
//! | runner | [`Runner<S>`](Runner): starts, stops, restarts and watches one service |
//! | cycle | from a start to the moment the service has fully ended; numbered from 1 per runner |
//! | attempt | one call of [`Service::run`]; a [`RestartPolicy`] may make several in one cycle |
//! | failure | one recorded error: what failed, in which phase, when: [`Failure`] |
//! | ready | the service can do its job, or has done it: [`Readiness`] |
//!
//! # Where to go next
//!
//! - Make a service: from functions by [`service_fn`], [`service_fn_with`], [`once`] (a job), [`every`] (a
//!   period) or [`blocking_fn`] (synchronous code); of a type of your own by [`Service`].
//! - Inside the service, [`Context`] signals when to stop, and accepts what the service reports: readiness, errors, heartbeats
//!   and the tasks it spawns.
//! - Set timeouts, readiness and restarts by [`Settings`].
//! - Drive it by [`Runner`]; several of different types by `Arc<dyn` [`StartStop`]`>`.
//! - Put services that depend on each other into a [`Group`]: it starts them in order and stops them in reverse.
//! - Read what went wrong: [`StartError`] and [`StopError`] at once, [`History`] and [`Status`] later, [`Events`] as it happens.
//! - Make it a whole program, with signals and an exit code: `main`, or `run` in an async `main` of your own, with the feature
//!   `signal`.
//!
//! # Promises
//!
//! 1. A runner never runs two attempts at once, whichever methods are called and from whichever threads.
//! 2. A failure is in the history before the state becomes [`State::Stopped`].
//! 3. A stop is never lost, also right after a start.
//! 4. Dropping a future breaks nothing: once polled, the operation goes on to its end.
//! 5. After `Stopped` nothing of the service is left running that the runner knows of: `run`, `shutdown`, every task spawned
//!    through its context, every timer. What it spawns by other means, such as `tokio::spawn`, is its own affair. Await
//!    [`stop`](Runner::stop) before leaving `main`.
//! 6. Panics are failures.
//! 7. The runtime may end: then the service is [`Exit::Aborted`].
//! 8. Reading a state takes no lock.
//! 9. Time is tokio's: under `tokio::time::pause` every timeout is deterministic.
//! 10. Nothing holds a deadline up, as long as one worker is free. A process under `run` or `main` ends in time without one as
//!     well, with one worker or a single thread: it exits with 1 when no worker was free for an `abort_timeout` after a
//!     service was given up, and at the latest when [`grace_period`](Runner::grace_period) and a second have passed since a
//!     signal. Elsewhere what blocks the only worker holds up what is on it until it yields.
//!
//! # Features
//!
//! - `derive` (default): `#[derive(Service)]` beside the trait.
//! - `signal` (default): `main`, `main_on`, `run`, `on_exit`, and `Runner::run_until_signal`.
//! - `tracing`: a span for each attempt, an event for each step of a cycle.
//! - `serde`: `Serialize` for states, exits, statuses, failures and events.
//! - `stream`: [`Events`] as a `futures_core::Stream`.

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "signal")]
mod program;
mod group;
mod runner;
mod service;
mod engine;
mod rules;
mod settings;
mod report;
mod sync;
#[cfg(all(test, startstop_loom))]
mod models;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

pub use group::{
    DependencyFailed, Group, GroupBuilder, GroupError, IntoMember, Member, OnCompletion, OnFailure,
};
#[cfg(feature = "signal")]
#[doc(hidden)]
pub use program::{__leave, __main_until, __on_leave, __run_until};
#[cfg(feature = "signal")]
pub use program::{main, main_on, on_exit, run};
pub use report::error::{ReloadError, StartError, StopError, Unresponsive};
pub use report::event::{Event, EventKind, Events};
pub use report::exit_code::WithExitCode;
pub use report::failure::{Failure, Interruption};
pub use report::history::History;
pub use report::outcome::Outcome;
pub use report::panic::{BoxError, PanicError};
pub use report::permanent::Permanent;
pub use report::state::{Cause, Exit, Phase, Readiness, State};
pub use report::status::Status;
pub use report::stop_reason::StopReason;
pub use runner::{AttachError, Runner, StartStop, StateWatch, WeakRunner};
pub use service::context::{Cancelled, CancelledOwned, Context, Probe, Reload};
pub use service::func::{
    BlockingFn, BlockingPair, Every, Once, ServiceFn, ServiceFnWith, ServicePair, ServicePairWith,
    blocking_fn, every, once, service_fn, service_fn_with,
};
pub use service::slot::{Slot, SlotWatch};
pub use service::{BoxService, Service};
pub use settings::Settings;
pub use settings::restart_policy::{Backoff, RestartPolicy};
#[cfg(feature = "derive")]
pub use startstop_derive::{Service, service_methods};
