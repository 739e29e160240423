//! The functions that are called at the end of a program.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::aside::{aside, within_a_second};
use super::stderr::print;
use crate::report::panic::catch_panic;
use crate::report::text::Escaped;

type Function = Box<dyn FnOnce() + Send>;

/// The last one is called first.
static FUNCTIONS: Mutex<Vec<Function>> = Mutex::new(Vec::new());

/// Those that stand for destructors, which do not run where the process is left by force.
static LEAVING: Mutex<Vec<fn()>> = Mutex::new(Vec::new());

/// Registers a function that [`run`](crate::run) and [`main`](crate::main) call at the end of the program: the flush of a
/// log, of an exporter.
///
/// It is called however the program ends, also when a service does not yield and the process is left by force, where no
/// destructor runs. Each function is called once, the last registered first, after the service has ended or was given up,
/// and before `main` ends its runtime. It runs on a thread of its own, outside of the runtime, and has a second. A function
/// that takes longer is left behind; stderr says so, as it does of a panic. So a supervisor's limit must exceed
/// [`grace_period`](crate::Runner::grace_period) by a second, and one more for each function.
///
/// # Examples
///
/// ```
/// # {
/// use std::process::ExitCode;
/// use std::sync::atomic::{AtomicBool, Ordering};
/// use startstop_core::{on_exit, once};
///
/// static FLUSHED: AtomicBool = AtomicBool::new(false);
///
/// fn main() -> ExitCode {
///     on_exit(|| FLUSHED.store(true, Ordering::Relaxed));
///     startstop_core::main(once(async |_cx| println!("done")))
/// }
/// # assert_eq!(main(), ExitCode::SUCCESS);
/// # assert!(FLUSHED.load(Ordering::Relaxed));
/// # }
/// ```
pub fn on_exit(f: impl FnOnce() + Send + 'static) {
    functions().push(Box::new(f));
}

/// Registers a function that is called last of all where the process is left by force, and nowhere else: once `run` has returned
/// in order, other runners may go on. For `startstop-process`.
#[doc(hidden)]
pub fn __on_leave(f: fn()) {
    leaving().push(f);
}

/// Calls those functions: the process exits now.
#[doc(hidden)]
pub fn __leave() {
    let functions = leaving().clone();
    for function in functions {
        // A panic of one must not keep the others from their work, nor the process.
        drop(catch_panic(function));
    }
}

fn leaving() -> MutexGuard<'static, Vec<fn()>> {
    LEAVING.lock().unwrap_or_else(PoisonError::into_inner)
}

fn functions() -> MutexGuard<'static, Vec<Function>> {
    FUNCTIONS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Calls all functions that are registered, and those that they register.
pub(super) fn call_all() {
    while let Some(function) = pop() {
        match within_a_second(function) {
            Some(Ok(())) => {}
            Some(Err(panic)) => {
                print(move || format!("a function of on_exit {}", Escaped(&panic.to_string())));
            }
            None => print(|| "a function of on_exit has not returned within a second".to_owned()),
        }
    }
}

/// In a statement of its own: a function may register another one.
fn pop() -> Option<Function> {
    functions().pop()
}

/// The same without blocking the thread of a runtime, which the functions may need.
pub(super) async fn call_all_aside() {
    if functions().is_empty() {
        return;
    }
    let (done, is_done) = tokio::sync::oneshot::channel::<()>();
    aside(move || {
        call_all();
        drop(done);
    });
    // It is dropped, never sent.
    drop(is_done.await);
}
