//! Two places for the futures of a service: inside the future that awaits them, or in a box.
//!
//! A large one is put into a box of its own, in which it is made: inside of another future it would be moved with that, on the
//! stack of a worker, which is small. In a debug build each function on the way makes a copy.

use std::future::Future;

use crate::service::Service;
use crate::service::context::Context;

/// A place for the futures of a service.
pub(super) trait FutureStorage {
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

impl FutureStorage for Inline {
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

impl FutureStorage for Boxed {
    fn run<S: Service>(
        service: &S,
        cx: Context,
    ) -> impl Future<Output = Result<(), S::Error>> + Send {
        service.__boxed_run(cx)
    }

    fn shutdown<S: Service>(
        service: &S,
        cx: Context,
    ) -> impl Future<Output = Result<(), S::Error>> + Send {
        service.__boxed_shutdown(cx)
    }
}
