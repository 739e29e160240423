//! The functions and traits that the code of the macros uses. Not public: it may change in any release.
//!
//! A macro sees the name of a method at most. What the method takes and yields is found out by the traits in `check`.

#[path = "private/check.rs"]
mod check;

pub use std::convert::From;
pub use std::future::Future;
pub use std::marker::{PhantomData, Send, Sync};
pub use std::option::Option;
pub use std::result::Result;
pub use std::time::Duration;
pub use std::vec::Vec;

pub use self::check::*;
pub use crate::engine::Identity;
pub use crate::group::composite::{Composed, Field, children, grace, grace_of, parts};
pub use crate::group::{OnCompletion, OnFailure};
pub use crate::report::panic::BoxError;
pub use crate::report::state::Readiness;
pub use crate::report::status::Status;
pub use crate::service::context::Context;
pub use crate::service::{EachPart, Owner, Parts, Service, Spans};
pub use crate::settings::Settings;
pub use crate::settings::restart_policy::{Backoff, RestartPolicy};

use std::pin::Pin;
use std::task::{Context as Task, Poll};

use pin_project_lite::pin_project;

use crate::group::with_defaults;
use crate::report::outcome::Never;
use crate::service::NoShutdown;

pin_project! {
    /// The future of a method that was checked. Not an `async fn`, which would store its argument twice, and would drop it before
    /// it yields what that came to.
    #[allow(missing_debug_implementations)] // Not for users.
    pub struct Ends<R, E> {
        #[pin]
        returned: R,
        error: PhantomData<fn() -> E>,
    }
}

impl<R: Future<Output: Returned<E>>, E> Future for Ends<R, E> {
    type Output = Result<(), E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<Result<(), E>> {
        self.project().returned.poll(cx).map(Returned::into_result)
    }
}

/// The output of a method, which was checked to be one of these.
pub trait Returned<E> {
    /// Returns the output as a `Result`.
    fn into_result(self) -> Result<(), E>;
}

impl<E> Returned<E> for () {
    fn into_result(self) -> Result<(), E> {
        Ok(())
    }
}

impl<E> Returned<E> for Never {
    fn into_result(self) -> Result<(), E> {
        self
    }
}

impl<E, X: Into<E>> Returned<E> for Result<(), X> {
    fn into_result(self) -> Result<(), E> {
        self.map_err(X::into)
    }
}

/// Awaits what a method has returned where the error of the service was not understood, so that nothing is said of the
/// method's. It is never called, for nothing compiles.
#[expect(
    clippy::manual_async_fn,
    reason = "it tells of no cancel safety, for it is never awaited"
)]
pub fn unread<E, C, X>(checked: Checked<C, X>) -> impl Future<Output = Result<(), E>> {
    async move {
        drop(checked);
        Ok(())
    }
}

/// All that a service has to be. An impl that assumes it does not look for it: that is done where the type becomes a service.
pub trait Assumed: Send + Sync {}

impl<S: Service> Assumed for S {}

/// The functions that are written for a type whose methods are named or which is composed, and whose service's error is `E`.
pub trait Written<E> {
    /// Calls the start method, or runs the members.
    fn start<P>(&self, cx: Context) -> impl Future<Output = Result<(), E>> + Send;

    /// Calls the stop method.
    fn stop<P>(&self, cx: Context) -> impl Future<Output = Result<(), E>> + Send {
        let _ = cx;
        NoShutdown::<Self, E>::new()
    }
}

/// Implements `run` by what is written.
pub fn written<S: Written<E>, E>(
    service: &S,
    cx: Context,
) -> impl Future<Output = Result<(), E>> + Send {
    service.start::<()>(cx)
}

/// Implements `shutdown` by what is written.
pub fn written_stop<S: Written<E>, E>(
    service: &S,
    cx: Context,
) -> impl Future<Output = Result<(), E>> + Send {
    service.stop::<()>(cx)
}

/// The derive's word to the attribute: the error of the service.
pub trait Derived {
    /// The error of the service.
    type Error;
}

/// The attribute's word to the derive: the marked methods.
pub trait Methods<S: ?Sized> {
    /// Calls the method that is marked `#[start]`.
    fn start<P: DerivedOf<Anyone>>(
        service: &S,
        cx: Context,
    ) -> impl Future<Output = Result<(), S::Error>> + Send
    where
        S: Derived;

    /// Calls the method that is marked `#[stop]`.
    fn stop<P: DerivedOf<Anyone>>(
        service: &S,
        cx: Context,
    ) -> impl Future<Output = Result<(), S::Error>> + Send
    where
        S: Derived,
    {
        let _ = (service, cx);
        NoShutdown::<S, S::Error>::new()
    }
}

/// A derived service whose methods are marked.
pub trait Linked: Derived {
    /// Calls the method that is marked `#[start]`.
    fn start<P>(&self, cx: Context) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Calls the method that is marked `#[stop]`.
    fn stop<P>(&self, cx: Context) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// Implements `run` of a service whose methods are marked.
pub fn start<S: Linked>(
    service: &S,
    cx: Context,
) -> impl Future<Output = Result<(), S::Error>> + Send {
    service.start::<()>(cx)
}

/// Implements `shutdown` of a service whose methods are marked: of no size where none is marked `#[stop]`.
pub fn stop<S: Linked>(
    service: &S,
    cx: Context,
) -> impl Future<Output = Result<(), S::Error>> + Send {
    service.stop::<()>(cx)
}

/// Calls the method that is marked `#[start]`, in the block that was found.
pub fn linked_start<M: Methods<S>, S: Derived>(
    _: PhantomData<M>,
    service: &S,
    cx: Context,
) -> impl Future<Output = Result<(), S::Error>> + Send {
    M::start::<()>(service, cx)
}

/// Calls the method that is marked `#[stop]`, in the block that was found.
pub fn linked_stop<M: Methods<S>, S: Derived>(
    _: PhantomData<M>,
    service: &S,
    cx: Context,
) -> impl Future<Output = Result<(), S::Error>> + Send {
    M::stop::<()>(service, cx)
}

/// Returns the `settings` of a composed service: its own, before the defaults of a group.
pub fn composed(settings: Settings) -> Settings {
    with_defaults(settings)
}

/// Stands for `run` of a service whose declaration has mistakes: it is never called, for nothing compiles.
pub fn stub<S, E>(service: &S, cx: Context) -> impl Future<Output = Result<(), E>> + Send {
    let _ = (service, cx);
    NoShutdown::<S, E>::new()
}
