//! Which deadline a service has, when it is due, and what follows when it has passed.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::ArmTimer;
use crate::engine::{Deferred, Shared, Synced};
use crate::report::state::Readiness;
use crate::rules::lifecycle::{Input, Timer};
use crate::sync::clock::{self, NEVER};

/// What was aborted gets at least this long to be dropped: a turn of the runtime.
const A_TURN: Duration = Duration::from_millis(1);

impl Synced {
    /// Leaves the deadline of the stop to the whole that this service is a part of: it is for
    /// information only.
    pub(crate) fn leave_deadline_to_whole(&mut self) {
        self.rare().whole_keeps = true;
    }

    /// Whether a task that is pending is spawned at once.
    pub(super) fn is_task_due(&self, shared: &Shared, arm: ArmTimer, deferred: &Deferred) -> bool {
        match arm {
            ArmTimer::Now | ArmTimer::IfNew => true,
            ArmTimer::ByDriver => deferred.driver.is_none() || !self.has_one_thread(),
            // After the level was stored, as for `ask_for_hook`: either this sees that the driver polls,
            // or the driver sees the level.
            ArmTimer::ByCaller => shared.polling.load(Ordering::SeqCst) && !self.has_one_thread(),
            ArmTimer::ByLook => false,
        }
    }

    pub(super) fn due_of(&mut self, shared: &Shared, timer: Timer, deferred: &mut Deferred) -> u64 {
        let settings = &shared.settings;
        match timer {
            Timer::None => NEVER,
            Timer::Start if self.rare.as_ref().is_some_and(|rare| rare.start_over) => NEVER,
            Timer::Start => {
                let timeout = match settings.readiness() {
                    Readiness::Completion => Duration::MAX,
                    Readiness::Immediate | Readiness::Explicit => settings.start_timeout(),
                };
                let due = clock::later(deferred.now(), timeout);
                // Without an end as well, since the watchdog follows.
                if settings.watch().is_some() { due.min(NEVER - 1) } else { due }
            }
            Timer::Watch => match settings.watch() {
                Some((silence, beat)) => {
                    let now = deferred.now();
                    beat.store(now, Ordering::Release);
                    clock::later(now, silence)
                }
                None => NEVER,
            },
            Timer::Drain => self.rare.as_ref().map_or(0, |rare| rare.drain_at).min(self.stop_at),
            Timer::Stop if self.whole_keeps() => NEVER,
            Timer::Stop => {
                if !self.life.is_asked() && self.deadline.timer != Timer::Stop {
                    // It winds down by itself.
                    self.stop_at = clock::later(deferred.now(), settings.stop_timeout());
                } else if self.deadline.timer == Timer::Drain {
                    self.end_drain(shared, deferred.now());
                }
                self.stop_at
            }
            Timer::Abort => clock::later(deferred.now(), settings.abort_timeout().max(A_TURN)),
        }
    }

    /// Whether the deadline is that of a start or of a watchdog: what passes it has failed.
    pub(in crate::engine) fn is_start_or_watch_due(&self) -> bool {
        matches!(self.deadline.timer, Timer::Start | Timer::Watch)
    }

    /// Puts the deadline of a start off, if that comes before this time; says whether it does. Who keeps it looks again then.
    pub(in crate::engine) fn put_start_off(&mut self, until: u64) -> bool {
        let sooner = self.deadline.timer == Timer::Start && self.deadline.due < until;
        if sooner {
            self.deadline.due = until;
        }
        sooner
    }

    /// When the service counts as silent, if it stays so: from its first heartbeat on, and not while it waits.
    pub(super) fn silent_at(&self, shared: &Shared, now: u64) -> Option<u64> {
        let (silence, beat) = shared.settings.watch()?;
        match beat.load(Ordering::Acquire) {
            0 => None,
            _ if self.waits() => Some(clock::later(now, silence)),
            beat => Some(clock::later(beat, silence)),
        }
    }

    /// The deadline may have passed.
    pub(super) fn on_fired(&mut self, shared: &Shared, id: u32, deferred: &mut Deferred) {
        let now = deferred.now();
        let watched = matches!(self.deadline.timer, Timer::Start | Timer::Watch);
        let silent_at = self.silent_at(shared, now).filter(|_| watched);
        let silent = silent_at.is_some_and(|at| at <= now);
        if self.deadline.id != id || now < self.deadline.due && !silent {
            return;
        }
        let input = match self.deadline.timer {
            Timer::None => return,
            Timer::Start | Timer::Watch if silent => Input::Silent,
            Timer::Start => Input::StartDue,
            Timer::Watch => {
                self.deadline.due = silent_at.unwrap_or(NEVER);
                return;
            }
            Timer::Drain => Input::DrainOver,
            Timer::Stop => Input::StopDue,
            Timer::Abort => Input::AbortDue,
        };
        // Earlier than any deadline, so that a new one does not call for another task.
        self.deadline.due = 0;
        self.step(shared, input, ArmTimer::Now, deferred);
        if self.deadline.due == 0 {
            self.deadline.due = NEVER;
            self.disarm(deferred);
        }
    }
}
