//! A watch on the state of a service.

use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Weak};
use std::task::{Context as Task, Poll, Waker};

use crate::engine::waiters::{Key, Topic};
use crate::engine::{Node, Shared, Synced, gate};
use crate::report::state::State;

/// A watch on the state of a service, from [`Runner::subscribe`](crate::Runner::subscribe).
///
/// It sees the newest state: a state that has passed before the watch looks is skipped. It does not keep the service
/// running, nor its value in memory.
///
/// # Examples
///
/// ```
/// use startstop_core::{Runner, State, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let runner = Runner::new(service_fn(async |cx| cx.cancelled().await));
/// let mut states = runner.subscribe();
/// assert_eq!(states.get(), State::Stopped);
///
/// runner.start().await.unwrap();
/// assert_eq!(states.changed().await, Some(State::Running));
/// runner.stop().await.unwrap();
/// assert_eq!(states.changed().await, Some(State::Stopped));
/// drop(runner);
/// assert_eq!(states.changed().await, None);
/// # }
/// ```
#[derive(Clone)]
pub struct StateWatch {
    node: Weak<dyn Node>,
    /// The version of the state that was seen last, and the state.
    seen: (u32, State),
}

/// The outcome of a look for a change.
enum WatchNews {
    Changed(u32, State),
    /// Nothing will change any more.
    Over,
    /// Nothing is: this entry tells of the next change.
    None(Key),
}

impl StateWatch {
    pub(super) fn new(node: &Arc<dyn Node>) -> Self {
        let synced = node.shared().synced();
        Self {
            node: Arc::downgrade(node),
            seen: (synced.waiters.changes(), synced.state()),
        }
    }

    /// Returns the state now.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, State, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| cx.cancelled().await));
    /// let watch = runner.subscribe();
    /// assert_eq!(watch.get(), State::Stopped);
    /// # }
    /// ```
    pub fn get(&self) -> State {
        gate::glance(&self.node, |shared| shared.atomic_state.read().state())
            .map_or(State::Stopped, |(state, _)| state)
    }

    /// Waits until the state has changed since the last call, or since the watch was made: the newest
    /// state. `None` once the runner is gone and nothing will change any more.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, once};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let runner = Runner::new(once(async |_cx| ()));
    /// let mut watch = runner.subscribe();
    /// runner.start().await.unwrap();
    /// assert!(watch.changed().await.is_some());
    /// drop(runner);
    /// while watch.changed().await.is_some() {}
    /// assert_eq!(watch.changed().await, None); // no runner is left
    /// # }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when it is dropped: a change that it has not returned is there for the next
    /// call.
    pub async fn changed(&mut self) -> Option<State> {
        let mut entry = None;
        let news = poll_fn(|task| self.poll_news(&mut entry, task)).await;
        drop(entry);
        let Some((version, state)) = news else {
            return self.last();
        };
        self.seen = (version, state);
        Some(state)
    }

    /// The service is gone, and with it the runner: it had stopped by then.
    fn last(&mut self) -> Option<State> {
        let (_, state) = &mut self.seen;
        (std::mem::replace(state, State::Stopped) != State::Stopped).then_some(State::Stopped)
    }

    fn poll_news(
        &self,
        entry: &mut Option<WatchEntry>,
        task: &mut Task<'_>,
    ) -> Poll<Option<(u32, State)>> {
        let look = |shared: &Shared, synced: &mut Synced| {
            let (old, is_answered) = match entry {
                Some(entry) => entry.look(synced, task),
                None => (None, true),
            };
            (old, is_answered.then(|| self.news(shared, synced, task)))
        };
        let Some(((old, news), last)) = gate::look(&self.node, look) else {
            return Poll::Ready(None);
        };
        drop((old, last));
        match news {
            None => Poll::Pending,
            Some(WatchNews::Changed(version, state)) => Poll::Ready(Some((version, state))),
            Some(WatchNews::Over) => Poll::Ready(None),
            Some(WatchNews::None(key)) => {
                *entry = Some(WatchEntry {
                    node: Weak::clone(&self.node),
                    key,
                });
                Poll::Pending
            }
        }
    }

    fn news(&self, shared: &Shared, synced: &mut Synced, task: &Task<'_>) -> WatchNews {
        if synced.waiters.changes() != self.seen.0 {
            return WatchNews::Changed(synced.waiters.changes(), synced.state());
        }
        if shared.is_abandoned() && synced.state() == State::Stopped {
            return WatchNews::Over;
        }
        WatchNews::None(synced.waiters.add_with(Topic::Change, task.waker()))
    }
}

/// Waits for a change, without keeping the service in memory.
struct WatchEntry {
    node: Weak<dyn Node>,
    key: Key,
}

impl WatchEntry {
    /// Returns whether it is answered; if not, what is to be dropped outside of the lock.
    fn look(&self, synced: &mut Synced, task: &Task<'_>) -> (Option<Waker>, bool) {
        if synced.waiters.is_answered(self.key) {
            return (None, true);
        }
        (synced.waiters.wake(self.key, task.waker()), false)
    }
}

impl Drop for WatchEntry {
    fn drop(&mut self) {
        drop(gate::look(&self.node, |_, synced| {
            synced.waiters.remove(self.key)
        }));
    }
}

impl fmt::Debug for StateWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StateWatch")
            .field("state", &self.get())
            .finish_non_exhaustive()
    }
}
