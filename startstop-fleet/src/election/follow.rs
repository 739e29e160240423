//! A follower: watches the record of the one who leads, and takes it when it is free or over.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;
use std::time::Duration;

use super::call::Pending;
use super::lead::Held;
use super::{Action, After, Call, Election, ElectionStage, Rule};
use crate::record::{Record, Version};
use crate::timing::Timing;

/// Until something is told, or the lease that was seen is over.
const FOR_EVER: Duration = Duration::from_secs(u32::MAX as u64);

#[derive(Debug)]
pub(super) struct Follower {
    /// How often it looks.
    period: Duration,
    /// Changes are told.
    notified: bool,
    /// Since when the store has not answered.
    failing: Option<Duration>,
    /// The record, and since when it has been like that by our clock.
    seen: Option<(Record, Duration)>,
    /// Something may have changed since.
    doubtful: bool,
    /// Something has changed while a call was on its way, whose answer may not know it.
    overtaken: bool,
    /// The version with which a take has met a conflict, although the record looked like that.
    refused: Option<Version>,
    /// Does not take before, unless somebody else has led meanwhile: it has given up its lease.
    abstains_until: Duration,
    random: u64,
}

impl Follower {
    pub(super) fn new(identity: &Arc<str>, period: Duration) -> Self {
        let random = BuildHasherDefault::<DefaultHasher>::default().hash_one(identity) | 1;
        let abstains_until = Duration::ZERO;
        let (notified, failing) = (false, None);
        let (seen, refused) = (None, None);
        let (doubtful, overtaken) = (true, false);
        Self {
            period,
            notified,
            failing,
            seen,
            doubtful,
            overtaken,
            refused,
            abstains_until,
            random,
        }
    }

    pub(super) fn notified(&mut self, period: Duration) {
        (self.notified, self.period) = (true, period);
    }

    /// Returns how long it waits after a call of `sent` that nobody answered. Followers are spread, and the longer it lasts
    /// the less they ask, so that a store that comes back is not met by all of them at once.
    pub(super) fn pause(&mut self, sent: Duration, timing: &Timing) -> Duration {
        let since = *self.failing.get_or_insert(sent);
        self.spread(timing.pause(sent.saturating_sub(since)))
    }

    /// Returns how long it waits before it looks who was faster. One that is told of changes is told of that, and a thousand
    /// that were outrun do not ask at once.
    pub(super) fn outrun(&mut self, timing: &Timing) -> Duration {
        let overtaken = std::mem::take(&mut self.overtaken);
        if self.notified && !overtaken {
            self.spread(timing.retry)
        } else {
            self.refused = self.seen().map(|record| record.version().clone());
            Duration::ZERO
        }
    }

    /// Returns how long it leaves what it has seen now alone.
    fn rest(&mut self) -> Duration {
        let ends = self
            .seen()
            .is_some_and(|record| !record.is_free() && record.lease().is_some());
        if self.notified && ends {
            FOR_EVER
        } else {
            self.spread(self.period)
        }
    }

    pub(super) fn seen(&self) -> Option<&Record> {
        self.seen.as_ref().map(|(record, _)| record)
    }

    pub(super) fn doubt(&mut self) {
        self.doubtful = true;
    }

    pub(super) fn abstain_until(&mut self, until: Duration) {
        self.abstains_until = until;
    }

    /// Between three quarters of a period and all of it.
    fn spread(&mut self, period: Duration) -> Duration {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let share = u32::try_from(self.random % 1024).expect("less than 1024");
        period * 3 / 4 + period / 4096 * share
    }

    /// Notes what a record is now; one that has not changed keeps its time.
    fn observe(&mut self, record: Record, since: Duration) {
        self.doubtful = false;
        match &mut self.seen {
            Some((seen, _)) if seen.version() == record.version() => *seen = record,
            seen => *seen = Some((record, since)),
        }
    }
}

impl Election {
    pub(super) fn follow(&mut self, now: Duration, actions: &mut Vec<Action>) {
        if self.leaving && !self.pending.as_ref().is_some_and(Pending::is_take) {
            self.stage = ElectionStage::Finished;
        }
        if self.pending.is_some() || self.is_finished() {
            return;
        }
        if let Some(expected) = self.takable(now) {
            let call = Call::Take {
                expected: expected.version().clone(),
            };
            self.call(now, call, actions);
        } else if now >= self.next {
            self.call(now, Call::Read, actions);
        }
    }

