//! A value that one member of a group makes and the members after it take.

use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, PoisonError};
use std::task::{Poll, Waker};

use crate::context::Context;
use crate::hold::on_end;
use crate::sync::{Mutex, MutexGuard};

/// A value that one service makes and others take: a database fills it with its pool, the members after
/// it take it.
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
    shared: Arc<Mutex<Place<T>>>,
}

struct Place<T> {
    value: Option<Arc<T>>,
    /// Tells who has filled it last.
    filled: u64,
    waiting: Vec<Waker>,
}

impl<T: Send + Sync + 'static> Slot<T> {
    /// An empty slot.
    ///
    /// # Examples
    ///
    /// See [`Slot`].
    pub fn new() -> Self {
        let place = Place { value: None, filled: 0, waiting: Vec::new() };
        Self { shared: Arc::new(Mutex::new(place)) }
    }

    /// Sets the value and calls [`cx.ready()`](Context::ready). The slot is emptied when the attempt of
    /// `cx` ends; if it has ended already nothing happens.
    ///
    /// # Examples
    ///
    /// See [`Slot`].
    pub fn fill(&self, cx: &Context, value: T) {
        let value = Arc::new(value);
        let (number, old, waiting) = {
            let mut place = self.place();
            place.filled += 1;
            let old = place.value.replace(value);
            (place.filled, old, std::mem::take(&mut place.waiting))
        };
        drop(old);
        let weak = Arc::downgrade(&self.shared);
        on_end(cx, move || {
            if let Some(shared) = weak.upgrade() {
                Self { shared }.empty(number);
            }
        });
        for waker in waiting {
            waker.wake();
        }
        cx.ready();
    }

    /// The value, if the slot is filled.
    ///
    /// # Examples
    ///
    /// See [`Slot`].
    pub fn get(&self) -> Option<Arc<T>> {
        self.place().value.clone()
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
        let filled = poll_fn(|task| {
            let mut place = self.place();
            if let Some(value) = &place.value {
                return Poll::Ready(Arc::clone(value));
            }
            if !place.waiting.iter().any(|other| other.will_wake(task.waker())) {
                place.waiting.push(task.waker().clone());
            }
            Poll::Pending
        });
        cx.run_until_cancelled(filled).await
    }

    /// Takes the value out, unless it was filled again since.
    fn empty(&self, number: u64) {
        let mut place = self.place();
        let old = if place.filled == number { place.value.take() } else { None };
        drop(place);
        drop(old);
    }

    fn place(&self) -> MutexGuard<'_, Place<T>> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
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
        f.debug_struct("Slot").finish_non_exhaustive()
    }
}
