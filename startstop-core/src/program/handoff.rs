//! Values that a thread hands to another one. `std::sync::mpsc` does it as well, in many times the code for each type of value.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The one who gives. With it goes the hope for more.
pub(super) struct Giver<T>(Arc<Passage<T>>);

/// The one who takes.
pub(super) struct Taker<T>(Arc<Passage<T>>);

struct Passage<T> {
    given: Mutex<Given<T>>,
    changed: Condvar,
}

struct Given<T> {
    values: VecDeque<T>,
    is_over: bool,
}

pub(super) fn handoff<T>() -> (Giver<T>, Taker<T>) {
    let passage = Arc::new(Passage {
        given: Mutex::new(Given {
            values: VecDeque::new(),
            is_over: false,
        }),
        changed: Condvar::new(),
    });
    (Giver(Arc::clone(&passage)), Taker(passage))
}

impl<T> Giver<T> {
    pub(super) fn give(&self, value: T) {
        self.0.lock().values.push_back(value);
        self.0.changed.notify_one();
    }
}

impl<T> Drop for Giver<T> {
    fn drop(&mut self) {
        self.0.lock().is_over = true;
        self.0.changed.notify_one();
    }
}

impl<T> Taker<T> {
    /// The next value, or `None` if there comes none any more.
    pub(super) fn take(&self) -> Option<T> {
        let mut given = self.0.lock();
        while given.values.is_empty() && !given.is_over {
            let waited = self.0.changed.wait(given);
            given = waited.unwrap_or_else(PoisonError::into_inner);
        }
        given.values.pop_front()
    }

    /// The next value, or `None` if there comes none until then, or none any more.
    pub(super) fn take_until(&self, until: Instant) -> Option<T> {
        let mut given = self.0.lock();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if !given.values.is_empty() || given.is_over || left.is_zero() {
                return given.values.pop_front();
            }
            given = self.0.wait(given, left);
        }
    }
}

impl<T> Passage<T> {
    fn lock(&self) -> MutexGuard<'_, Given<T>> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(
        &self,
        given: MutexGuard<'a, Given<T>>,
        left: Duration,
    ) -> MutexGuard<'a, Given<T>> {
        let waited = self.changed.wait_timeout(given, left);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::handoff;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    #[test]
    fn what_was_given_is_taken_in_order_and_then_nothing() {
        let (giver, taker) = handoff();
        let thread = std::thread::spawn(move || (1..=3).for_each(|value| giver.give(value)));
        let values = [(); 4].map(|()| taker.take_until(soon()));
        assert_eq!(values, [Some(1), Some(2), Some(3), None]);
        thread.join().expect("it does not panic");
    }

    #[test]
    fn a_giver_that_gives_nothing_is_waited_for_until_then() {
        let (giver, taker) = handoff::<()>();
        assert_eq!(taker.take_until(Instant::now()), None);
        drop(giver);
        assert_eq!(taker.take_until(soon()), None);
    }
}
