//! The reader's side of a stream of events.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context as Task, Poll};

use super::Event;
use super::queue::{EventQueue, MayCome};
use crate::report::path::Path;

/// A stream of the events of a service and of its parts, from
/// [`Runner::events`](crate::Runner::events).
///
/// It neither keeps the service running nor its value in memory. A reader that is too slow gets
/// [`Missed`](crate::EventKind::Missed) and goes on with the oldest event that is left.
///
/// The events of one service come in order, and an event comes before the events of other services
/// that follow from it. When a state can be seen, its event is in the stream.
///
/// With the feature `stream` it is a `futures_core::Stream`.
///
/// # Examples
///
/// ```
/// use startstop_core::{Group, Runner, once};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let app = Runner::new(Group::builder("app").with("migrate", once(async |_cx| ())).build()?);
/// let mut events = app.events();
/// app.start().await?;
/// app.stop().await?;
/// drop(app);
///
/// let mut lines = Vec::new();
/// while let Some(event) = events.next().await {
///     lines.push(event.to_string());
/// }
/// assert_eq!(lines[..2], ["app starting", "app/migrate starting"]);
/// # Ok(())
/// # }
/// ```
pub struct Events {
    queue: Arc<EventQueue>,
}

impl Events {
    pub(crate) fn new(capacity: usize, path: Path) -> Self {
        Self {
            queue: Arc::new(EventQueue::new(capacity, path)),
        }
    }

    /// Returns the queue of the stream.
    pub(crate) fn queue(&self) -> &Arc<EventQueue> {
        &self.queue
    }

    /// Waits for the next event: `None` once the runner is gone and all is read.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{EventKind, Runner, once};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let runner = Runner::new(once(async |_cx| ()));
    /// let mut events = runner.events();
    /// runner.start().await.unwrap();
    /// drop(runner);
    /// let mut last = None;
    /// while let Some(event) = events.next().await {
    ///     last = Some(event);
    /// }
    /// assert!(matches!(last.unwrap().kind(), EventKind::Stopped { .. }));
    /// # }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when it is dropped.
    pub async fn next(&mut self) -> Option<Event> {
        poll_fn(|task| self.poll_event(task)).await
    }

    /// Returns the next event if there is one already.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::{Runner, once};
    /// let runner = Runner::new(once(async |_cx| ()));
    /// assert!(runner.events().try_next().is_none());
    /// ```
    #[inline]
    pub fn try_next(&mut self) -> Option<Event> {
        self.queue.take(None).ok()
    }

    fn poll_event(&mut self, task: &mut Task<'_>) -> Poll<Option<Event>> {
        match self.queue.take(Some(task.waker())) {
            Ok(event) => Poll::Ready(Some(event)),
            Err(MayCome::No) => Poll::Ready(None),
            Err(MayCome::Yes) => Poll::Pending,
        }
    }
}

#[cfg(feature = "stream")]
impl futures_core::Stream for Events {
    type Item = Event;

    fn poll_next(self: std::pin::Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Option<Event>> {
        self.get_mut().poll_event(task)
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").finish_non_exhaustive()
    }
}
