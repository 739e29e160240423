//! The fields under the lock that most services never need, in boxes that come with the first use.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;

use super::attached::Attached;
use super::availability::OutageLog;
use super::deadline::DeadlineTask;
use super::driver_step::RetryAnswer;
use super::ended::CycleEnd;
use super::listeners::Listeners;
use super::owners::Owners;
use super::placement::Placement;
use super::reload::Reloads;
use super::reporting::Reported;
use super::seldom::{Seldom, rare};
use super::stop_terms::{LateRecord, StopTerms};
use super::tasks::Tasks;
use crate::engine::parent::Parent;
use crate::report::error::Unresponsive;
use crate::report::failure::Failure;
use crate::report::history::History;
use crate::report::shared_name::SharedName;
use crate::rules::restart_counter::Retries;
use crate::rules::span::Span;
use crate::sync::{AbortHandle, CancellationToken};

/// The fields of a service that is a part of an owner, or that has more to tell than its state.
#[derive(Default)]
pub(crate) struct ColdState {
    pub(super) owners: Owners,
    /// The place of the service in what has started it.
    pub(super) placement: Option<Placement>,
    pub(super) stop: StopTerms,
    /// When the drain is over; while the service is up, when it was told of the drain of an owner.
    pub(super) drain_at: u64,
    pub(super) late: LateRecord,
    /// Seldom, even here: most stops are over before there is one.
    pub(super) deadline_task: Option<Box<DeadlineTask>>,
    /// The attempt drives parts with deadlines of their own.
    pub(super) is_owner: bool,
    /// How long the attempt was in `Running`, once it is not any more.
    pub(super) healthy: u64,
    /// An attempt of this cycle has counted as ready.
    pub(super) started: bool,
    /// In `Backoff`: the last attempt has.
    pub(super) was_up: bool,
    /// The answer of `retry_if` to the failure that ended the attempt.
    pub(super) retry: Option<RetryAnswer>,
    /// How the last cycle ended.
    pub(super) ended: CycleEnd,
    pub(super) rare: Seldom<RareState>,
}

/// The fields that most services never need, members of groups included.
#[derive(Default)]
pub(crate) struct RareState {
    pub(super) history: History,
    pub(super) reloads: Seldom<Reloads>,
    /// The parts of the attempt that do not yield, by their guards.
    pub(super) stuck_below: Seldom<Vec<(usize, Unresponsive)>>,
    /// The runners that the service has attached to its attempt.
    pub(super) attached: Seldom<Vec<Attached>>,
    /// How long a composite may take, found out for the stop of the owner that it is a part of.
    pub(super) span: Seldom<Span>,
    /// The longest drain of what the service is made of.
    pub(super) drain_below: Duration,
    /// The last failure of this cycle.
    pub(super) last: Option<Failure>,
    /// The last failure after the stop of this cycle had begun.
    pub(super) after_stop: Option<Failure>,
    /// The failure that ended the attempt.
    pub(super) ended_by: Option<Failure>,
    /// The name, as failures share it.
    pub(super) name: Seldom<SharedName>,
    pub(super) listeners: Seldom<Listeners>,
    pub(super) said: Seldom<Reported>,
    #[cfg(feature = "tracing")]
    pub(super) attempt_span: crate::report::trace::AttemptSpan,
    pub(super) outages: Seldom<OutageLog>,
    pub(super) tasks: Seldom<Tasks>,
    /// The task that `shutdown` is called in.
    pub(super) shutdown_call: Option<AbortHandle>,
    pub(super) token: Option<Arc<CancellationToken>>,
    pub(super) deadline_token: Option<Arc<CancellationToken>>,
    pub(super) retries: Seldom<Retries>,
    pub(crate) parent: Option<Arc<Parent>>,
    /// The runtime for the cycle that follows.
    pub(super) next_on: Option<Handle>,
    /// The endings of the attempt.
    pub(super) endings: Seldom<Endings>,
    /// The stuck parts, once the end was given up.
    pub(super) unresponsive: Option<Unresponsive>,
}

rare!(
    ColdState,
    Endings,
    Listeners,
    OutageLog,
    RareState,
    Reloads,
    Reported,
    Retries,
    SharedName,
    Span,
    Tasks,
    Vec<(usize, Unresponsive)>,
    Vec<Attached>,
);

impl ColdState {
    /// Returns whether a service between two cycles would lose nothing with it.
    pub(super) fn is_bare(&self) -> bool {
        // Whatever is not named here is of one attempt, or of the end of a cycle, which owners alone ask for later.
        let Self {
            owners,
            placement,
            deadline_task,
            ended,
            rare,
            ..
        } = self;
        let is_known = placement.as_ref().is_none_or(Placement::is_alone);
        let of_end = deadline_task.is_some() || ended.failure.is_some();
        owners.is_empty() && is_known && !of_end && rare.is_none()
    }
}

impl RareState {
    /// Returns whether a service between two cycles would lose nothing with it.
    pub(super) fn is_bare(&self) -> bool {
        // Whoever adds a field says here when it is empty.
        let Self {
            history,
            reloads,
            stuck_below,
            attached,
            span,
            drain_below,
            last,
            after_stop,
            ended_by,
            name: _,
            listeners,
            said,
            #[cfg(feature = "tracing")]
            attempt_span,
            outages,
            tasks,
            shutdown_call,
            token,
            deadline_token,
            retries,
            parent,
            next_on,
            endings,
            unresponsive,
        } = self;
        let failures = history.evicted() + history.entries().len() as u64;
        let is_bare = [
            failures == 0,
            reloads.is_none(),
            stuck_below.is_none(),
            attached.is_none(),
            span.is_none(),
            drain_below.is_zero(),
            last.is_none(),
            after_stop.is_none(),
            ended_by.is_none(),
            listeners.is_none(),
            said.is_none(),
            #[cfg(feature = "tracing")]
            !attempt_span.is_open(),
            outages.is_none(),
            tasks.is_none(),
            shutdown_call.is_none(),
            token.is_none(),
            deadline_token.is_none(),
            retries.is_none(),
            parent.is_none(),
            next_on.is_none(),
            endings.is_none(),
            unresponsive.is_none(),
        ];
        is_bare.iter().all(|is_bare| *is_bare)
    }
}

/// The endings of an attempt under their numbers, in the order in which they were added.
#[derive(Default)]
pub(super) struct Endings {
    open: Vec<(u64, Ending)>,
    next: u64,
}

impl Endings {
    pub(super) fn add(&mut self, ending: Ending) -> u64 {
        let id = self.next;
        self.next += 1;
        self.open.push((id, ending));
        id
    }

    pub(super) fn remove(&mut self, id: u64) -> Option<Ending> {
        let at = self.open.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        Some(self.open.remove(at).1)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Takes out all of them, if there are any; the numbers go on.
    pub(super) fn take(&mut self) -> Option<Vec<Ending>> {
        let open = std::mem::take(&mut self.open);
        (!open.is_empty()).then(|| open.into_iter().map(|(_, ending)| ending).collect())
    }
}

/// Something that is done at the end of an attempt, by its driver, before the end is settled: so a panic of it is in
/// the history before the state changes. If the driver is gone with its runtime, it is done after the lock.
pub(crate) struct Ending(pub(crate) Box<dyn FnOnce() + Send>);
