//! A value that one member of a group makes and the members after it take.

use std::fmt;
use std::sync::{Arc, PoisonError};

use crate::engine::attempt_guard::Closed;
use crate::service::context::Context;
use crate::service::context::attempt_guard::{OnEnd, on_end};
use crate::sync::{Mutex, MutexGuard, Notify};

/// A value that one service makes and others take: a database fills it with its pool, the members after
/// it take it.
///
/// Use it where a member needs a value that another one makes at run time. A value that is known before the start goes into
/// the service as a field; a stream of values goes through a channel.
///
/// The slot is emptied when the attempt that filled it ends; services that hold the value keep it.
/// If the value panics when it is dropped there, that is a failure of the attempt. Clones share the
/// place.
///
/// # Examples
///
/// ```
/// use startstop_core::{Group, Readiness, Runner, Settings, Member, Slot, service_fn_with};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = Slot::<String>::new();
/// let db = service_fn_with(pool.clone(), async |pool, cx| {
///     pool.fill(&cx, "a pool of connections".to_owned()); // says `ready` as well
///     cx.cancelled().await;
/// });
/// let db = Runner::with_settings(db, Settings::new().readiness(Readiness::Explicit));
/// let http = service_fn_with(pool.clone(), async |pool, cx| {
///     let Some(pool) = pool.wait(&cx).await else { return };
///     assert_eq!(*pool, "a pool of connections");
///     cx.cancelled().await;
/// });
///
/// let app = Group::builder("app").with("db", db).then("http", http).build()?;
/// let app = Runner::new(app);
/// app.start().await?;
/// assert!(pool.get().is_some());
/// app.stop().await?;
/// assert!(pool.get().is_none());
/// # Ok(())
/// # }
/// ```
pub struct Slot<T> {
    shared: Arc<SlotShared<T>>,
}

struct SlotShared<T> {
    content: Mutex<SlotContent<T>>,
    filled: Notify,
}

struct SlotContent<T> {
    value: Option<Arc<T>>,
    /// The attempt that has filled it.
    by: Option<Filler>,
    /// Its end empties the slot.
    until: Option<OnEnd>,
    /// How often it was filled.
    version: u64,
}

/// Which attempt of which runner, by the address of the latter: the attempt does not outlive it.
type Filler = (usize, u64);

impl<T: Send + Sync + 'static> Slot<T> {
    /// Makes an empty slot.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::Slot;
    /// assert!(Slot::<String>::new().get().is_none());
    /// ```
    pub fn new() -> Self {
        let content = Mutex::new(SlotContent {
            value: None,
            by: None,
            until: None,
            version: 0,
        });
        Self {
            shared: Arc::new(SlotShared {
                content,
                filled: Notify::new(),
            }),
        }
    }

    /// Sets the value and calls [`cx.ready()`](Context::ready). The slot is emptied when the attempt of
    /// `cx` ends; a context that has outlived its attempt changes nothing. With a
    /// [detached](Context::detached) context the value stays until it is replaced.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Context, Slot};
    /// use tokio_util::sync::CancellationToken;
    ///
    /// let (cx, probe) = Context::probed(CancellationToken::new());
    /// let pool = Slot::new();
    /// pool.fill(&cx, 7);
    /// assert_eq!(pool.get().as_deref(), Some(&7));
    /// assert!(probe.is_ready());
    /// ```
    pub fn fill(&self, cx: &Context, value: T) {
        let value = Arc::new(value);
        let mut content = self.shared.content();
        let taken = self.take_over(&mut content, cx);
        let Ok(until) = taken else {
            drop(content);
            return;
        };
        let old = content.value.replace(value);
        content.version += 1;
        drop(content);
        drop(until);
        self.shared.filled.notify_waiters();
        cx.ready();
        // User code, so it comes last, and never under the lock.
        drop(old);
    }

    /// Returns the value, if the slot is filled.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Context, Slot};
    /// use tokio_util::sync::CancellationToken;
    ///
    /// let pool = Slot::new();
    /// assert!(pool.get().is_none());
    /// pool.fill(&Context::detached(CancellationToken::new()), 7);
    /// assert_eq!(pool.get().as_deref(), Some(&7));
    /// ```
    pub fn get(&self) -> Option<Arc<T>> {
        self.shared.content().value.clone()
    }

    /// Waits until the slot is filled: the value, or `None` if a stop comes first. A service that waits here is not silent for its
    /// [watchdog](crate::Settings::watchdog).
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Context, Slot};
    /// use tokio_util::sync::CancellationToken;
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let token = CancellationToken::new();
    /// let (pool, cx) = (Slot::<u32>::new(), Context::detached(token.clone()));
    /// token.cancel();
    /// assert!(pool.wait(&cx).await.is_none()); // a stop has come first
    /// # }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when it is dropped; the value stays.
    pub async fn wait(&self, cx: &Context) -> Option<Arc<T>> {
        self.watch().next(cx).await
    }

    /// Returns a reader of the values with which the slot is filled from now on, beginning with the
    /// current one.
    ///
    /// Use it where a service takes up each new value: a pool that was made anew after its member was restarted. Use
    /// [`wait`](Self::wait) where one is enough.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Context, Slot};
    /// use tokio_util::sync::CancellationToken;
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let (pool, cx) = (Slot::new(), Context::detached(CancellationToken::new()));
    /// let mut pools = pool.watch();
    /// pool.fill(&cx, 7);
    /// assert_eq!(pools.next(&cx).await.as_deref(), Some(&7));
    /// # }
    /// ```
    pub fn watch(&self) -> SlotWatch<T> {
        SlotWatch {
            slot: self.clone(),
            seen: 0,
        }
    }

    /// Waits for a value that is newer than version `seen`, and returns it with its version.
    async fn newer(&self, seen: u64) -> (Arc<T>, u64) {
        loop {
            // It is told of what comes after this line, so nothing gets lost between the look and the wait.
            let filled = self.shared.filled.notified();
            if let Some(newer) = self.shared.content().newer(seen) {
                return newer;
            }
            filled.await;
        }
    }

    /// Leaves the slot to the end of the attempt of `cx`, unless that has ended already. What has filled it before is handed
    /// back, to be dropped outside of the lock: its end does nothing any more.
    ///
    /// Under the lock, which the end takes as well: it comes either before this or after the value is there.
    fn take_over(
        &self,
        content: &mut SlotContent<T>,
        cx: &Context,
    ) -> Result<Option<OnEnd>, Closed> {
        let by = cx
            .attempt_link()
            .map(|it| (Arc::as_ptr(it.node()).addr(), it.epoch()));
        if by.is_some() && by == content.by {
            return Ok(None);
        }
        let weak = Arc::downgrade(&self.shared);
        let until = on_end(cx, move || {
            if let Some(shared) = weak.upgrade() {
                shared.empty(by);
            }
        })?;
        content.by = by;
        Ok(std::mem::replace(&mut content.until, until))
    }
}