    /// Returns the record, if it may be taken now.
    fn takable(&self, now: Duration) -> Option<&Record> {
        let (record, since) = self.follower.seen.as_ref()?;
        let over = |at| now >= at && now >= self.next_take();
        let may = !self.follower.doubtful && over(self.over_at(record, *since)?);
        may.then_some(record)
    }

    fn next_take(&self) -> Duration {
        self.follower.abstains_until
    }

    /// Returns when the lease of a record that was seen is over, if that is known.
    fn over_at(&self, record: &Record, since: Duration) -> Option<Duration> {
        let ours = record.holder() == Some(&*self.identity);
        if record.is_free() || ours || !self.keeps(Rule::WatchedBeforeTaken) {
            return Some(Duration::ZERO);
        }
        record
            .lasts(self.timing.lease)
            .map(|lasts| since.saturating_add(lasts))
    }

    pub(super) fn follow_wake_at(&self, call: Duration) -> Duration {
        if self.pending.is_some() || self.follower.doubtful {
            return call;
        }
        let seen = self.follower.seen.as_ref();
        let over = seen.and_then(|(record, since)| self.over_at(record, *since));
        over.map_or(call, |over| call.min(over.max(self.next_take())))
    }

    pub(super) fn on_read(
        &mut self,
        now: Duration,
        sent: Duration,
        record: Record,
        actions: &mut Vec<Action>,
    ) {
        if matches!(self.stage, ElectionStage::Following) {
            let since = if self.keeps(Rule::WatchedFromTheAnswer) {
                now
            } else {
                sent
            };
            self.notice(record, since);
            self.follower.failing = None;
            self.next = sent + self.follower.rest();
            if std::mem::take(&mut self.follower.overtaken) {
                self.look(now);
            }
        } else {
            self.compare(now, record, actions);
        }
    }

    pub(super) fn on_changed(&mut self, now: Duration, record: Option<Record>) {
        if !matches!(self.stage, ElectionStage::Following) {
            return;
        }
        if self.pending.is_some() {
            self.follower.overtaken = true;
        } else if let Some(record) = record {
            self.notice(record, now);
            self.next = now + self.follower.rest();
        } else {
            self.look(now);
        }
    }

    fn look(&mut self, now: Duration) {
        self.follower.doubt();
        self.next = now;
    }

    fn notice(&mut self, record: Record, now: Duration) {
        if record
            .holder()
            .is_some_and(|holder| *holder != *self.identity)
        {
            self.follower.abstains_until = Duration::ZERO;
        }
        // A look that does not explain the conflict would be followed by the same one at once.
        let refused = self.follower.refused.take();
        if refused.as_ref() == Some(record.version()) {
            let later = now + self.timing.retry;
            self.follower.abstains_until = self.follower.abstains_until.max(later);
        }
        let since = if self.keeps(Rule::OwnClockOnly) {
            now
        } else {
            written_at(&record, now)
        };
        self.follower.observe(record, since);
    }

    pub(super) fn on_taken(
        &mut self,
        now: Duration,
        sent: Duration,
        record: Record,
        actions: &mut Vec<Action>,
    ) {
        self.follower.seen = None;
        let counted = self.counted_from(sent, now);
        let held = Held::new(record, counted, counted + self.validity());
        self.next = sent + self.timing.retry;
        if self.leaving || now >= held.valid_until {
            self.give_back(now, held, After::Follow);
            return;
        }
        let (fence, valid_until) = (held.record.fence(), held.valid_until);
        actions.push(Action::Lead { fence, valid_until });
        self.stage = ElectionStage::Leading(held);
    }

    /// Follows again, and begins with a look.
    pub(super) fn follow_again(&mut self, now: Duration) {
        self.follower.seen = None;
        self.follower.failing = None;
        self.pending = None;
        self.look(now);
        self.stage = ElectionStage::Following;
    }
}

#[cfg(not(test))]
const fn written_at(_: &Record, now: Duration) -> Duration {
    now
}

#[cfg(test)]
fn written_at(record: &Record, _: Duration) -> Duration {
    record.stamp
}
