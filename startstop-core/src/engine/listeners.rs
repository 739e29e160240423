//! The listeners of a service: streams of events, each of the service itself or of something that it is a part of.
//!
//! An event is put into the streams under the lock of the engine, before the state that it tells of is stored: so the events of a
//! service are in order, and whoever sees a state finds its event. Nothing is paid where nobody listens.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::apply::Shown;
use super::atomic_state::StateSnapshot;
use super::placement::Placement;
use super::seldom::Seldom;
use super::{Deferred, Shared, Synced, spans};
use crate::engine::waiters::Topic;
use crate::report::event::{Event, EventKind, EventQueue, Pushed};
use crate::report::path::Path;
use crate::report::shared_name::SharedName;
use crate::report::state::{Readiness, State};
use crate::report::stop_reason::StopReason;
use crate::report::trace::is_traced;
use crate::rules::lifecycle::{End, StopStage};
use crate::sync::clock;

/// A stream that a service tells of what happens.
#[derive(Clone)]
pub(crate) struct Listener {
    pub(crate) queue: Arc<EventQueue>,
    /// The path of the service in it.
    pub(crate) path: Path,
    /// Whether the stream is of this service, rather than of what it is a part of.
    pub(crate) root: bool,
}

/// The streams, and what has to be remembered for them.
#[derive(Default)]
pub(super) struct Listeners {
    all: Vec<Listener>,
    /// Since when the service is not ready.
    unready_since: u64,
}

impl Listener {
    /// The same, handed down to a part.
    pub(crate) fn below(&self, name: &SharedName) -> Self {
        Self {
            queue: Arc::clone(&self.queue),
            path: self.path.below(name.clone()),
            root: false,
        }
    }

    /// Gives it another path; returns it as it was.
    fn move_to(&mut self, path: &Path) -> Self {
        let old = self.clone();
        self.path = path.clone();
        self.queue.rename(path.clone());
        old
    }

    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.queue, &other.queue) && self.path == other.path
    }

    /// Puts an event into the stream; says whether anybody may read it.
    #[inline]
    fn tell(
        &self,
        (cycle, attempt): (u64, u64),
        at: SystemTime,
        kind: EventKind,
        deferred: &mut Deferred,
    ) -> bool {
        let event = Event {
            path: self.path.clone(),
            cycle,
            attempt,
            at,
            kind,
        };
        match self.queue.push(event) {
            Pushed::Taken(evicted, waker) => {
                deferred.drop_event(evicted);
                deferred.wakes.add(waker);
                true
            }
            Pushed::Refused(event) => {
                deferred.drop_event(Some(event));
                false
            }
        }
    }
}

impl Listeners {
    fn tell(&mut self, tag: (u64, u64), kind: EventKind, deferred: &mut Deferred) {
        let Some((last, others)) = self.all.split_last() else {
            return;
        };
        let at = SystemTime::now();
        let mut are_read = true;
        for listener in others {
            are_read &= listener.tell(tag, at, kind.clone(), deferred);
        }
        if !(last.tell(tag, at, kind, deferred) && are_read) {
            self.all.retain(|listener| listener.queue.is_open());
        }
    }
}

impl Drop for Listeners {
    /// The service is gone, and with it what its own streams are of.
    fn drop(&mut self) {
        for listener in self.all.iter().filter(|listener| listener.root) {
            if let Some(waker) = listener.queue.end() {
                waker.wake();
            }
        }
    }
}

/// Tells a stream from now on.
pub(crate) fn listen(synced: &mut Synced, listener: Listener) {
    let all = &mut synced.make_rare().listeners.make().all;
    all.retain(|listener| listener.queue.is_open());
    if !all.iter().any(|other| other.is(&listener)) {
        all.push(listener);
    }
}

/// Tells a stream nothing more.
pub(crate) fn unlisten(synced: &mut Synced, listener: &Listener) {
    let rare = synced.rare_mut();
    if let Some(listeners) = rare.and_then(|rare| rare.listeners.get_mut()) {
        listeners.all.retain(|other| !other.is(listener));
    }
}

