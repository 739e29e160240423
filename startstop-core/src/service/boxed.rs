//! A service whose type is erased.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context as Task, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;

use super::size::is_large;
use super::{EachPart, Owner, Parts, Service, Spans, named};
use crate::engine::Identity;
use crate::report::panic::BoxError;
use crate::report::status::Status;
use crate::service::context::Context;
use crate::settings::Settings;
use crate::sync::in_turn;

/// A service whose type is erased; made by [`Service::boxed`]. Each call of `run` costs a box.
///
/// # Examples
///
/// ```
/// use startstop_core::{BoxService, Runner, Service, once};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// let jobs: Vec<BoxService> =
///     vec![once(async |_cx| ()).boxed(), once(async |_cx| Err::<(), _>("disk full")).boxed()];
/// let mut failed = 0;
/// for job in jobs {
///     failed += usize::from(Runner::new(job).start().await.is_err());
/// }
/// assert_eq!(failed, 1);
/// # }
/// ```
pub struct BoxService {
    /// Until it is dropped.
    service: Option<Box<dyn DynService>>,
}

impl BoxService {
    pub(super) fn new(service: impl Service) -> Self {
        Self {
            service: Some(Box::new(service)),
        }
    }

    fn service(&self) -> &dyn DynService {
        self.service
            .as_deref()
            .expect("it is there until it is dropped")
    }
}

/// Services may be nested deeper than the stack is: inner ones are dropped by the outermost.
impl Drop for BoxService {
    fn drop(&mut self) {
        if let Some(service) = self.service.take() {
            in_turn(|| drop(service));
        }
    }
}

impl Service for BoxService {
    type Error = BoxError;

    fn run(&self, cx: Context) -> impl Future<Output = Result<(), BoxError>> + Send {
        self.service().run(cx)
    }

    fn shutdown(&self, cx: Context) -> impl Future<Output = Result<(), BoxError>> + Send {
        self.service().shutdown(cx)
    }

    fn __has_shutdown(&self) -> bool {
        self.service().has_shutdown()
    }

    fn settings(&self) -> Settings {
        self.service().settings()
    }

    fn children(&self) -> Vec<Status> {
        self.service().children()
    }

    fn grace(&self) -> Option<Duration> {
        self.service().grace()
    }

    fn __grace(&self, parts: Spans<'_>) -> Option<Duration> {
        self.service().grace_of(parts)
    }

    fn __is_owner(&self) -> bool {
        self.service().is_owner()
    }

    fn __parts(&self) -> Parts {
        self.service().parts()
    }

    fn __each_part(&self, visit: EachPart<'_>) {
        self.service().each_part(visit);
    }

    fn __identity(&self) -> Option<Identity> {
        self.service().identity()
    }

    fn __bind(&self, owner: Owner) {
        self.service().bind(owner);
    }

    fn boxed(self) -> BoxService {
        self
    }
}

impl std::fmt::Debug for BoxService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let settings = self.service().settings();
        f.debug_struct("BoxService")
            .field("name", &settings.get_name())
            .finish_non_exhaustive()
    }
}

type BoxFuture<'a> = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send + 'a>>;

pin_project! {
    /// The end of `run` or `shutdown`. Not an `async` block: see that of the functions.
    struct BoxedEnd<F> {
        #[pin]
        future: F,
    }
}

impl<E: Into<BoxError>, F: Future<Output = Result<(), E>>> Future for BoxedEnd<F> {
    type Output = Result<(), BoxError>;

    fn poll(self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Self::Output> {
        self.project().future.poll(task).map_err(Into::into)
    }
}

/// The object-safe twin of [`Service`].
trait DynService: Send + Sync {
    fn run(&self, cx: Context) -> BoxFuture<'_>;
    fn shutdown(&self, cx: Context) -> BoxFuture<'_>;
    fn has_shutdown(&self) -> bool;
    fn settings(&self) -> Settings;
    fn children(&self) -> Vec<Status>;
    fn grace(&self) -> Option<Duration>;
    fn grace_of(&self, parts: Spans<'_>) -> Option<Duration>;
    fn is_owner(&self) -> bool;
    fn parts(&self) -> Parts;
    fn each_part(&self, visit: EachPart<'_>);
    fn identity(&self) -> Option<Identity>;
    fn bind(&self, owner: Owner);
}

impl<S: Service> DynService for S {
    fn run(&self, cx: Context) -> BoxFuture<'_> {
        if const { is_large(S::run) } {
            return Box::pin(BoxedEnd {
                future: Service::__boxed_run(self, cx),
            });
        }
        Box::pin(BoxedEnd {
            future: Service::run(self, cx),
        })
    }

    fn shutdown(&self, cx: Context) -> BoxFuture<'_> {
        if const { is_large(S::shutdown) } {
            return Box::pin(BoxedEnd {
                future: Service::__boxed_shutdown(self, cx),
            });
        }
        Box::pin(BoxedEnd {
            future: Service::shutdown(self, cx),
        })
    }

    fn has_shutdown(&self) -> bool {
        Service::__has_shutdown(self)
    }

    fn settings(&self) -> Settings {
        named(self)
    }

    fn children(&self) -> Vec<Status> {
        Service::children(self)
    }

    fn grace(&self) -> Option<Duration> {
        Service::grace(self)
    }

    fn grace_of(&self, parts: Spans<'_>) -> Option<Duration> {
        Service::__grace(self, parts)
    }

    fn is_owner(&self) -> bool {
        Service::__is_owner(self)
    }

    fn parts(&self) -> Parts {
        Service::__parts(self)
    }

    fn each_part(&self, visit: EachPart<'_>) {
        Service::__each_part(self, visit);
    }

    fn identity(&self) -> Option<Identity> {
        Service::__identity(self)
    }

    fn bind(&self, owner: Owner) {
        Service::__bind(self, owner);
    }
}
