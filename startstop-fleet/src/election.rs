//! `Election`: who leads, decided without a clock, without I/O and without a thread.
//!
//! 1. A term is valid for the validity of its timing, counted from before the request that took or renewed it was sent.
//! 2. The record of somebody else is over only when it has been unchanged for its whole lease by our clock, counted from the
//!    answer that showed it, or when the store says that it is free.
//! 3. A record is released only after the service has ended.
//! 4. What is lost is not renewed, and its service is told to stop at once.
//! 5. A record that says our name while nothing of ours runs is taken again, with a greater fence.
//! 6. A conflict is looked at before it is believed.
//! 7. One call at a time; an answer that comes after its limit is nobody's.
//! 8. What a service holds that does not end although it was aborted is not renewed.

mod call;
mod follow;
mod lead;
mod rule;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
mod types;

use std::sync::Arc;
use std::time::Duration;

use self::call::Pending;
use self::follow::Follower;
use self::lead::Held;
use self::rule::Rule;
pub use self::types::{Action, Call, CallError, CallId, Event, StopCause};
use crate::record::Record;
use crate::timing::{LONGEST, Timing};

/// The part that one replica takes in an election.
///
/// Its driver tells it each event with its time, by a clock that goes on during a freeze, and carries out the actions that
/// it answers. [`Leader`](crate::Leader) does that; so does the simulation in the tests of this crate.
///
/// # Examples
///
/// ```
/// use startstop_fleet::{Action, Call, Election, Event, Record, Timing, Version};
/// use std::time::Duration;
///
/// let at = Duration::from_secs;
/// let mut election = Election::new("me", Timing::default());
///
/// let [Action::Call { id, call: Call::Read, .. }] = &election.step(at(0), Event::Tick)[..] else { panic!() };
/// let free = Record::free(Version::absent());
/// let actions = election.step(at(0), Event::Answered { call: *id, result: Ok(free) });
///
/// let [Action::Call { id, call: Call::Take { .. }, .. }] = &actions[..] else { panic!() };
/// let mine = Record::held("me", 1, Version::from(1)).lasting(at(15));
/// let actions = election.step(at(1), Event::Answered { call: *id, result: Ok(mine) });
///
/// let [Action::Lead { fence: 1, valid_until }] = actions[..] else { panic!() };
/// assert_eq!(valid_until, Duration::from_millis(14_250)); // counted from before the request
/// ```
#[derive(Debug)]
pub struct Election {
    identity: Arc<str>,
    timing: Timing,
    stage: ElectionStage,
    follower: Follower,
    pending: Option<Pending>,
    calls: u64,
    /// When the next call is due, if one is wanted.
    next: Duration,
    leaving: bool,
    #[cfg(test)]
    broken: Option<Rule>,
}

#[derive(Debug)]
enum ElectionStage {
    /// Nothing of ours runs.
    Following,
    /// The service runs in a valid term.
    Leading(Held),
    /// The service was told to stop and has not ended.
    Stopping(Held, StopCause),
    /// The service has ended, and the record is given back.
    Releasing(Held, After),
    /// Nothing is held, nothing runs, nothing follows.
    Finished,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    Follow,
    Finish,
}

impl Election {
    /// Makes the candidate `identity`, which no other one must ever bear. What is longer than a year in the timing counts as a year.
    #[must_use]
    pub fn new(identity: impl Into<Arc<str>>, timing: Timing) -> Self {
        let identity = identity.into();
        let timing = timing.at_most(LONGEST);
        Self {
            follower: Follower::new(&identity, timing.retry),
            identity,
            timing,
            stage: ElectionStage::Following,
            pending: None,
            calls: 0,
            next: Duration::ZERO,
            leaving: false,
            #[cfg(test)]
            broken: None,
        }
    }

    /// Says that it is told of changes by [`Event::Changed`]. Then a follower looks no more while the lease that it has seen
    /// lasts, and once a lease where the store itself ends them. Without it a follower looks each `retry`.
    #[must_use]
    pub fn notified(mut self) -> Self {
        self.follower.notified(self.timing.lease);
        self
    }

    /// Takes in what has happened and returns what is to be done, in this order.
    ///
    /// `now` never goes back.
    pub fn step(&mut self, now: Duration, event: Event) -> Vec<Action> {
        let mut actions = Vec::new();
        self.expire(now, &mut actions);
        match event {
            Event::Tick => {}
            Event::Answered { call, result } => self.on_answer(now, call, result, &mut actions),
            Event::Changed(record) => self.on_changed(now, record),
            Event::Ended => self.on_ended(now),
            Event::Unresponsive => self.on_unresponsive(&mut actions),
            Event::Stop => {
                self.leaving = true;
                self.stop_in_order(now, StopCause::Stop, &mut actions);
            }
            Event::Resign => self.stop_in_order(now, StopCause::Resign, &mut actions),
        }
        self.proceed(now, &mut actions);
        actions
    }

    /// Returns when it wants a [`Tick`](Event::Tick) at the latest.
    pub fn wake_at(&self) -> Option<Duration> {
        let call = self
            .pending
            .as_ref()
            .map_or(self.next, |pending| pending.limit);
        match &self.stage {
            ElectionStage::Finished => None,
            ElectionStage::Following => Some(self.follow_wake_at(call)),
            ElectionStage::Leading(_) if !self.keeps(Rule::LostIsLost) => Some(call),
            ElectionStage::Leading(held) => {
                let renew_by = held.renewed + self.timing.renew_by;
                Some(call.min(renew_by).min(held.valid_until))
            }
            ElectionStage::Stopping(held, cause) => held.wake_at(*cause, call),
            ElectionStage::Releasing(..) => Some(call),
        }
    }

    /// Returns the record as it was last seen, of a follower, or as it is held.
    pub fn record(&self) -> Option<&Record> {
        match &self.stage {
            ElectionStage::Following => self.follower.seen(),
            ElectionStage::Leading(held)
            | ElectionStage::Stopping(held, _)
            | ElectionStage::Releasing(held, _) => Some(&held.record),
            ElectionStage::Finished => None,
        }
    }

    /// Tells whether it only follows: nothing is held and nothing runs.
    pub fn is_following(&self) -> bool {
        matches!(self.stage, ElectionStage::Following)
    }

    /// Tells whether it has ended: it wants nothing more.
    pub fn is_finished(&self) -> bool {
        matches!(self.stage, ElectionStage::Finished)
    }

    /// Decides what follows from the state alone, after each event.
    fn proceed(&mut self, now: Duration, actions: &mut Vec<Action>) {
        self.give_up_late_call(now);
        match self.stage {
            ElectionStage::Following => self.follow(now, actions),
            ElectionStage::Leading(_) => self.lead(now, actions),
            ElectionStage::Stopping(..) => self.wind_down(now, actions),
            ElectionStage::Releasing(..) => self.release(now, actions),
            ElectionStage::Finished => {}
        }
    }

    /// Tells whether a rule is kept. Each is, but for tests that plant a broken one to see it caught.
    #[cfg(not(test))]
    #[expect(clippy::unused_self, reason = "the other one asks it")]
    const fn keeps(&self, _: Rule) -> bool {
        true
    }

    #[cfg(test)]
    fn keeps(&self, rule: Rule) -> bool {
        self.broken != Some(rule)
    }
}
