//! The wakers that a change wakes.

use std::task::Waker;

use crate::report::panic::{catch_panic, catch_panics};

/// Wakers to be woken once the lock is released.
#[derive(Debug, Default)]
pub(crate) struct Wakes {
    first: Option<Waker>,
    more: Vec<Waker>,
}

impl Wakes {
    pub(crate) fn add(&mut self, waker: Option<Waker>) {
        let Some(waker) = waker else { return };
        match self.first {
            None => self.first = Some(waker),
            Some(_) => self.more.push(waker),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    #[inline]
    pub(crate) fn wake(&mut self) {
        let Some(first) = self.first.take() else {
            return;
        };
        drop(catch_panic(|| first.wake()));
        if !self.more.is_empty() {
            catch_panics(std::mem::take(&mut self.more), Waker::wake);
        }
    }
}
