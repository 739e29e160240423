//! The store of the simulation: one record, compared and set; down for a while, and then it carries out what has waited.

use std::sync::Arc;
use std::time::Duration;

use super::super::{Call, CallError, Rule};
use crate::record::{Record, Version};

#[derive(Debug)]
pub(super) struct Store {
    record: Record,
    version: u64,
    fence: u64,
    lease: Duration,
    pub(super) broken: Option<Rule>,
    /// When it was last written.
    written: Duration,
    /// From when until when it is, or was last, down.
    outage: (Duration, Duration),
    /// How long it was down since it was last written, before that outage.
    down: Duration,
    /// How long the lease was nobody's before it was taken, but for outages.
    pub(super) gap: Duration,
}

impl Store {
    pub(super) fn new(lease: Duration, broken: Option<Rule>) -> Self {
        Self {
            record: Record::free(Version::absent()),
            version: 0,
            fence: 0,
            lease,
            broken,
            written: Duration::ZERO,
            outage: (Duration::ZERO, Duration::ZERO),
            down: Duration::ZERO,
            gap: Duration::ZERO,
        }
    }

    pub(super) fn record(&self) -> &Record {
        &self.record
    }

    pub(super) fn up_at(&self, now: Duration) -> Option<Duration> {
        (now < self.outage.1).then_some(self.outage.1)
    }

    pub(super) fn fail(&mut self, now: Duration, until: Duration) {
        if self.up_at(now).is_none() {
            self.down = self.down_since_written(now);
            self.outage = (now, until);
        }
    }

    fn down_since_written(&self, now: Duration) -> Duration {
        let (from, until) = self.outage;
        self.down + until.min(now).saturating_sub(from.max(self.written))
    }

    /// Carries out a call of `holder`, whose wall clock shows `stamp`.
    pub(super) fn serve(
        &mut self,
        now: Duration,
        holder: &Arc<str>,
        stamp: Duration,
        call: &Call,
    ) -> Result<Record, CallError> {
        match call {
            Call::Read => return Ok(self.record.clone()),
            Call::Take { expected } => {
                if self.broken != Some(Rule::TakeCompares) {
                    self.compare(expected)?;
                }
                if self.broken != Some(Rule::FenceGrows) {
                    self.fence += 1;
                }
                let record = Record::held(holder.clone(), self.fence, Version::absent());
                self.record = record.lasting(self.lease);
            }
            Call::Renew { held } => {
                self.compare(held.version())?;
                self.record = held.clone();
            }
            Call::Release { held } => {
                self.compare(held.version())?;
                self.record = Record::free(Version::absent());
            }
        }
        self.version += 1;
        self.record = self.record.clone().at_version(Version::from(self.version));
        self.record.stamp = stamp;
        let down = self.down_since_written(now);
        self.gap = now.saturating_sub(self.written).saturating_sub(down);
        self.written = now;
        self.down = Duration::ZERO;
        Ok(self.record.clone())
    }

    fn compare(&self, expected: &Version) -> Result<(), CallError> {
        let same = expected == self.record.version();
        same.then_some(()).ok_or(CallError::Conflict)
    }
}
