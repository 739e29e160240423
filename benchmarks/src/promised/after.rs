//! What is done after the lock: wake, spawn, drop.

use std::mem;
use std::sync::Arc;
use std::task::Waker;

use tokio::runtime::Handle;

use super::driver::{self, Lost};
use super::failure::Failure;
use super::waiters::Wakes;
use super::{Service, Shared, watcher};

#[derive(Default)]
pub(super) struct After {
    pub(super) wakes: Wakes,
    pub(super) driver: Option<Waker>,
    /// Where a driver is spawned.
    pub(super) spawn: Option<Handle>,
    /// The thread is to look at it soon.
    pub(super) watch: bool,
    /// To be dropped.
    pub(super) failure: Option<Failure>,
    pub(super) on: Option<Handle>,
    seldom: Option<Box<Seldom>>,
}

#[derive(Default)]
struct Seldom {
    cancels: Vec<Waker>,
    failures: Vec<Failure>,
    next_on: Option<Handle>,
}

impl After {
    pub(super) fn run<S: Service>(self, shared: &Arc<Shared<S>>) {
        if let Some(on) = &self.spawn {
            on.spawn(driver::drive(Lost::new(shared, on)));
        }
        if let Some(driver) = self.driver {
            driver.wake();
        }
        if let Some(seldom) = self.seldom {
            seldom.cancels.into_iter().for_each(Waker::wake);
        }
        self.wakes.wake();
        if self.watch {
            watcher::look_soon(Arc::downgrade(shared) as _);
        }
    }

    /// Drops them, once the lock is released.
    pub(super) fn drop_later(&mut self, failure: Option<Failure>) {
        if let Some(failure) = failure {
            if self.failure.is_none() {
                self.failure = Some(failure);
            } else {
                self.seldom().failures.push(failure);
            }
        }
    }

    pub(super) fn drop_runtime(&mut self, next_on: Option<Handle>) {
        if next_on.is_some() {
            self.seldom().next_on = next_on;
        }
    }

    /// Wakes those who waited for a stop in other tasks.
    pub(super) fn wake_all(&mut self, cancels: &mut Vec<Waker>) {
        if !cancels.is_empty() {
            self.seldom().cancels = mem::take(cancels);
        }
    }

    fn seldom(&mut self) -> &mut Seldom {
        self.seldom.get_or_insert_default()
    }
}
