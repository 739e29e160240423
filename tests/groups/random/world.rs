//! The knowledge about all members, and the checks of the rules.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use startstop_core::{Cause, Exit, Group, Runner, StartStop, State, Status};

use super::program::Program;
use crate::random::note;

/// Shared by the members.
#[derive(Clone)]
pub(super) struct World {
    inner: Arc<Mutex<Inner>>,
    /// Nobody but the group starts and stops members.
    strict: bool,
    /// A member that starts when a drain begins is stopped at once.
    drains: bool,
}

#[derive(Default)]
struct Inner {
    members: BTreeMap<usize, Known>,
    excused: BTreeSet<usize>,
    by_hand: BTreeSet<usize>,
    broken: Vec<String>,
}

#[derive(Default)]
struct Known {
    deps: Vec<usize>,
    /// Those of them that it is bound to.
    bound: Vec<usize>,
    live: usize,
    /// The attempt was told to end, or ends by itself.
    told: bool,
    /// Its last attempt is or was ready.
    ready: bool,
    failures: u64,
    handle: Option<Arc<dyn StartStop>>,
}

impl World {
    pub(super) fn new(program: &Program) -> Self {
        Self {
            inner: Arc::default(),
            // Members that are bound may leave their dependents behind.
            strict: !program.meanwhile.hands() && !program.binds,
            drains: program.drain > 0,
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, at: usize, deps: &[usize], bound: &[usize]) {
        note(|| format!("{at} comes after {deps:?}, bound to {bound:?}"));
        let known = Known {
            deps: deps.to_vec(),
            bound: bound.to_vec(),
            ..Known::default()
        };
        self.inner().members.insert(at, known);
    }

    /// It comes by `then`.
    pub(super) fn comes_after(&self, at: usize, deps: impl Iterator<Item = usize>) {
        self.inner()
            .members
            .get_mut(&at)
            .expect("it was added")
            .deps = deps.collect();
    }

    /// The group does not wait for it: it is inserted, or is being removed.
    pub(super) fn excuse(&self, at: usize) {
        self.inner().excused.insert(at);
    }

    /// Somebody starts it, whether what it is bound to is up or not.
    pub(super) fn is_started_by_hand(&self, at: usize) {
        self.inner().by_hand.insert(at);
    }

    /// Checks the rules for a moment at which nothing is left to do.
    pub(super) fn check_now(&self, status: &Status) {
        if status.state() != State::Running {
            return;
        }
        let all = status.children().iter();
        let of: BTreeMap<usize, &Status> = all
            .filter_map(|of| Some((of.name().parse().ok()?, of)))
            .collect();
        let mut inner = self.inner();
        if status.is_ready() {
            let excused = |at: &usize| inner.excused.contains(at);
            let unready = |of: &Status| of.state() != State::Stopped && !of.is_ready();
            let unready = of
                .iter()
                .find(|(at, of)| !excused(at) && unready(of))
                .map(|(at, _)| *at);
            if let Some(at) = unready {
                inner
                    .broken
                    .push(format!("rule 9: ready without {at}: {status}"));
            }
        } else if status.not_ready_reason().is_none() {
            inner
                .broken
                .push(format!("rule 9: not ready for no reason: {status}"));
        }
        inner.check_bound(&of, status);
    }

    /// Keeps the handle of a member, which may leave the group.
    pub(super) fn keep(&self, at: usize, handle: Option<Arc<dyn StartStop>>) {
        if let Some(known) = self.inner().members.get_mut(&at) {
            known.handle = handle;
        }
    }

    pub(super) fn enter(&self, at: usize) -> Live {
        note(|| format!("{at} begins"));
        let mut inner = self.inner();
        let me = inner.members.get_mut(&at).expect("it was added");
        me.live += 1;
        me.ready = false;
        me.told = false;
        if me.live > 1 {
            inner.broken.push(format!("rule 1: {at} runs twice"));
        }
        let early = inner.unready(at);
        if self.strict && !early.is_empty() {
            inner
                .broken
                .push(format!("rule 2: {at} starts before {early:?}"));
        }
        Live {
            world: self.clone(),
            at,
        }
    }

    pub(super) fn is_ready(&self, at: usize) {
        self.inner()
            .members
            .get_mut(&at)
            .expect("it was added")
            .ready = true;
    }

    pub(super) fn failed(&self, at: usize) {
        self.inner()
            .members
            .get_mut(&at)
            .expect("it was added")
            .failures += 1;
    }

    pub(super) fn ends(&self, at: usize) {
        self.inner()
            .members
            .get_mut(&at)
            .expect("it was added")
            .told = true;
    }

    pub(super) fn told(&self, at: usize) {
        note(|| format!("{at} is told"));
        self.ends(at);
        let mut inner = self.inner();
        let alive = inner.alive_dependents(at);
        let starts = self.drains && !inner.members[&at].ready;
        if self.strict && !starts && !alive.is_empty() {
            inner
                .broken
                .push(format!("rule 3: {at} is stopped before {alive:?}"));
        }
    }

    /// Checks the rules for a group that has stopped.
    pub(super) fn check(&self, app: &Runner<Group>) {
        let mut inner = self.inner();
        for failure in app.history().entries() {
            assert_ne!(failure.cause(), Cause::Panic, "rule 6: {failure:?}");
        }
        assert_eq!(inner.broken, Vec::<String>::new());
        for (at, known) in &mut inner.members {
            assert_eq!(known.live, 0, "rule 4: {at} runs after the end");
            // Take the handles out: members hold on to the world.
            let handle = known
                .handle
                .take()
                .or_else(|| app.service().get(&at.to_string()));
            let Some(history) = handle.map(|handle| handle.history()) else {
                continue;
            };
            let recorded = history.entries().len() as u64 + history.evicted();
            assert!(recorded >= known.failures, "rule 5: {at}: {history:?}");
        }
    }
}

impl Inner {
    /// Those above one that is bound go down before it.
    fn check_bound(&mut self, of: &BTreeMap<usize, &Status>, status: &Status) {
        let is = |at: usize, state| of.get(&at).is_some_and(|of| of.state() == state);
        let down = |dep: usize| {
            let is_down = |of: &&Status| {
                let rests = matches!(of.state(), State::Stopping | State::Stopped);
                of.state() != State::Running && !(rests && of.last_exit() == Exit::Completed)
            };
            of.get(&dep).is_some_and(is_down)
        };
        let broken = self.members.iter().find(|(at, known)| {
            let waits = || {
                self.alive_dependents(**at)
                    .iter()
                    .any(|at| is(*at, State::Stopping))
            };
            let by_hand = self.by_hand.contains(at);
            !by_hand
                && is(**at, State::Running)
                && known.bound.iter().any(|dep| down(*dep))
                && !waits()
        });
        if let Some((at, _)) = broken {
            let broken = format!("rule 10: {at} runs without what it is bound to: {status}");
            self.broken.push(broken);
        }
    }

    fn unready(&self, at: usize) -> Vec<usize> {
        let unready = |dep: &usize| !self.members[dep].ready;
        self.members[&at]
            .deps
            .iter()
            .copied()
            .filter(unready)
            .collect()
    }

    /// Those that depend on it, also by others that are down already, and run.
    fn alive_dependents(&self, at: usize) -> Vec<usize> {
        let mut below = vec![at];
        // Dependents have larger numbers.
        for (other, known) in self.members.range(at + 1..) {
            if known.deps.iter().any(|dep| below.contains(dep)) {
                below.push(*other);
            }
        }
        below
            .into_iter()
            .skip(1)
            .filter(|other| self.members[other].live > 0)
            .collect()
    }
}

/// An attempt, from its entry to when its future is gone.
pub(super) struct Live {
    world: World,
    at: usize,
}

impl Drop for Live {
    fn drop(&mut self) {
        let mut inner = self.world.inner();
        let me = inner.members.get_mut(&self.at).expect("it was added");
        me.live -= 1;
        note(|| format!("{} is gone, told: {}", self.at, me.told));
        if !me.told {
            inner
                .broken
                .push(format!("rule 7: {} was not told", self.at));
        }
    }
}
