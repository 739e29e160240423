//! The tasks of an attempt, and who waits for their end.

mod chain;

use std::borrow::Cow;

use tokio::runtime::Handle;

use super::task::is_own;
use super::{Deferred, PartEnd, Shared, Synced, parts};
use crate::engine::waiters::{Answer, Key};
use crate::report::failure::{Failure, RawFailure};
use crate::report::state::{Phase, Readiness, State};
use crate::rules::lifecycle::{End, Input, Part, StopStage};
use crate::sync::AbortHandle;

use chain::TaskChain;

pub(crate) use chain::Place;

/// The tasks of an attempt, in the order in which they were spawned.
#[derive(Default)]
pub(super) struct Tasks {
    live: TaskChain,
    next: u64,
    /// The waiters for the end of all tasks before a number.
    joiners: Vec<(u64, Key)>,
}

/// A task that has got its place, and is to be spawned.
#[derive(Clone, Copy)]
pub(crate) struct NewTask {
    pub(super) place: Place,
    number: u64,
}

/// So many names of stuck tasks are told.
const NAMES: usize = 8;

impl Tasks {
    fn add(&mut self, name: Option<Cow<'static, str>>) -> Option<NewTask> {
        let number = self.next;
        let place = self.live.add(number, name)?;
        self.next += 1;
        Some(NewTask { place, number })
    }

    /// Takes the handles by which tasks are aborted.
    pub(super) fn take_handles(&mut self) -> Vec<AbortHandle> {
        self.live.take_handles()
    }

    /// Returns the names of those that have one, each once.
    pub(super) fn names(&self) -> Vec<Cow<'static, str>> {
        let mut names = Vec::new();
        for name in self.live.names() {
            if names.len() < NAMES && !names.contains(name) {
                names.push(name.clone());
            }
        }
        names
    }

    /// Returns whether a task before `limit` is alive that is not the one that asks.
    fn has_others_before(&self, limit: u64) -> bool {
        let mut before = self.live.iter().take_while(|task| task.number < limit);
        before.any(|task| !task.handle.is_some_and(is_own))
    }

    /// Takes out those who may be done with waiting: one task may be left, which may be that very waiter.
    fn joined(&mut self) -> Vec<Key> {
        let second = self.live.iter().nth(1);
        let second = second.map_or(u64::MAX, |task| task.number);
        let all = std::mem::take(&mut self.joiners);
        let (joined, rest) = all.into_iter().partition(|(limit, _)| *limit <= second);
        self.joiners = rest;
        let joined: Vec<(u64, Key)> = joined;
        joined.into_iter().map(|(_, key)| key).collect()
    }
}

/// Makes place for a task; hands the name back if the attempt takes no more.
pub(crate) fn add(
    synced: &mut Synced,
    shared: &Shared,
    epoch: u64,
    name: Option<Cow<'static, str>>,
) -> Option<(Handle, NewTask)> {
    if !shared.is_current(epoch) || !synced.life.is_open() {
        return None;
    }
    let on = synced.on.handle().cloned()?;
    let new = synced.make_rare().tasks.make().add(name)?;
    synced.life.step(Input::Added(Part::Task), shared.rules());
    Some((on, new))
}

/// Notes how a spawned task is aborted; a task that came too late is aborted at once.
pub(crate) fn spawned(
    synced: &mut Synced,
    NewTask { place, number }: NewTask,
    handle: AbortHandle,
    deferred: &mut Deferred,
) -> Option<AbortHandle> {
    let late = synced.life.stage() >= StopStage::Aborted;
    if late {
        return Some(handle);
    }
    let tasks = synced.make_rare().tasks.make();
    if let Err(handle) = tasks.live.keep(place, number, handle) {
        // It has ended by now. It is let go of outside of the lock.
        return Some(handle);
    }
    // It may have begun to wait for the others before anybody knew that it is one of them.
    tell_joiners(synced, deferred);
    None
}

/// The end of a task, and what has failed in it or in its drop.
pub(crate) fn ended(
    synced: &mut Synced,
    shared: &Shared,
    (place, end): (Place, PartEnd),
    faults: impl IntoIterator<Item = RawFailure>,
    deferred: &mut Deferred,
) -> Option<AbortHandle> {
    let tasks = synced.rare_mut().and_then(|rare| rare.tasks.get_mut());
    let removed = tasks.map(|tasks| tasks.live.remove(place));
    let (handle, name) = removed.unwrap_or_default();
    let faults = faults.into_iter().map(|fault| fault.of_task(name.clone()));
    parts::ended(synced, shared, (Phase::Task, end), faults, deferred);
    tell_joiners(synced, deferred);
    handle
}

/// With a task of a job the job has failed.
pub(super) fn failed(synced: &mut Synced, shared: &Shared, failure: Failure) {
    let goes_on = synced.state() == State::Starting && synced.life.end() == End::None;
    if goes_on && shared.settings.readiness() == Readiness::Completion {
        synced.life.step(Input::TaskFailed, shared.rules());
        synced.make_rare().ended_by.get_or_insert(failure);
    }
}

/// Returns the number of the task that is spawned next.
pub(crate) fn next(synced: &Synced) -> u64 {
    tasks(synced).map_or(0, |tasks| tasks.next)
}

/// Returns whether the tasks of attempt `epoch` before `limit` have ended, but for the one that asks.
pub(crate) fn has_joined(synced: &Synced, shared: &Shared, epoch: u64, limit: u64) -> bool {
    !shared.is_current(epoch) || tasks(synced).is_none_or(|tasks| !tasks.has_others_before(limit))
}

fn tasks(synced: &Synced) -> Option<&Tasks> {
    synced.rare()?.tasks.get()
}

/// Tells this entry when the tasks before `limit` may have ended.
pub(crate) fn add_joiner(synced: &mut Synced, limit: u64, key: Key) {
    synced.make_rare().tasks.make().joiners.push((limit, key));
}

/// Tells nobody any more who has waited in this entry.
pub(crate) fn stop_joining(synced: &mut Synced, key: Key) {
    let tasks = synced.rare_mut().and_then(|rare| rare.tasks.get_mut());
    if let Some(tasks) = tasks {
        tasks.joiners.retain(|(_, other)| *other != key);
    }
}

fn tell_joiners(synced: &mut Synced, deferred: &mut Deferred) {
    let tasks = synced.rare_mut().and_then(|rare| rare.tasks.get_mut());
    let Some(tasks) = tasks.filter(|tasks| !tasks.joiners.is_empty()) else {
        return;
    };
    for key in tasks.joined() {
        synced
            .waiters
            .answer_one(key, Answer::Seen, &mut deferred.wakes);
    }
}
