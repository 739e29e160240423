//! Which deadline is kept, until when, and by whom.
//!
//! Deadlines are kept by a task of their own, so that a service that blocks its thread cannot hold
//! them up. It exists only while there is a deadline.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{After, Cell, Core, Job, Seat};
use crate::engine::waiters::Topic;
use crate::rules::lifecycle::{Input, Timer};
use crate::sync::AbortHandle;
use crate::sync::clock::{self, NEVER};

/// When the task that keeps a deadline is spawned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arm {
    /// With the deadline.
    Now,
    /// With the deadline if that is another one than before; otherwise as [`ByCaller`](Self::ByCaller).
    IfNew,
    /// By the driver, which is woken, if one poll does not end it: nobody awaits the request. Only on a single
    /// thread: with more the driver may be stuck in that poll, and nobody else would notice.
    ByDriver,
    /// By the ticket of who awaits the request, if a few turns of the runtime do not end it, or by the driver, if
    /// one poll does not; at once if, with several threads, the driver is inside a poll already.
    ByCaller,
}

/// What was aborted gets at least this long to be dropped: a turn of the runtime.
const A_TURN: Duration = Duration::from_millis(1);

impl Cell {
    /// Keeps the deadline that the lifecycle wants kept.
    pub(crate) fn set_timer(&mut self, core: &Core, arm: Arm, after: &mut After) {
        let timer = self.life.timer(core.rules());
        if timer == Timer::Abort && self.timer == Timer::Abort {
            return;
        }
        let due = self.due_of(core, timer, after);
        let old_timer = std::mem::replace(&mut self.timer, timer);
        let old_due = std::mem::replace(&mut self.due, due);
        if due == NEVER {
            self.dismiss_keeper(after);
            return;
        }
        // The keeper of a start wakes up in time for the watchdog: see `due`.
        let is_watched = (old_timer, timer) == (Timer::Start, Timer::Watch);
        if self.keeper.is_none() {
            self.owes_keeper = true;
        } else if due < old_due && !is_watched {
            self.dismiss_keeper(after);
            self.owes_keeper = true;
        }
        let goes_on = (old_timer, old_due) == (timer, due);
        let arm = if arm == Arm::IfNew && goes_on { Arm::ByCaller } else { arm };
        if self.owes_keeper && self.is_due(core, arm, after) {
            self.hire_keeper(after);
        }
    }

    /// Whether a keeper that is owed is hired at once.
    fn is_due(&self, core: &Core, arm: Arm, after: &After) -> bool {
        match arm {
            Arm::Now | Arm::IfNew => true,
            Arm::ByDriver => after.driver.is_none() || !self.has_one_thread(),
            // After the level was stored, as for `ask_for_hook`: either this sees that the driver polls,
            // or the driver sees the level.
            Arm::ByCaller => core.polling.load(Ordering::SeqCst) && !self.has_one_thread(),
        }
    }

    fn due_of(&mut self, core: &Core, timer: Timer, after: &mut After) -> u64 {
        let settings = &core.settings;
        match timer {
            Timer::None => NEVER,
            Timer::Start => {
                let due = clock::later(after.now(), settings.start_timeout());
                // Without an end as well, since the watchdog follows.
                if settings.watch().is_some() { due.min(NEVER - 1) } else { due }
            }
            Timer::Watch => match settings.watch() {
                Some((silence, beat)) => {
                    let now = after.now();
                    beat.store(now, Ordering::Release);
                    clock::later(now, silence)
                }
                None => NEVER,
            },
            Timer::Drain => self.rare.as_ref().map_or(0, |rare| rare.drain_at).min(self.stop_at),
            Timer::Stop if self.whole_keeps() => NEVER,
            Timer::Stop => {
                if !self.life.is_asked() && self.timer != Timer::Stop {
                    // It winds down by itself.
                    self.stop_at = clock::later(after.now(), settings.stop_timeout());
                } else if self.timer == Timer::Drain {
                    self.end_drain(core, after.now());
                }
                self.stop_at
            }
            Timer::Abort => clock::later(after.now(), settings.abort_timeout().max(A_TURN)),
        }
    }

    /// Leaves the deadline of the stop to the whole that this service is a part of: it is for
    /// information only.
    pub(crate) fn leave_deadline_to_whole(&mut self) {
        self.rare().whole_keeps = true;
    }

    #[inline]
    pub(super) fn dismiss_keeper(&mut self, after: &mut After) {
        after.dismiss(self.keeper.take());
        self.keeper_id = self.keeper_id.wrapping_add(1);
        self.owes_keeper = false;
    }

    /// Spawns the keeper that is owed.
    pub(crate) fn hire_keeper(&mut self, after: &mut After) {
        if !self.owes_keeper {
            return;
        }
        let Some(on) = self.on.clone() else { return };
        self.owes_keeper = false;
        self.keeper_id = self.keeper_id.wrapping_add(1);
        after.job(Job::Keeper(Seat { on, id: self.keeper_id }));
    }

    /// Notes how the keeper is dismissed; one that came too late is dismissed at once.
    pub(crate) fn keeper_hired(&mut self, id: u32, handle: AbortHandle) -> Option<AbortHandle> {
        if self.keeper_id != id || self.due == NEVER {
            return Some(handle);
        }
        self.keeper.replace(handle)
    }

    /// The keeper with this number is gone, with its runtime: who waits elsewhere has another one spawned.
    pub(crate) fn keeper_lost(&mut self, id: u32, after: &mut After) {
        if self.keeper_id == id && self.due != NEVER {
            self.keeper_id = self.keeper_id.wrapping_add(1);
            self.keeper = None;
            self.owes_keeper = true;
            self.waiters.rouse(Topic::OUTCOMES, &mut after.wakes);
        }
    }

    /// Until when the keeper with this number sleeps before it looks at the clock.
    ///
    /// While a service starts that has a watchdog, no longer than that: the service may say that it is
    /// ready and block its thread in the same poll, and a keeper that is spawned from there would wait
    /// for that very thread.
    pub(crate) fn due(&self, core: &Core, id: u32) -> Option<u64> {
        if self.keeper_id != id || self.due == NEVER {
            return None;
        }
        match (self.timer, core.settings.watch()) {
            (Timer::Start, Some((silence, _))) => {
                Some(self.due.min(clock::later(clock::now(), silence)))
            }
            _ => Some(self.due),
        }
    }

    /// The deadline may have passed.
    pub(crate) fn look_at_the_clock(&mut self, core: &Core, id: u32, after: &mut After) {
        let now = after.now();
        if self.keeper_id != id || now < self.due {
            return;
        }
        let input = match self.timer {
            Timer::None => return,
            Timer::Start => Input::StartDue,
            Timer::Watch => match look_again_at(core, now) {
                Some(due) => {
                    self.due = due;
                    return;
                }
                None => Input::Silent,
            },
            Timer::Drain => Input::DrainOver,
            Timer::Stop => Input::StopDue,
            Timer::Abort => Input::AbortDue,
        };
        // Earlier than any deadline, so that a new one does not call for another keeper.
        self.due = 0;
        self.step(core, input, Arm::Now, after);
        if self.due == 0 {
            self.due = NEVER;
            self.dismiss_keeper(after);
        }
    }
}

/// When the watchdog has to look again, or `None` if it has seen enough.
fn look_again_at(core: &Core, now: u64) -> Option<u64> {
    let (silence, beat) = core.settings.watch()?;
    let due = clock::later(beat.load(Ordering::Acquire), silence);
    (due > now).then_some(due)
}
