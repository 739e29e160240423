//! Models of the data that threads share, walked through in all orders in which threads may come.
//!
//! `.ci/run loom` builds this crate with `--cfg startstop_loom`: what is in [`sync`](crate::sync) is then
//! known to loom, tasks are its threads, and each model is run once for each order. Models drive the
//! runner itself; what they leave out is time, for no deadline is set, and tokio, whose runtime is
//! there to be asked for and runs nothing. That nobody waits for ever needs no assertion: a model in
//! which all threads wait has failed.
//!
//! Loom treats `SeqCst` as `AcqRel`, and the counts of an `Arc` are those of std: races for either are not walked through. So
//! what looks at deadlines, and the gates that keep a last reference in order, have models of their own, without a runner.

mod bursts;
mod deadlines;
mod gates;
mod handles;
mod joining;
mod parts;
mod reading;
mod settling;
mod stopping;

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock};
use std::task::Poll;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use crate::runner::Runner;
use crate::service::Service;
use crate::service::context::Context;
use crate::service::func::service_fn;
use crate::settings::Settings;
use crate::sync::block_on;

/// Walks through the model: all of it, or the orders in which threads that need not wait are interrupted
/// at most so many times. `LOOM_MAX_PREEMPTIONS` says it for all models.
fn model(preemptions: Option<usize>, body: impl Fn() + Send + Sync + 'static) {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    let runtime = || {
        Builder::new_current_thread()
            .enable_time()
            .build()
            .expect("a runtime")
    };
    // A start asks on which runtime it is called.
    let _entered = RUNTIME.get_or_init(runtime).enter();
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(preemptions);
    builder.check(body);
}

/// Not started yet, and without a deadline.
fn runner<S: Service>(service: S) -> Runner<S> {
    Runner::with_settings(service, Settings::new().stop_timeout(Duration::MAX))
}

/// Started, in one of the orders: what is of interest comes after it.
fn started<S: Service>(service: S) -> Runner<S> {
    let runner = runner(service);
    loom::stop_exploring();
    block_on(runner.start()).expect("ready at once");
    loom::explore();
    runner
}

/// One that waits for its cancellation, and the context of its attempt.
fn started_with_context() -> (Runner<impl Service>, Context) {
    let context = Arc::new(Mutex::new(None));
    let shared = Arc::clone(&context);
    let runner = started(service_fn(move |cx: Context| {
        *shared.lock().unwrap() = Some(cx.clone());
        async move { cx.cancelled().await }
    }));
    let cx = context.lock().unwrap().take().expect("run was entered");
    (runner, cx)
}

/// Polls a future that waits once, so that what it asks for is asked.
fn asked<F: Future + ?Sized>(mut future: Pin<Box<F>>) -> Pin<Box<F>> {
    block_on(poll_fn(|task| {
        assert!(future.as_mut().poll(task).is_pending(), "it has to wait");
        Poll::Ready(())
    }));
    future
}
