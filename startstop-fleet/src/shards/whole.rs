//! The group of a term. It is the led service itself, so that the shards are parts of that.

use std::sync::Arc;
use std::time::Duration;

use startstop_core::__private::{Owner, Parts, Spans};
use startstop_core::{BoxError, Context, Group, Service, Settings, Status};

/// Shared with the balance, which is a member of the group and so does not keep it.
pub(super) struct Whole(pub(super) Arc<Group>);

impl Service for Whole {
    type Error = BoxError;

    async fn run(&self, cx: Context) -> Result<(), BoxError> {
        self.0.run(cx).await
    }

    async fn shutdown(&self, cx: Context) -> Result<(), BoxError> {
        self.0.shutdown(cx).await
    }

    fn settings(&self) -> Settings {
        Service::settings(&*self.0)
    }

    fn children(&self) -> Vec<Status> {
        self.0.children()
    }

    fn grace(&self) -> Option<Duration> {
        Service::grace(&*self.0)
    }

    fn __grace(&self, parts: Spans<'_>) -> Option<Duration> {
        self.0.__grace(parts)
    }

    fn __parts(&self) -> Parts {
        self.0.__parts()
    }

    fn __bind(&self, whole: Owner) {
        self.0.__bind(whole);
    }
}
