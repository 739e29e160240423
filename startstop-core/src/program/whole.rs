//! A service as a whole program: the runtime is ours, and ended.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Handle, Runtime};

use super::aside::aside;
use super::handoff::handoff;
use super::on_exit;
use super::run::{LastWork, Operation};
use super::stderr::print;
use super::waited::block_on;
use crate::report::text::Escaped;
use crate::service::Service;

/// Runs a service as a whole program, without `#[tokio::main]`: creates the runtime, does what
/// [`run`](crate::run) does, and ends the runtime.
///
/// The runtime is multi-threaded, with all drivers; [`main_on`] takes a runtime of your own. After
/// the service has ended, tasks that still run in the blocking pool (a file that is read, a name
/// that is looked up, standard input) have the service's `abort_timeout` to end. The remaining ones
/// are named on stderr and left behind, and the program exits with the code of the service. Under
/// `#[tokio::main]` they would hold up the end for ever.
///
/// # Examples
///
/// ```
/// # {
/// use std::process::ExitCode;
/// use startstop_core::once;
///
/// fn main() -> ExitCode {
///     startstop_core::main(once(async |_cx| println!("done")))
/// }
/// # assert_eq!(main(), ExitCode::SUCCESS);
/// # }
/// ```
pub fn main<S: Service>(service: S) -> ExitCode {
    on_own_runtime(Operation::new(service))
}

fn on_own_runtime(operation: Operation) -> ExitCode {
    let threads = Threads::default();
    match threads.build_runtime() {
        Ok(runtime) => outside(|| whole(runtime, operation, Some(&threads))),
        Err(error) => {
            print(move || format!("cannot make a runtime: {}", Escaped(&error.to_string())));
            on_exit::call_all();
            ExitCode::FAILURE
        }
    }
}

/// Runs a service as [`main`] does, on the given runtime, which it ends: one with a single thread, or with so many workers.
///
/// # Examples
///
/// ```
/// # {
/// use std::process::ExitCode;
/// use startstop_core::{WithExitCode, once};
///
/// fn main() -> ExitCode {
///     let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
///     let job = once(async |_cx| Err::<(), _>(WithExitCode::new("no such table", 65)));
///     startstop_core::main_on(runtime.expect("the system has room for a runtime"), job)
/// }
/// # assert_eq!(main(), ExitCode::from(65));
/// # }
/// ```
pub fn main_on<S: Service>(runtime: Runtime, service: S) -> ExitCode {
    on_runtime(runtime, Operation::new(service))
}

/// Runs a service as [`main_on`] does, and awaits `last` once it has ended, before its value is dropped. For `startstop-host`.
#[doc(hidden)]
pub fn __main_until<S: Service>(runtime: Runtime, service: S, last: LastWork) -> ExitCode {
    on_runtime(runtime, Operation::new(service).until(last))
}

fn on_runtime(runtime: Runtime, operation: Operation) -> ExitCode {
    outside(|| whole(runtime, operation, None))
}

/// Calls `f` outside of any runtime, inside of which none may be waited for.
fn outside<T: Send>(f: impl FnOnce() -> T + Send) -> T {
    if Handle::try_current().is_err() {
        return f();
    }
    thread::scope(|scope| match scope.spawn(f).join() {
        Ok(output) => output,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}

fn whole(runtime: Runtime, operation: Operation, threads: Option<&Threads>) -> ExitCode {
    let limit = operation.abort_timeout();
    let code = block_on(&runtime, operation.run());
    end(runtime, limit, threads);
    code
}

/// Ends a runtime, and says what of it is left behind.
fn end(runtime: Runtime, limit: Duration, threads: Option<&Threads>) {
    let limit = limit.clamp(SHORTEST, LONGEST);
    let until = Instant::now() + limit;
    let (giver, taker) = handoff();
    // Aside: with a single thread, what its tasks hold is dropped in there, and may block.
    aside(move || {
        runtime.shutdown_timeout(limit);
        giver.give(Instant::now() < until);
    });
    if taker.take_until(until + SHORTEST) == Some(true) {
        return;
    }
    let left = match threads.map(Threads::left) {
        Some(0) => return,
        Some(1) => "1 thread of the runtime has".to_owned(),
        Some(left) => format!("{left} threads of the runtime have"),
        None => "threads of the runtime have".to_owned(),
    };
    print(move || format!("{left} not ended within {limit:?}, most likely in its blocking pool"));
}

/// The least time that a runtime has to end.
const SHORTEST: Duration = Duration::from_millis(10);

/// Thirty years: later times may be none for the system.
const LONGEST: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

/// The threads of a runtime, counted.
#[derive(Debug, Default)]
struct Threads(Arc<AtomicUsize>);

impl Threads {
    fn build_runtime(&self) -> std::io::Result<Runtime> {
        let (more, fewer) = (Arc::clone(&self.0), Arc::clone(&self.0));
        Builder::new_multi_thread()
            .enable_all()
            .on_thread_start(move || {
                more.fetch_add(1, Ordering::Relaxed);
            })
            .on_thread_stop(move || {
                fewer.fetch_sub(1, Ordering::Relaxed);
            })
            .build()
    }

    fn left(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}
