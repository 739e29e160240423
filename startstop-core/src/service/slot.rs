//! A value that one member of a group makes and the members after it take.

use std::fmt;
use std::sync::{Arc, PoisonError};

use crate::service::context::Context;
use crate::service::context::attempt_guard::on_end;
use crate::sync::{Mutex, MutexGuard, Notify};

/// A value that one service makes and others take: a database fills it with its pool, the members after
/// it take it.
///
/// Use it where a member needs a value that another one makes at run time. A value that is known before the start goes into
/// the service as a field; a stream of values goes through a channel.
///
/// It is emptied when the attempt ends that has filled it; who holds the value meanwhile keeps it. If the value
/// panics when it is dropped there, that is a failure of the attempt. Clones share the place.
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
    shared: Arc<Shared<T>>,
}

struct Shared<T> {
    content: Mutex<Content<T>>,
    filled: Notify,
}

struct Content<T> {
    value: Option<Arc<T>>,
    /// The attempt that has filled it and whose end empties it.
    by: Option<Filler>,
}

/// Which attempt of which runner, by the address of the latter: the attempt does not outlive it.
type Filler = (usize, u64);

impl<T: Send + Sync + 'static> Slot<T> {
    /// An empty slot.
    ///
    /// # Examples
    ///
    /// See [`Slot`].
    pub fn new() -> Self {
        let content = Mutex::new(Content { value: None, by: None });
        Self { shared: Arc::new(Shared { content, filled: Notify::new() }) }
    }

    /// Sets the value and calls [`cx.ready()`](Context::ready). The slot is emptied when the attempt of
    /// `cx` ends; a context that has outlived its attempt changes nothing. With a
    /// [detached](Context::detached) context the value stays until it is replaced.
    ///
    /// # Examples
    ///
    /// See [`Slot`].
    pub fn fill(&self, cx: &Context, value: T) {
        let value = Arc::new(value);
        let mut content = self.shared.content();
        if !self.take_over(&mut content, cx) {
            drop(content);
            return;
        }
        let old = content.value.replace(value);
        drop(content);
        self.shared.filled.notify_waiters();
        cx.ready();
        // Foreign code, so it comes last, and never under the lock.
        drop(old);
    }

    /// The value, if the slot is filled.
    ///
    /// # Examples
    ///
    /// See [`Slot`].
    pub fn get(&self) -> Option<Arc<T>> {
        self.shared.content().value.clone()
    }

    /// Waits until the slot is filled: the value, or `None` if a stop comes first.
    ///
    /// # Examples
    ///
    /// See [`Slot`].
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when it is dropped; the value stays.
    pub async fn wait(&self, cx: &Context) -> Option<Arc<T>> {
        cx.run_until_cancelled(self.filled()).await
    }

    async fn filled(&self) -> Arc<T> {
        loop {
            // It is told of what comes after this line, so nothing gets lost between the look and the wait.
            let filled = self.shared.filled.notified();
            if let Some(value) = self.get() {
                return value;
            }
            filled.await;
        }
    }

    /// Has the slot emptied at the end of the attempt of `cx`; not if that has ended already.
    ///
    /// Under the lock, which the end takes as well: it comes either before this or after the value is there.
    fn take_over(&self, content: &mut Content<T>, cx: &Context) -> bool {
        let by = cx.attempt_link().map(|it| (Arc::as_ptr(it.node()).addr(), it.epoch()));
        if by.is_some() && by == content.by {
            return true;
        }
        let weak = Arc::downgrade(&self.shared);
        let taken = on_end(cx, move || {
            if let Some(shared) = weak.upgrade() {
                shared.empty(by);
            }
        });
        if taken {
            content.by = by;
        }
        taken
    }
}

impl<T> Shared<T> {
    fn content(&self) -> MutexGuard<'_, Content<T>> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the value out, unless another has filled it since.
    fn empty(&self, by: Option<Filler>) {
        let mut content = self.content();
        if content.by != by {
            return;
        }
        content.by = None;
        let old = content.value.take();
        drop(content);
        drop(old);
    }
}

impl<T> Clone for Slot<T> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
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
        f.debug_struct("Slot").field("filled", &filled).finish_non_exhaustive()
    }
}
