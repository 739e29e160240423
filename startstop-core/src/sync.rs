//! The parts of which shared data is made: locks, atomics, the handles of tasks, tokens.
//!
//! That is what std, tokio and tokio-util give. With `--cfg startstop_loom` it is what loom can look
//! into, so that `models` can walk through all orders in which threads may come: its locks and
//! atomics, tasks that are its threads, and a token and a notice that are made of its locks. An `Arc` is that of std
//! under both, since that of loom cannot hold a trait object; so the counts themselves are not walked.

#[cfg(startstop_loom)]
mod modelled;
pub(crate) mod clock;
mod in_turn;
mod seldom;

pub(crate) use in_turn::{drop_in_turn, in_turn};
pub(crate) use seldom::{spawn_boxed, spawn_thread};
#[cfg(not(startstop_loom))]
mod spawned;

#[cfg(not(startstop_loom))]
pub(crate) use spawned::{Empty, flush_lifo_slot, has_ended, has_timers, is_own, spawn_on};

#[cfg(not(startstop_loom))]
pub(crate) use std::sync::{
    Condvar, Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64},
};
#[cfg(not(startstop_loom))]
pub(crate) use tokio::{sync::Notify, task::AbortHandle};
#[cfg(not(startstop_loom))]
pub(crate) use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

#[cfg(all(test, startstop_loom))]
pub(crate) use loom::sync::Condvar;
#[cfg(all(test, startstop_loom))]
pub(crate) use modelled::block_on;
#[cfg(startstop_loom)]
pub(crate) use modelled::{
    AbortHandle, AtomicBool, AtomicU8, AtomicU32, AtomicU64, CancellationToken, Mutex, MutexGuard,
    Notify, Nudge, QueueEntry, WaitForCancellationFutureOwned, flush_lifo_slot, has_ended,
    has_timers, is_own, look_soon, spawn_on,
};
