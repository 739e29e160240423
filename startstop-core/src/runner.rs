//! The runner: drives one service through its life, again and again, and remembers what went wrong.

// In the order of the page of `Runner`.
mod handle;
mod requests;
mod queries;
mod waits;
mod parent_waker;
mod nested;
mod start_stop;
mod events;
mod find;
mod watch;
mod weak;
pub(crate) mod snapshot;
pub(crate) mod listen;
pub(crate) mod driver;

use std::sync::Arc;

use crate::runner::driver::Inner;
use crate::service::Service;

pub use start_stop::StartStop;
pub use watch::StateWatch;
pub use weak::WeakRunner;

/// Starts, stops, restarts and watches one service.
///
/// Clones drive the same service, from any thread. When the last clone is dropped the service is asked
/// to stop; [`detach`](Self::detach) prevents that.
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
    inner: Arc<Inner<S>>,
}
