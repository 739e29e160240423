//! A service as a whole process: signals stop it, and `main` tells how it went.
//!
//! [`run`](self::run::run) and [`main`](whole::main) are made of the same parts. `hub` is the thread that hears the signals, and hands
//! them to each `subject`, which says what follows; `leave` is the way out of a process that would not end.

mod run;
mod whole;
mod on_exit;
mod hub;
mod subject;
mod helpers;
mod leave;
mod stderr;
mod aside;
mod handoff;
mod waited;
mod stage;
mod count;
mod signals;

use crate::report::error::StartError;
use crate::report::state::Exit;
use crate::runner::Runner;
use crate::service::Service;

pub use on_exit::{__leave, __on_leave, on_exit};
#[doc(hidden)]
pub use run::__run_until;
pub use run::run;
#[doc(hidden)]
pub use whole::__main_until;
pub use whole::{main, main_on};

use stage::IfStuck;
use subject::AskedAt;

impl<S: Service> Runner<S> {
    /// Starts the service unless it is running, waits until it ends or SIGINT or SIGTERM comes (Ctrl-C,
    /// close and shutdown on Windows), and stops it.
    ///
    /// A second signal while it is stopping aborts it at once. A second SIGTERM within one second of the first is the same
    /// request, since systemd, `timeout` and others send it twice, and so is a second SIGINT within 200 ms. SIGHUP calls
    /// [`reload`](Self::reload). If no part of the service reloads, SIGHUP counts as SIGTERM; while the service is stopping
    /// it has no effect. A signal while the service is starting gives [`Exit::Stopped`], and so does a signal between two
    /// such calls. SIGINT and SIGHUP stay ignored if they were ignored when the program began, as under `nohup` (as far as
    /// that can be found out, which is on Linux).
    ///
    /// The signals are read on a thread of its own, so they are heard while every worker is
    /// blocked. A service that does not yield gives [`Exit::Unresponsive`] after `abort_timeout`;
    /// since a blocked thread holds up the end of the runtime for ever, leave the process then, as
    /// [`run`](crate::run) does. The handlers of the signals stay installed when it returns.
    ///
    /// The runtime needs its time driver. A service that blocks the thread of a single-threaded runtime blocks this
    /// function as well.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use startstop_core::{Exit, Runner, StartError, service_fn};
    ///
    /// #[tokio::main]
    /// async fn main() -> Result<Exit, StartError> {
    ///     let runner = Runner::new(service_fn(async |cx| cx.cancelled().await));
    ///     runner.run_until_signal().await
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// The errors of [`ensure_running`](Self::ensure_running). If the signals cannot be listened to it is
    /// [`Failed`](StartError::Failed) with the `io::Error`.
    ///
    /// # Cancel safety
    ///
    /// When it is dropped the service goes on; signals that come then wait for the next call.
    pub async fn run_until_signal(&self) -> Result<Exit, StartError> {
        run::until_signal(&self.node(), IfStuck::Stays, &AskedAt::default()).await
    }
}
