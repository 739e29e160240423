//! What happens to a service and to what it is made of.

use std::sync::Arc;

use super::Runner;
use crate::engine::Node;
use crate::report::event::Events;
use crate::runner::listen::listen;
use crate::service::Service;

/// How many events a stream holds that nobody has read, unless something else is asked for.
pub(super) const CAPACITY: usize = 1024;

impl<S: Service> Runner<S> {
    /// Returns a stream of what happens from now on to the service and, for a composite, to every member down to the
    /// leaves. It holds the last 1,024 events.
    ///
    /// # Examples
    ///
    /// See [`Events`].
    pub fn events(&self) -> Events {
        self.events_with_capacity(CAPACITY)
    }

    /// Like [`events`](Self::events), holding the last `capacity` events; at least one.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{EventKind, Runner, once};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let runner = Runner::new(once(async |_cx| ()));
    /// let mut events = runner.events_with_capacity(1);
    /// runner.start().await.unwrap();
    /// assert!(matches!(events.try_next().unwrap().kind(), EventKind::Missed(2)));
    /// assert!(matches!(events.try_next().unwrap().kind(), EventKind::Stopped { .. }));
    /// # }
    /// ```
    pub fn events_with_capacity(&self, capacity: usize) -> Events {
        listen(&(Arc::clone(&self.inner) as Arc<dyn Node>), capacity)
    }
}
