//! The runner: drives one service through its life, again and again, and remembers what went wrong.

// In the order of the page of `Runner`.
mod handle;
mod erased;
mod queries;
mod parent_waker;
mod nested;
mod start_stop;
mod find;
mod attach;
mod watch;
mod weak;
pub(crate) mod snapshot;
pub(crate) mod listen;
pub(crate) mod driver;

use std::marker::PhantomData;
use std::sync::Arc;

use crate::engine::Node;
use crate::service::Service;

pub(crate) use erased::{AnyRunner, erased, unshared};

pub use attach::AttachError;
pub use start_stop::StartStop;
pub use watch::StateWatch;
pub use weak::WeakRunner;

/// Starts, stops, restarts and watches one service.
///
/// Clones drive the same service, from any thread. When the last clone is dropped the service is asked to stop;
/// [`detach`](Self::detach) prevents that.
///
/// Use a runner for one service. For services that depend on each other use a [`Group`](crate::Group), which is a service
/// of its own runner. For runners of several types in one list use `Arc<dyn` [`StartStop`](crate::StartStop)`>`. For a whole
/// program, with signals and an exit code, use `run` or `main`.
///
/// # What a call does
///
/// | called in | `Stopped` | `Starting` | `Running` | `Backoff` | `Stopping` |
/// |---|---|---|---|---|---|
/// | [`start`](Self::start) | new cycle | joins | stops, then new cycle | joins a pending start, else attempts now | new cycle after the end |
/// | [`ensure_running`](Self::ensure_running) | new cycle | joins | `Ok` at once | as `start` | new cycle after the end |
/// | [`stop`](Self::stop) | `Ok` at once, without `shutdown` | stops | stops | stops at once | joins |
/// | [`restart`](Self::restart) | new cycle | stops, then new cycle | stops, then new cycle | new cycle | new cycle after the end |
///
/// - A stop cancels every start and restart that was asked for before it; they return
///   [`StartError::Stopped`](crate::StartError::Stopped). Only a later request starts again.
/// - All starts and restarts that wait for the same end share one new cycle.
/// - A pending `start` or `restart` whose cycle is replaced follows into the new cycle.
/// - A stop that comes before `run` was entered calls neither `run` nor `shutdown`.
/// - Once a stop has given up on an unresponsive service, `start`, `ensure_running` and `restart` return
///   [`StartError::Unresponsive`](crate::StartError::Unresponsive), and `stop` returns
///   [`StopError::Unresponsive`](crate::StopError::Unresponsive), at once, until the service has ended after all.
/// - [`reload`](Self::reload) is answered by a service that is up; `Stopped` is an error. The `request_` form of each call
///   does the same and does not wait.
/// - A cycle runs on the runtime of the caller of `start`. A restart from another runtime moves it there.
///
/// # The steps of a stop
///
/// 1. The state becomes `Stopping`. After the drain, if one is set, the context is cancelled, and
///    [`shutdown`](Service::shutdown) is called once while `run` goes on.
/// 2. When `run`, `shutdown` and every task of the context have ended, the state becomes `Stopped`.
/// 3. At `stop_timeout` the parts that are left are aborted: they are dropped at their next await point, and the failure is
///    recorded.
/// 4. A part that does not yield within `abort_timeout` after that, because it blocks its thread, is unresponsive. `stop`
///    returns [`StopError::Unresponsive`](crate::StopError::Unresponsive), which names the part. The state stays `Stopping`
///    until the part ends, and no other attempt is made before.
///
/// # What each timeout counts from
///
/// | setting | counts from | applies |
/// |---|---|---|
/// | `start_timeout` | the start of each attempt | under `Readiness::Explicit`, until [`ready`](crate::Context::ready) |
/// | `drain` | the request to stop | while `Running`, before the context is cancelled |
/// | `stop_timeout` | the end of the drain | to `run`, `shutdown` and the tasks of the context; also when `run` has ended by itself and its tasks wind down |
/// | `abort_timeout` | the abort | until the service is unresponsive |
/// | `watchdog` | the last [`heartbeat`](crate::Context::heartbeat) | while `Running`, and while `Starting` from the first heartbeat on |
/// | [`stop_within`](Self::stop_within) | the call | to all of it; the drain takes at most half |
///
/// The earliest deadline applies: `stop_within` can shorten a stop in progress, never extend it.
///
/// # Examples
///
/// ```
/// use startstop_core::{Runner, State, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let runner = Runner::new(service_fn(async |cx| cx.cancelled().await));
///
/// runner.start().await?;
/// assert!(runner.is_running());
/// runner.restart().await?;
/// runner.stop().await?;
/// assert_eq!(runner.state(), State::Stopped);
/// assert!(runner.errors_list().is_empty());
/// # Ok(())
/// # }
/// ```
pub struct Runner<S: Service> {
    /// Until it is dropped. Of the type of the service only [`service`](Self::service) needs to know.
    node: Option<Arc<dyn Node>>,
    service: PhantomData<Arc<S>>,
}
