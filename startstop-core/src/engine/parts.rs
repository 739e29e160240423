//! The tokens of an attempt, and how its tasks and its `shutdown` are aborted and end.

use std::sync::Arc;
use std::task::Waker;

use tokio::runtime::Handle;

use super::{After, Cell, Core};
use crate::report::failure::Fault;
use crate::report::state::Phase;
use crate::rules::lifecycle::{Input, Level, Part, Rules};
use crate::sync::{AbortHandle, CancellationToken};

/// How a task or a `shutdown` has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PartEnd {
    /// By itself.
    Finished,
    /// Its future was dropped.
    Dropped,
}

impl Cell {
    /// The token that is cancelled when attempt `epoch` reaches `level`, made when first asked for;
    /// `None` if it has reached that already.
    ///
    /// In an `Arc`, since cloning a token takes its lock: a token calls wakers with its lock held,
    /// and ours take the lock of the cell.
    pub(crate) fn token(&mut self, epoch: u64, level: Level) -> Option<Arc<CancellationToken>> {
        if self.has_reached(epoch, level) {
            return None;
        }
        let rare = self.rare();
        let slot = match level {
            Level::Aborted => &mut rare.deadline_token,
            _ => &mut rare.token,
        };
        Some(Arc::clone(slot.get_or_insert_default()))
    }

    /// Makes place for a task; `None` if the attempt takes no more.
    pub(crate) fn add_task(&mut self, epoch: u64, rules: Rules) -> Option<(Handle, u64)> {
        if self.attempts != epoch || !self.life.is_open() {
            return None;
        }
        let on = self.on.clone()?;
        self.life.step(Input::Added(Part::Task), rules);
        let rare = self.rare();
        let id = rare.next_task;
        rare.next_task += 1;
        rare.tasks.insert(id, None);
        Some((on, id))
    }

    /// Notes how a spawned task is aborted; a task that came too late is aborted at once.
    pub(crate) fn task_spawned(&mut self, id: u64, handle: AbortHandle) -> Option<AbortHandle> {
        let late = self.life.level() >= Level::Aborted;
        let slot = self.rare().tasks.get_mut(&id)?;
        if late {
            return Some(handle);
        }
        *slot = Some(handle);
        None
    }

    /// Whether `waker` is that of the driver, which is woken whenever a level changes.
    pub(crate) fn wakes_driver(&self, waker: &Waker) -> bool {
        self.driver.as_ref().is_some_and(|driver| driver.will_wake(waker))
    }

    pub(crate) fn task_gone(&mut self, id: u64) -> Option<AbortHandle> {
        self.rare.as_mut()?.tasks.remove(&id).flatten()
    }

    /// Notes how `shutdown` is aborted, which was spawned for attempt `epoch`; a task that came too late
    /// is aborted at once.
    pub(crate) fn hook_spawned(&mut self, epoch: u64, handle: AbortHandle) -> Option<AbortHandle> {
        let live = self.attempts == epoch && self.life.is_hook_live();
        if !live || self.life.level() >= Level::Aborted {
            return Some(handle);
        }
        self.rare().hook.replace(handle)
    }

    pub(crate) fn hook_gone(&mut self) -> Option<AbortHandle> {
        self.rare.as_mut()?.hook.take()
    }

    /// The end of a task or of `shutdown`, and what has failed in it or in its drop.
    pub(crate) fn part_ended(
        &mut self,
        core: &Core,
        (phase, end): (Phase, PartEnd),
        fault: Option<Fault>,
        after: &mut After,
    ) {
        if let Some(fault) = fault {
            self.record(core, phase, fault, after);
        }
        if end == PartEnd::Dropped && self.life.level() < Level::Aborted {
            self.lost(core, phase, after);
        }
    }
}
