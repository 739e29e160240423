//! The functions and traits that the code of the macros uses. Not public: it may change in any release.
//!
//! A macro sees the name of a method at most. What the method takes and yields is found out here, by
//! traits, in the order in which a person would check it: its arguments ([`Method`]), that it is
//! async ([`Async`]), what it yields ([`Yields`]), its error ([`IntoError`]). Each trait names the
//! next thing through an associated type, so that a mistake is reported once, by the first that
//! finds it.

pub use std::convert::From;
pub use std::future::Future;
pub use std::marker::{Send, Sync};
pub use std::option::Option;
pub use std::result::Result;
pub use std::time::Duration;
pub use std::vec::Vec;

pub use crate::group::composite::{Composed, Field, children, compose, grace, grace_of, parts};
pub use crate::group::{OnCompletion, OnFailure};
use crate::report::outcome::Never;
pub use crate::report::panic::BoxError;
pub use crate::report::state::Readiness;
pub use crate::report::status::Status;
pub use crate::service::context::Context;
pub use crate::service::{Owner, Parts, Service, Spans};
pub use crate::settings::Settings;
pub use crate::settings::restart_policy::{Backoff, RestartPolicy};

use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context as Task, Poll};

use pin_project_lite::pin_project;

use crate::group::with_defaults;
use crate::service::NoShutdown;

/// The shape of a method without a context.
#[derive(Debug)]
pub struct Plain;

/// The shape of a method with a context.
#[derive(Debug)]
pub struct WithContext;

/// A method that a service can call: two shapes of arguments, told apart by `Shape`.
#[diagnostic::on_unimplemented(
    message = "a service's method takes `&self`, or `&self` and a `Context`",
    label = "this one is `{Self}`",
    note = "accepted are `async fn(&self)` and `async fn(&self, Context)`, with `()` or `Result<(), E>` as output"
)]
pub trait Method<'a, S: ?Sized, Shape> {
    /// The output of the method.
    type Output;

    /// Calls the method.
    fn call(self, service: &'a S, cx: Context) -> Self::Output;
}

impl<'a, S: ?Sized + 'a, M, O> Method<'a, S, Plain> for M
where
    M: FnOnce(&'a S) -> O,
{
    type Output = O;

    fn call(self, service: &'a S, _: Context) -> O {
        self(service)
    }
}

impl<'a, S: ?Sized + 'a, M, O> Method<'a, S, WithContext> for M
where
    M: FnOnce(&'a S, Context) -> O,
{
    type Output = O;

    fn call(self, service: &'a S, cx: Context) -> O {
        self(service, cx)
    }
}

/// The future of an `async` method.
#[diagnostic::on_unimplemented(
    message = "a service's method is async; this one returns `{Self}`",
    label = "not an async method",
    note = "accepted are `async fn(&self)` and `async fn(&self, Context)`, with `()` or `Result<(), E>` as output"
)]
pub trait Async {
    /// The output of the future.
    type Output;

    /// Polls the future.
    fn poll_method(self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<Self::Output>;
}

#[diagnostic::do_not_recommend]
impl<F: Future> Async for F {
    type Output = F::Output;

    fn poll_method(self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<F::Output> {
        self.poll(cx)
    }
}

/// Awaits what a method has returned. That this can go to any thread is for the caller to ask: what is asked in two
/// places is found wrong in both, in other words.
pub fn ends<E, R: Async<Output: Yields<E>>>(returned: R) -> Ends<R, E> {
    Ends {
        returned,
        error: PhantomData,
    }
}

pin_project! {
    /// The future of [`ends`]. Not an `async fn`, which would store its argument twice, and would drop it before it yields what
    /// that came to.
    #[allow(missing_debug_implementations)] // Not for users.
    pub struct Ends<R, E> {
        #[pin]
        returned: R,
        error: PhantomData<fn() -> E>,
    }
}

impl<R: Async<Output: Yields<E>>, E> Future for Ends<R, E> {
    type Output = Result<(), E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<Result<(), E>> {
        self.project()
            .returned
            .poll_method(cx)
            .map(Yields::into_result)
    }
}

/// The output of a method.
#[diagnostic::on_unimplemented(
    message = "a service's method yields `()` or `Result<(), E>`, not `{Self}`",
    label = "yields `{Self}`",
    note = "end the method with `;`, or with `Ok(())`"
)]
pub trait Yields<E> {
    /// Returns the output as a `Result`.
    fn into_result(self) -> Result<(), E>;
}

impl<E> Yields<E> for () {
    fn into_result(self) -> Result<(), E> {
        Ok(())
    }
}

#[diagnostic::do_not_recommend]
impl<E> Yields<E> for Never {
    fn into_result(self) -> Result<(), E> {
        self
    }
}

impl<E, X: IntoError<E>> Yields<E> for Result<(), X> {
    fn into_result(self) -> Result<(), E> {
        self.map_err(X::into_error)
    }
}

/// An error that converts into that of the service.
#[diagnostic::on_unimplemented(
    message = "the method's error `{Self}` does not convert into the service's error `{E}`",
    label = "fails with `{Self}`",
    note = "without `#[service(error = ..)]` any `E: Into<Box<dyn Error + Send + Sync>>` is accepted, with it any `E` that converts into the given type"
)]
pub trait IntoError<E> {
    /// Converts.
    fn into_error(self) -> E;
}

#[diagnostic::do_not_recommend]
impl<E, X: Into<E>> IntoError<E> for X {
    fn into_error(self) -> E {
        self.into()
    }
}