/// A reader of a [`Slot`], from [`Slot::watch`].
///
/// It gives the newest value: a value that was replaced before the reader looked is skipped.
///
/// # Examples
///
/// ```
/// use startstop_core::{Context, Slot};
/// use tokio_util::sync::CancellationToken;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let token = CancellationToken::new();
/// let cx = Context::detached(token.clone());
/// let pool = Slot::new();
/// let mut pools = pool.watch();
/// pool.fill(&cx, "first");
/// assert_eq!(pools.next(&cx).await.as_deref(), Some(&"first"));
/// pool.fill(&cx, "second");
/// pool.fill(&cx, "third");
/// assert_eq!(pools.next(&cx).await.as_deref(), Some(&"third"));
/// token.cancel();
/// assert_eq!(pools.next(&cx).await, None);
/// # }
/// ```
pub struct SlotWatch<T> {
    slot: Slot<T>,
    /// The version that was given last.
    seen: u64,
}

impl<T: Send + Sync + 'static> SlotWatch<T> {
    /// Waits for a value that this has not given yet, and returns the newest; `None` if a stop comes first. A service that waits
    /// here is not silent for its [watchdog](crate::Settings::watchdog).
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Context, Slot};
    /// use tokio_util::sync::CancellationToken;
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let (pool, cx) = (Slot::new(), Context::detached(CancellationToken::new()));
    /// let mut pools = pool.watch();
    /// for made in [1, 2] {
    ///     pool.fill(&cx, made);
    ///     assert_eq!(pools.next(&cx).await.as_deref(), Some(&made));
    /// }
    /// # }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when it is dropped; a value that it has not returned is there for the next call.
    pub async fn next(&mut self, cx: &Context) -> Option<Arc<T>> {
        let _waiting = cx.waiting();
        let (value, version) = cx.run_until_cancelled(self.slot.newer(self.seen)).await?;
        self.seen = version;
        Some(value)
    }
}

impl<T> Clone for SlotWatch<T> {
    fn clone(&self) -> Self {
        Self {
            slot: self.slot.clone(),
            seen: self.seen,
        }
    }
}

impl<T> fmt::Debug for SlotWatch<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SlotWatch")
            .field("slot", &self.slot)
            .finish_non_exhaustive()
    }
}

impl<T> SlotContent<T> {
    fn newer(&self, seen: u64) -> Option<(Arc<T>, u64)> {
        let value = self.value.as_ref().filter(|_| self.version != seen)?;
        Some((Arc::clone(value), self.version))
    }
}

impl<T> SlotShared<T> {
    fn content(&self) -> MutexGuard<'_, SlotContent<T>> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the value out, unless another has filled it since.
    fn empty(&self, by: Option<Filler>) {
        let mut content = self.content();
        if content.by != by {
            return;
        }
        content.by = None;
        let (old, until) = (content.value.take(), content.until.take());
        drop(content);
        drop(until);
        drop(old);
    }
}

impl<T> Clone for Slot<T> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<T: Send + Sync + 'static> Default for Slot<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for Slot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let filled = self.shared.content().value.is_some();
        f.debug_struct("Slot")
            .field("filled", &filled)
            .finish_non_exhaustive()
    }
}
