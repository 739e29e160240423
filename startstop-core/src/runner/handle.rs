//! The runner as a handle: made of a service, cloned, let go.

use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use super::{Runner, WeakRunner};
use crate::engine::gate;
use crate::engine::request;
use crate::engine::{Node, Shared};
use crate::runner::driver::Inner;
use crate::service::name;
use crate::service::{Owner, Service};
use crate::settings::{Resolved, Settings};

impl<S: Service> Runner<S> {
    /// A runner for a service, stopped. It needs no runtime.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::{Runner, service_fn};
    /// let runner = Runner::new(service_fn(async |cx| cx.cancelled().await));
    /// assert!(!runner.is_running());
    /// ```
    pub fn new(service: S) -> Self {
        Self::with_settings(service, Settings::new())
    }

    /// A runner with settings that come before those of the service itself.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::{Runner, Settings, service_fn};
    /// let service = service_fn(async |cx| cx.cancelled().await);
    /// let runner = Runner::with_settings(service, Settings::new().name("idle"));
    /// assert_eq!(runner.name(), "idle");
    /// ```
    pub fn with_settings(service: S, settings: Settings) -> Self {
        let mut settings = settings.or(service.settings());
        if settings.get_name().is_none() {
            if let std::borrow::Cow::Owned(name) = name::of_type::<S>() {
                settings = settings.name(name);
            }
        }
        let mut shared = Shared::new(
            Resolved::new(settings),
            name::of_plain_type::<S>,
            service.__has_shutdown(),
        );
        if service.__is_whole() {
            shared = shared.of_whole();
        }
        let runner = Self { inner: Arc::new(Inner { shared, service }) };
        let node: Weak<dyn Node> = Arc::downgrade(&runner.inner) as Weak<dyn Node>;
        runner.inner.service.__bind(Owner(node));
        runner
    }

    /// The service itself.
    ///
    /// # Examples
    ///
    /// See [`service_fn_with`](crate::service_fn_with).
    pub fn service(&self) -> &S {
        &self.inner.service
    }

    /// A handle that does not keep the service running.
    ///
    /// # Examples
    ///
    /// See [`WeakRunner`].
    pub fn downgrade(&self) -> WeakRunner<S> {
        WeakRunner::new(&self.inner)
    }

    /// Keeps the service running after the last clone is dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::{Runner, service_fn};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| cx.cancelled().await));
    /// runner.start().await.unwrap();
    /// let weak = runner.downgrade();
    /// runner.detach();
    /// assert!(weak.upgrade().unwrap().is_running());
    /// # }
    /// ```
    pub fn detach(self) {
        self.inner.shared.detached.store(true, Ordering::Release);
    }

    /// The service with its core, whatever its type.
    pub(crate) fn node(&self) -> Arc<dyn Node> {
        Arc::clone(&self.inner) as Arc<dyn Node>
    }

    /// A handle that is counted already.
    pub(crate) fn of_inner(inner: Arc<Inner<S>>) -> Self {
        Self { inner }
    }
}

impl<S: Service> Clone for Runner<S> {
    fn clone(&self) -> Self {
        self.inner.shared.handles.fetch_add(1, Ordering::Relaxed);
        Self { inner: Arc::clone(&self.inner) }
    }
}

/// The last clone asks for a stop, unless the runner was detached.
impl<S: Service> Drop for Runner<S> {
    fn drop(&mut self) {
        let shared = &self.inner.shared;
        if shared.handles.fetch_sub(1, Ordering::AcqRel) > 1 {
            return;
        }
        if !shared.detached.load(Ordering::Acquire) {
            request::abandon(&self.inner);
        }
        request::tell_watchers(&self.inner);
        gate::pass(&self.inner);
    }
}

impl<S: Service> fmt::Debug for Runner<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runner")
            .field("name", &self.name())
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}
