//! The group of a term. It is the led service itself, so that the shards are parts of that.
//!
//! When it is told to stop no shard is started any more. It has ended only when none runs any more, nor can: neither one that its
//! handle has started beside the group.

use std::sync::Arc;
use std::time::Duration;

use startstop_core::__private::{Owner, Parts, Spans};
use startstop_core::{BoxError, Context, Group, Service, Settings, Status};

use super::ours::Ours;

pub(super) struct Whole {
    /// Shared with the balance, which is a member of the group and so does not keep it.
    pub(super) group: Arc<Group>,
    pub(super) ours: Arc<Ours>,
}

/// Nothing is run any more when it is dropped.
struct OverOnDrop<'a>(&'a Ours);

impl Drop for OverOnDrop<'_> {
    fn drop(&mut self) {
        self.0.clear();
    }
}

impl Service for Whole {
    type Error = BoxError;

    async fn run(&self, cx: Context) -> Result<(), BoxError> {
        let _over = OverOnDrop(&self.ours);
        let ended = self.group.run(cx).await;
        self.ours.ended().await;
        ended
    }

    async fn shutdown(&self, cx: Context) -> Result<(), BoxError> {
        self.ours.close();
        self.group.shutdown(cx).await
    }

    fn settings(&self) -> Settings {
        Service::settings(&*self.group)
    }

    fn children(&self) -> Vec<Status> {
        self.group.children()
    }

    fn grace(&self) -> Option<Duration> {
        Service::grace(&*self.group)
    }

    fn __grace(&self, parts: Spans<'_>) -> Option<Duration> {
        self.group.__grace(parts)
    }

    fn __is_owner(&self) -> bool {
        self.group.__is_owner()
    }

    fn __parts(&self) -> Parts {
        self.group.__parts()
    }

    fn __bind(&self, whole: Owner) {
        self.group.__bind(whole);
    }
}
