//! Which deadline a service has, when it is due, and what follows when it has passed.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::Arm;
use crate::engine::{After, Cell, Core};
use crate::rules::lifecycle::{Input, Timer};
use crate::sync::clock::{self, NEVER};

/// What was aborted gets at least this long to be dropped: a turn of the runtime.
const A_TURN: Duration = Duration::from_millis(1);

impl Cell {
    /// Leaves the deadline of the stop to the whole that this service is a part of: it is for
    /// information only.
    pub(crate) fn leave_deadline_to_whole(&mut self) {
        self.rare().whole_keeps = true;
    }

    /// Whether a task that is pending is spawned at once.
    pub(super) fn is_task_due(&self, core: &Core, arm: Arm, after: &After) -> bool {
        match arm {
            Arm::Now | Arm::IfNew => true,
            Arm::ByDriver => after.driver.is_none() || !self.has_one_thread(),
            // After the level was stored, as for `ask_for_hook`: either this sees that the driver polls,
            // or the driver sees the level.
            Arm::ByCaller => core.polling.load(Ordering::SeqCst) && !self.has_one_thread(),
            Arm::ByLook => false,
        }
    }

    pub(super) fn due_of(&mut self, core: &Core, timer: Timer, after: &mut After) -> u64 {
        let settings = &core.settings;
        match timer {
            Timer::None => NEVER,
            Timer::Start if self.rare.as_ref().is_some_and(|rare| rare.start_over) => NEVER,
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
                if !self.life.is_asked() && self.deadline.timer != Timer::Stop {
                    // It winds down by itself.
                    self.stop_at = clock::later(after.now(), settings.stop_timeout());
                } else if self.deadline.timer == Timer::Drain {
                    self.end_drain(core, after.now());
                }
                self.stop_at
            }
            Timer::Abort => clock::later(after.now(), settings.abort_timeout().max(A_TURN)),
        }
    }

    /// The deadline may have passed.
    pub(super) fn on_fired(&mut self, core: &Core, id: u32, after: &mut After) {
        let now = after.now();
        if self.deadline.id != id || now < self.deadline.due {
            return;
        }
        let input = match self.deadline.timer {
            Timer::None => return,
            Timer::Start => Input::StartDue,
            Timer::Watch => match look_again_at(core, now) {
                Some(due) => {
                    self.deadline.due = due;
                    return;
                }
                None => Input::Silent,
            },
            Timer::Drain => Input::DrainOver,
            Timer::Stop => Input::StopDue,
            Timer::Abort => Input::AbortDue,
        };
        // Earlier than any deadline, so that a new one does not call for another task.
        self.deadline.due = 0;
        self.step(core, input, Arm::Now, after);
        if self.deadline.due == 0 {
            self.deadline.due = NEVER;
            self.disarm(after);
        }
    }
}

/// When the watchdog has to look again, or `None` if it has seen enough.
fn look_again_at(core: &Core, now: u64) -> Option<u64> {
    let (silence, beat) = core.settings.watch()?;
    let due = clock::later(beat.load(Ordering::Acquire), silence);
    (due > now).then_some(due)
}