/// Returns whether there were listeners, and the last of them is gone; what was remembered for them is not there then.
#[inline]
pub(super) fn has_lost_all(listeners: &mut Seldom<Listeners>) -> bool {
    let heard = listeners.get();
    let gone = heard.is_some_and(|listeners| listeners.all.is_empty());
    if gone {
        listeners.take();
    }
    gone
}

/// Returns whether the service is known to be there in what is about to start it.
fn is_placed(synced: &Synced, owner: &Path, name: &str) -> bool {
    let placement = synced.cold.get().and_then(|cold| cold.placement.as_ref());
    placement.is_some_and(|placement| placement.is_below(owner, name))
}

/// Returns the path of the service as it was told of it, if that is the one below `owner` with that name: its text is kept.
pub(crate) fn path_below(synced: &mut Synced, owner: &Path, name: &str) -> Option<Path> {
    let placement = synced.cold.get_mut()?.placement.as_mut()?;
    placement
        .is_link_below(owner, name)
        .then(|| placement.path())
}

/// Notes where the service is in what is about to start it; returns its own streams as they were, if that moves them.
pub(crate) fn move_below(synced: &mut Synced, owner: &Path, name: &SharedName) -> Vec<Listener> {
    if synced.state() != State::Stopped || is_placed(synced, owner, name) {
        return Vec::new();
    }
    let cold = synced.cold();
    let placement = Placement::Below(owner.clone(), name.clone());
    let placement = cold.placement.insert(placement);
    let rare = cold.rare.get_mut();
    let listeners = rare.and_then(|rare| rare.listeners.get_mut());
    let all = listeners.into_iter().flat_map(|it| &mut it.all);
    all.filter(|listener| listener.root)
        .map(|listener| listener.move_to(&placement.path()))
        .collect()
}

/// The streams of the service itself end: nothing will happen any more.
pub(crate) fn end_streams(synced: &mut Synced, deferred: &mut Deferred) {
    for listener in heard(synced).iter().filter(|listener| listener.root) {
        deferred.wakes.add(listener.queue.end());
    }
}

/// Returns whether anybody follows what becomes of the service.
pub(super) fn is_watched(synced: &Synced) -> bool {
    synced.waiters.has_any(Topic::Change.kind()) || !heard(synced).is_empty()
}

/// Returns the streams that are told.
pub(crate) fn all(synced: &Synced) -> Vec<Listener> {
    heard(synced).to_vec()
}

fn heard(synced: &Synced) -> &[Listener] {
    let rare = synced.rare();
    let listeners = rare.and_then(|rare| rare.listeners.get());
    listeners.map_or(&[], |listeners| &listeners.all)
}

/// Tells those who listen, and `tracing`.
#[inline]
pub(crate) fn tell(synced: &mut Synced, deferred: &mut Deferred, kind: impl FnOnce() -> EventKind) {
    if !heard(synced).is_empty() || is_traced() {
        tell_all(synced, deferred, kind());
    }
}

fn tell_all(synced: &mut Synced, deferred: &mut Deferred, kind: EventKind) {
    let tag = synced.tag();
    let news = is_traced().then(|| kind.clone());
    let rare = synced.rare_mut();
    if let Some(listeners) = rare.and_then(|rare| rare.listeners.get_mut()) {
        listeners.tell(tag, kind, deferred);
    }
    if let Some(kind) = news {
        let span = spans::open(synced, tag, deferred);
        deferred.news.add(span, tag, kind);
    }
}

/// Tells one stream alone.
pub(crate) fn tell_one(
    synced: &Synced,
    listener: &Listener,
    kind: EventKind,
    deferred: &mut Deferred,
) {
    listener.tell(synced.tag(), SystemTime::now(), kind, deferred);
}

