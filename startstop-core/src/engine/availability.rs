//! How long a service was up and down, and how often a failure took it down.

use super::{Shared, Synced};
use crate::report::state::{Exit, Readiness, State};
use crate::report::status::Outages;
use crate::rules::lifecycle::End;
use crate::sync::clock;

impl Synced {
    /// Counts the time in the state that is left, and what comes of the new one.
    pub(super) fn count_time(&mut self, shared: &Shared, old_since: u64, new: State, now: u64) {
        if self.is_down {
            self.was_down = self.was_down.saturating_add(now.saturating_sub(old_since));
        }
        self.is_down = self.counts_as_down(shared, new);
        let fails = self.is_down && self.has_failed_in(new);
        let Some(rare) = self.rare_if(fails) else { return };
        match (new, rare.down_since) {
            _ if fails && rare.down_since.is_none() => {
                rare.down_since = Some(now);
                rare.outages.begun += 1;
            }
            (State::Running, Some(since)) => {
                rare.outages.over += 1;
                rare.outages.lasted = rare.outages.lasted.saturating_add(now.saturating_sub(since));
                rare.down_since = None;
            }
            (State::Stopped, _) if !fails => rare.down_since = None,
            _ => {}
        }
    }

    /// Whether a failure brings the service into this state.
    fn has_failed_in(&self, state: State) -> bool {
        match state {
            State::Stopping => self.life.is_lost() || !matches!(self.life.end(), End::Completed),
            State::Backoff => self.rare.as_ref().is_some_and(|rare| rare.ended_by.is_some()),
            State::Stopped => true,
            State::Starting | State::Running => false,
        }
    }

    /// Whether the service is down in this state other than on request, or because it has completed. What a job takes
    /// counts for nothing.
    fn counts_as_down(&self, shared: &Shared, state: State) -> bool {
        match state {
            State::Running => false,
            State::Starting => shared.settings.readiness() != Readiness::Completion,
            State::Backoff => true,
            State::Stopping => !self.life.is_asked() && self.life.end() != End::Completed,
            State::Stopped => {
                let well = matches!(self.exit, Exit::Completed | Exit::Stopped);
                !well && self.rare.is_some() && !self.was_told()
            }
        }
    }

    /// The time down over all cycles, in nanoseconds.
    pub(crate) fn downtime(&self, since: u64, now: u64) -> u64 {
        let current = if self.is_down { now.saturating_sub(since) } else { 0 };
        self.was_down.saturating_add(current)
    }

    /// How often a failure took the service down, and for how long.
    pub(crate) fn outages(&self) -> Outages {
        self.rare.as_ref().map(|rare| rare.outages).unwrap_or_default()
    }

    /// When the last heartbeat came, if a watchdog waits for them.
    pub(crate) fn heartbeat_at(&self, shared: &Shared) -> Option<u64> {
        let (_, beat) = shared.settings.watch()?;
        let beat = beat.load(std::sync::atomic::Ordering::Acquire);
        (self.life.is_run_alive() && beat > 0).then_some(beat)
    }

    /// When the attempt that ends will be aborted, if ever.
    pub(crate) fn stops_at(&self) -> Option<u64> {
        let ends = self.state() == State::Stopping && !self.life.has_verdict();
        (ends && self.stop_at != clock::NEVER).then_some(self.stop_at)
    }
}
