//! `Fenced`: a value that refuses writes of terms that are over.

use std::sync::{Mutex, MutexGuard, PoisonError};

use thiserror::Error;

/// A value that only the newest term may write.
///
/// It is what the receiving side of a write does, here for a value in memory; in a database it is a column
/// and `where fence <= $1`.
///
/// All who write it hold the same lease: the fences of two leases, or of one lease on two stores, say nothing of each other. Those who
/// write or read wait for each other, so neither closure calls a method of the same value.
///
/// # Examples
///
/// ```
/// use startstop_fleet::Fenced;
///
/// let total = Fenced::new(0);
/// assert_eq!(total.write(7, |total| *total += 1), Ok(()));
/// assert_eq!(total.write(8, |total| *total += 1), Ok(()));
///
/// let late = total.write(7, |total| *total += 1).unwrap_err(); // from a process that was frozen
/// assert_eq!(late.to_string(), "fence 7 is over: 8 has been seen");
/// assert_eq!(total.read(|total| *total), 2);
/// ```
#[derive(Debug, Default)]
pub struct Fenced<T> {
    inner: Mutex<FencedInner<T>>,
}

#[derive(Debug, Default)]
struct FencedInner<T> {
    fence: u64,
    value: T,
}

/// A write of a term that is over was refused.
///
/// # Examples
///
/// See [`Fenced`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("fence {fence} is over: {seen} has been seen")]
#[non_exhaustive]
pub struct StaleFence {
    /// The fence of the write.
    pub fence: u64,
    /// The greatest that was seen.
    pub seen: u64,
}

impl<T> Fenced<T> {
    /// Fences a value that no term has written yet.
    pub fn new(value: T) -> Self {
        Self {
            inner: Mutex::new(FencedInner { fence: 0, value }),
        }
    }

    /// Hands the value to `write` if no greater fence than `fence` has been seen.
    ///
    /// # Errors
    ///
    /// [`StaleFence`] if one has; then `write` is not called.
    ///
    /// # Examples
    ///
    /// See [`Fenced`].
    pub fn write<R>(&self, fence: u64, write: impl FnOnce(&mut T) -> R) -> Result<R, StaleFence> {
        let mut inner = self.lock();
        if fence < inner.fence {
            return Err(StaleFence {
                fence,
                seen: inner.fence,
            });
        }
        inner.fence = fence;
        Ok(write(&mut inner.value))
    }

    /// Hands the value to `read`, whoever asks.
    ///
    /// # Examples
    ///
    /// See [`Fenced`].
    pub fn read<R>(&self, read: impl FnOnce(&T) -> R) -> R {
        read(&self.lock().value)
    }

    /// Returns the greatest fence that was seen; 0 before the first write.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_fleet::Fenced;
    ///
    /// let value = Fenced::new("");
    /// value.write(3, |value| *value = "three").unwrap();
    /// assert_eq!(value.fence(), 3);
    /// ```
    pub fn fence(&self) -> u64 {
        self.lock().fence
    }

    /// Returns the value.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(startstop_fleet::Fenced::new(7).into_inner(), 7);
    /// ```
    pub fn into_inner(self) -> T {
        self.inner
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
            .value
    }

    fn lock(&self) -> MutexGuard<'_, FencedInner<T>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
