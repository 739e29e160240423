//! Where the futures of a service are put.
//!
//! A large one is put into a box of its own, in which it is made: inside of another future it would be moved with that, on the
//! stack of a worker, which is small. In a debug build each function on the way makes a copy.

use std::future::Future;

use crate::engine::task::INLINE;
use crate::service::Service;
use crate::service::context::Context;

/// Where the futures of a service are put.
pub(super) trait Place {
    fn run<S: Service>(
        service: &S,
        cx: Context,
    ) -> impl Future<Output = Result<(), S::Error>> + Send;

    fn shutdown<S: Service>(
        service: &S,
        cx: Context,
    ) -> impl Future<Output = Result<(), S::Error>> + Send;
}

/// Into the future that awaits them.
pub(super) struct Inline;

/// Into a box.
pub(super) struct Boxed;

impl Place for Inline {
    fn run<S: Service>(
        service: &S,
        cx: Context,
    ) -> impl Future<Output = Result<(), S::Error>> + Send {
        service.run(cx)
    }

    fn shutdown<S: Service>(
        service: &S,
        cx: Context,
    ) -> impl Future<Output = Result<(), S::Error>> + Send {
        service.shutdown(cx)
    }
}

impl Place for Boxed {
    fn run<S: Service>(
        service: &S,
        cx: Context,
    ) -> impl Future<Output = Result<(), S::Error>> + Send {
        Box::pin(service.run(cx))
    }

    fn shutdown<S: Service>(
        service: &S,
        cx: Context,
    ) -> impl Future<Output = Result<(), S::Error>> + Send {
        Box::pin(service.shutdown(cx))
    }
}

/// Whether `run` yields a large future.
pub(super) fn is_run_large<S: Service>() -> bool {
    size_of_output(S::run) > INLINE
}

/// Whether `shutdown` does.
pub(super) fn is_shutdown_large<S: Service>() -> bool {
    size_of_output(S::shutdown) > INLINE
}

fn size_of_output<S, F>(_: fn(&'static S, Context) -> F) -> usize {
    size_of::<F>()
}