/// Calls a method of either shape.
pub fn call<'a, S, M, Shape>(method: M, service: &'a S, cx: Context) -> M::Output
where
    S: ?Sized,
    M: Method<'a, S, Shape>,
{
    method.call(service, cx)
}

/// Awaits what a method has returned where the error of the service was not understood, so that nothing is said of the
/// method's. It is never called, for nothing compiles.
#[expect(
    clippy::manual_async_fn,
    reason = "it tells of no cancel safety, for it is never awaited"
)]
pub fn unread<E, R: Async>(returned: R) -> impl Future<Output = Result<(), E>> {
    async move {
        drop(returned);
        Ok(())
    }
}

/// The method that a path means which is named as one of [`Service`], beside that one: a method of the type itself comes before
/// one of a trait, so that both are of the same type only where the type has none.
#[derive(Debug)]
pub struct Both<A, B>(pub A, pub B);

#[expect(clippy::mismatching_type_param_order, reason = "the two are one here")]
impl<A> Both<A, A> {
    /// Returns that they are the same.
    pub fn found(self) -> Missing {
        Missing
    }
}

/// Comes after what [`Both`] has itself.
pub trait Found {
    /// The first of two.
    type First;

    /// They are two.
    fn found(self) -> Present<Self::First>;

    /// Makes the trait of use in any case.
    fn is_used(&self) {}
}

impl<A, B> Found for Both<A, B> {
    type First = A;

    fn found(self) -> Present<A> {
        Present(self.0)
    }
}

/// The trait has the method, and the type has none.
#[derive(Debug)]
pub struct Missing;

/// A method of the type.
#[derive(Debug)]
pub struct Present<M>(M);

/// That a method is one of the type.
#[diagnostic::on_unimplemented(
    message = "`{S}` has no method of this name",
    label = "not found among the methods of `{S}` itself"
)]
pub trait MethodOf<S: ?Sized> {
    /// The method.
    type Method;

    /// Takes it out.
    fn into_method(self) -> Self::Method;
}

impl<S: ?Sized, M> MethodOf<S> for Present<M> {
    type Method = M;

    fn into_method(self) -> M {
        self.0
    }
}

/// Returns the method, which has to be one of the type.
pub fn method_of<S: ?Sized, M: MethodOf<S>>(found: M) -> M::Method {
    found.into_method()
}

/// All that a service has to be. An impl that assumes it does not look for it: that is done where the type becomes a service.
pub trait Assumed: Send + Sync {}

impl<S: Service> Assumed for S {}

/// The methods that are named on the type, whose service's error is `E`.
pub trait NamedMethods<E> {
    /// Calls the start method.
    fn start(&self, cx: Context) -> impl Future<Output = Result<(), E>> + Send;

    /// Calls the stop method.
    fn stop(&self, cx: Context) -> impl Future<Output = Result<(), E>> + Send {
        let _ = cx;
        NoShutdown::<Self, E>::new()
    }
}

/// Implements `run` of a service whose methods are named.
pub fn named<S: NamedMethods<E>, E>(
    service: &S,
    cx: Context,
) -> impl Future<Output = Result<(), E>> + Send {
    service.start(cx)
}

/// Implements `shutdown` of a service whose stop method is named.
pub fn named_stop<S: NamedMethods<E>, E>(
    service: &S,
    cx: Context,
) -> impl Future<Output = Result<(), E>> + Send {
    service.stop(cx)
}

/// The message of the derive to the attribute: the error of the service.
#[diagnostic::on_unimplemented(
    message = "`#[service_methods]` needs a `#[derive(Service)]` on `{Self}` that names no `start`",
    label = "`{Self}` does not derive `Service`, or names its methods there already",
    note = "add `#[derive(Service)]` to `{Self}`, without `start` and `stop` in `#[service(..)]`, and without members"
)]
pub trait Derived {
    /// The error of the service.
    type Error;
}

/// The message of the attribute to the derive: the marked methods.
#[diagnostic::on_unimplemented(
    message = "`{Self}` derives `Service` without a `start` method",
    label = "no method of `{Self}` is its `start`",
    note = "name the method on the type: `#[service(start = serve)]`",
    note = "or mark it in an impl block: `#[service_methods] impl .. {{ #[start] async fn serve(&self) {{ .. }} }}`"
)]
pub trait Methods<S: ?Sized> {
    /// Calls the method that is marked `#[start]`.
    fn start(service: &S, cx: Context) -> impl Future<Output = Result<(), S::Error>> + Send
    where
        S: Derived;

    /// Calls the method that is marked `#[stop]`.
    fn stop(service: &S, cx: Context) -> impl Future<Output = Result<(), S::Error>> + Send
    where
        S: Derived,
    {
        let _ = (service, cx);
        NoShutdown::<S, S::Error>::new()
    }
}

/// A derived service whose methods are marked. Asking for the methods in one place, a type's, lets
/// their absence be reported once.
pub trait Linked: Derived + Sized {
    /// The type itself.
    type Methods: Methods<Self>;
}

/// Implements `run` of a service whose methods are marked.
pub fn start<S: Linked>(
    service: &S,
    cx: Context,
) -> impl Future<Output = Result<(), S::Error>> + Send {
    S::Methods::start(service, cx)
}

/// Implements `shutdown` of a service whose methods are marked: of no size where none is marked `#[stop]`.
pub fn stop<S: Linked>(
    service: &S,
    cx: Context,
) -> impl Future<Output = Result<(), S::Error>> + Send {
    S::Methods::stop(service, cx)
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
