//! A watch on the state of a service.

use std::fmt;
use std::sync::Arc;

use crate::engine::Node;
use crate::engine::request::Reply;
use crate::engine::request::pending::redeem;
use crate::engine::waiters::{Answer, Topic};
use crate::report::state::State;

/// A watch on the state of a service, from [`Runner::subscribe`](crate::Runner::subscribe).
///
/// It sees the newest state: one that has passed before it looks is skipped. It does not keep the
/// service running, but keeps its value in memory.
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
    node: Arc<dyn Node>,
    seen: u32,
}

impl StateWatch {
    pub(super) fn new(node: Arc<dyn Node>) -> Self {
        let seen = node.core().cell().version;
        Self { node, seen }
    }

    /// The state now: one atomic load.
    ///
    /// # Examples
    ///
    /// See [`StateWatch`].
    pub fn get(&self) -> State {
        self.node.core().word.read().state()
    }

    /// Waits until the state has changed since the last call, or since the watch was made: the newest
    /// state. `None` once the runner is gone and nothing will change any more.
    ///
    /// # Examples
    ///
    /// See [`StateWatch`].
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when it is dropped: a change that it has not returned is there for the next
    /// call.
    pub async fn changed(&mut self) -> Option<State> {
        loop {
            let reply = {
                let mut cell = self.node.core().cell();
                if cell.version != self.seen {
                    self.seen = cell.version;
                    return Some(cell.state());
                }
                if self.node.core().is_abandoned() && cell.state() == State::Stopped {
                    return None;
                }
                Reply::Later(cell.waiters.add(Topic::Change))
            };
            redeem(&self.node, reply, Answer::seen).await;
        }
    }
}

impl fmt::Debug for StateWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StateWatch").field("state", &self.get()).finish_non_exhaustive()
    }
}