/// Tells of a change of state, before it is stored.
#[inline]
pub(super) fn tell_state(
    synced: &mut Synced,
    shared: &Shared,
    shown: Shown,
    deferred: &mut Deferred,
) {
    let now = deferred.now();
    match shown.state {
        State::Starting => {
            synced.announced = true;
            tell(synced, deferred, || EventKind::Starting);
        }
        State::Running if shown.is_ready => tell_ready(synced, deferred),
        // A group whose members have all been ready once, and are not all so now.
        State::Running => tell_not_ready(synced, deferred),
        State::Stopping => {
            let reason = note_why(synced);
            tell(synced, deferred, || EventKind::Stopping(reason));
        }
        State::Backoff => {
            let (delay, attempt) = (
                clock::between(now, synced.deadline.next_attempt()),
                synced.attempt() + 1,
            );
            tell(synced, deferred, || EventKind::Backoff { delay, attempt });
        }
        State::Stopped => {
            let (exit, ran) = (synced.exit, ran_in_attempt(synced, shared, now));
            tell(synced, deferred, || EventKind::Stopped { exit, ran });
        }
    }
}

/// Tells of a change of readiness that is none of the state, before it is stored.
#[inline]
pub(super) fn tell_readiness(
    synced: &mut Synced,
    old: StateSnapshot,
    shown: Shown,
    deferred: &mut Deferred,
) {
    match (old.is_ready(), shown.is_ready) {
        (false, true) => tell_ready(synced, deferred),
        // That is what `Draining` says.
        (true, false) if synced.life.stage() == StopStage::Draining => {}
        (true, false) => tell_not_ready(synced, deferred),
        _ => {}
    }
}

/// Tells that the service is ready.
pub(super) fn tell_ready(synced: &mut Synced, deferred: &mut Deferred) {
    let now = deferred.now();
    let rare = synced.rare_mut();
    let unready = rare
        .and_then(|rare| rare.listeners.get_mut())
        .map(|listeners| std::mem::take(&mut listeners.unready_since));
    let since = unready
        .filter(|since| *since > 0)
        .unwrap_or(synced.began_at);
    tell(synced, deferred, || EventKind::Ready {
        after: clock::between(since, now),
    });
}

/// Tells that the service is not ready for now.
fn tell_not_ready(synced: &mut Synced, deferred: &mut Deferred) {
    let now = deferred.now();
    let rare = synced.make_rare();
    rare.listeners.make().unready_since = now;
    let said = rare.said.get();
    let reason = said
        .and_then(|said| said.not_ready.clone())
        .unwrap_or_default();
    tell(synced, deferred, || EventKind::NotReady(reason));
}

/// An attempt begins: what came before it counts for nothing.
pub(super) fn forget_unreadiness(synced: &mut Synced) {
    let rare = synced.rare_mut();
    if let Some(listeners) = rare.and_then(|rare| rare.listeners.get_mut()) {
        listeners.unready_since = 0;
    }
}

/// Returns how long the last attempt was running; of a job, how long it took.
fn ran_in_attempt(synced: &Synced, shared: &Shared, now: u64) -> Duration {
    match shared.settings.readiness() {
        _ if synced.attempt() == 0 => Duration::ZERO,
        Readiness::Completion => clock::between(synced.began_at, now),
        Readiness::Immediate | Readiness::Explicit => synced.healthy(),
    }
}

/// Notes why a stop is asked for: the first reason stays for the attempt.
pub(crate) fn note_reason(synced: &mut Synced, reason: StopReason) {
    synced.why.get_or_insert(reason);
}

/// Notes why the attempt is to end, unless that is known: the first reason stays.
pub(super) fn note_why(synced: &mut Synced) -> StopReason {
    let reason = stop_reason(synced);
    *synced.why.get_or_insert(reason)
}

/// Returns why attempt `epoch` is to end, once it is.
pub(crate) fn why(synced: &Synced, shared: &Shared, epoch: u64) -> Option<StopReason> {
    synced.why.filter(|_| shared.is_current(epoch))
}

/// Returns why the attempt is to end, from how the rules see it.
fn stop_reason(synced: &Synced) -> StopReason {
    match synced.life.end() {
        End::Completed => StopReason::Completed,
        End::Failed => StopReason::Failed,
        End::Late => StopReason::StartTimedOut,
        End::Silent => StopReason::Watchdog,
        End::None if synced.life.is_lost() => StopReason::RuntimeEnded,
        // Only what it is a part of has told it to drain.
        End::None => StopReason::Group,
        End::Asked => StopReason::Requested,
    }
}
