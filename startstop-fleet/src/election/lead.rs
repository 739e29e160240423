//! A leader: renews while its service runs, tells it to stop in time, and gives the record back when it has ended.

use std::time::Duration;

use super::{Action, After, Call, CallError, Election, ElectionStage, Rule, StopCause};
use crate::record::Record;

/// How often a release is tried: again only when our own lost renewal was in its way.
const RELEASES: u8 = 2;

#[derive(Debug)]
pub(super) struct Held {
    pub(super) record: Record,
    /// When the last renewal that was answered was sent.
    pub(super) renewed: Duration,
    pub(super) valid_until: Duration,
    /// A renewal met a conflict: the record is looked at before that is believed.
    doubtful: bool,
    /// The record is somebody else's, or gone.
    taken: bool,
    course: Course,
    releases: u8,
}

/// The course of a term whose lease is ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Course {
    Renewed,
    /// The service was aborted and does not end.
    RunsOut,
    /// The term is over and the service has not ended.
    Overrun,
}

impl Held {
    pub(super) fn new(record: Record, renewed: Duration, valid_until: Duration) -> Self {
        let (doubtful, taken) = (false, false);
        Self {
            record,
            renewed,
            valid_until,
            doubtful,
            taken,
            course: Course::Renewed,
            releases: 0,
        }
    }

    pub(super) fn wake_at(&self, cause: StopCause, call: Duration) -> Option<Duration> {
        match self.course {
            Course::Overrun => None,
            _ if self.is_renewed(cause) => Some(self.valid_until.min(call)),
            _ => Some(self.valid_until),
        }
    }

    /// Tells whether it is renewed while its service winds down.
    fn is_renewed(&self, cause: StopCause) -> bool {
        !cause.is_loss() && !self.taken && self.course == Course::Renewed
    }
}

impl Election {
    /// The end of the validity comes before anything else that has happened by then.
    pub(super) fn expire(&mut self, now: Duration, actions: &mut Vec<Action>) {
        let goes_on = !self.keeps(Rule::LostIsLost);
        let (ElectionStage::Leading(held) | ElectionStage::Stopping(held, _)) = &mut self.stage
        else {
            return;
        };
        if now < held.valid_until || held.course == Course::Overrun || goes_on {
            return;
        }
        held.course = Course::Overrun;
        self.pending = None;
        if matches!(self.stage, ElectionStage::Leading(_)) {
            self.stop_service(StopCause::Expired, actions);
        }
        if self.keeps(Rule::OverrunExits) {
            actions.push(Action::Overrun);
        }
    }

    pub(super) fn lead(&mut self, now: Duration, actions: &mut Vec<Action>) {
        let ElectionStage::Leading(held) = &self.stage else {
            return;
        };
        let renew_by = held.renewed + self.timing.renew_by;
        if now >= renew_by && self.keeps(Rule::LostIsLost) {
            self.pending = None;
            self.stop_service(StopCause::OutOfTouch, actions);
        } else {
            self.renew(now, actions);
        }
    }

    /// A leader that stops goes on renewing while its service winds down, but for one that has lost its lease, or whose service
    /// does not end.
    pub(super) fn wind_down(&mut self, now: Duration, actions: &mut Vec<Action>) {
        let ElectionStage::Stopping(held, cause) = &self.stage else {
            return;
        };
        if held.is_renewed(*cause) {
            self.renew(now, actions);
        }
    }

    fn renew(&mut self, now: Duration, actions: &mut Vec<Action>) {
        let (ElectionStage::Leading(held) | ElectionStage::Stopping(held, _)) = &self.stage else {
            return;
        };
        if self.pending.is_some() || now < self.next {
            return;
        }
        let renew = || Call::Renew {
            held: held.record.clone(),
        };
        let call = if held.doubtful { Call::Read } else { renew() };
        self.call(now, call, actions);
    }

    fn stop_service(&mut self, cause: StopCause, actions: &mut Vec<Action>) {
        let ElectionStage::Leading(held) =
            std::mem::replace(&mut self.stage, ElectionStage::Following)
        else {
            unreachable!("only who leads has a service to stop")
        };
        let valid_until = held.valid_until;
        actions.push(Action::StopService { cause, valid_until });
        self.stage = ElectionStage::Stopping(held, cause);
    }

    pub(super) fn on_renewed(
        &mut self,
        now: Duration,
        sent: Duration,
        record: Record,
        actions: &mut Vec<Action>,
    ) {
        self.next = sent + self.timing.retry;
        let counted = self.counted_from(sent, now);
        let valid_until = counted + self.validity();
        let (ElectionStage::Leading(held) | ElectionStage::Stopping(held, _)) = &mut self.stage
        else {
            return;
        };
        held.record = record;
        held.renewed = counted;
        held.valid_until = valid_until;
        actions.push(Action::Extend { valid_until });
    }

    pub(super) fn doubt(&mut self) {
        if let ElectionStage::Leading(held) | ElectionStage::Stopping(held, _) = &mut self.stage {
            held.doubtful = true;
        }
    }

    /// Compares the record with what is held: ours as somebody has changed it, by a renewal of ours whose answer was
    /// lost say, or another one.
    pub(super) fn compare(&mut self, now: Duration, record: Record, actions: &mut Vec<Action>) {
        let identity = self.identity.clone();
        let goes_on = !self.keeps(Rule::LostIsLost);
        let (ElectionStage::Leading(held)
        | ElectionStage::Stopping(held, _)
        | ElectionStage::Releasing(held, _)) = &mut self.stage
        else {
            return;
        };
        let ours = record.holder() == Some(&*identity) && record.fence() == held.record.fence();
        // What the look does not explain would be met again at once.
        let same = record.version() == held.record.version();
        self.next = if same { now + self.timing.retry } else { now };
        held.doubtful = false;
        if ours || goes_on {
            held.record = record;
            return;
        }
        held.taken = true;
        let valid_until = held.valid_until;
        match self.stage {
            ElectionStage::Leading(_) => self.stop_service(StopCause::Taken, actions),
            ElectionStage::Stopping(..) => {
                actions.push(Action::StopService {
                    cause: StopCause::Taken,
                    valid_until,
                });
            }
            _ => {}
        }
    }

    pub(super) fn stop_in_order(
        &mut self,
        now: Duration,
        cause: StopCause,
        actions: &mut Vec<Action>,
    ) {
        if !matches!(self.stage, ElectionStage::Leading(_)) {
            self.let_others_go_first(now, cause);
            return;
        }
        self.stop_service(cause, actions);
        if !self.keeps(Rule::ReleaseAfterTheEnd) {
            let ElectionStage::Stopping(held, _) = &self.stage else {
                return;
            };
            let call = Call::Release {
                held: held.record.clone(),
            };
            self.call(now, call, actions);
        }
    }

    /// Its service stops already, for another cause: what it has to give up is the next term.
    fn let_others_go_first(&mut self, now: Duration, cause: StopCause) {
        let stops = matches!(self.stage, ElectionStage::Stopping(..));
        if stops && cause == StopCause::Resign {
            self.follower.abstain_until(now + self.timing.lease);
        }
    }

    /// The term runs out, since nobody else could lead otherwise.
    pub(super) fn on_unresponsive(&mut self, actions: &mut Vec<Action>) {
        let (ElectionStage::Leading(held) | ElectionStage::Stopping(held, _)) = &mut self.stage
        else {
            return;
        };
        held.course = held.course.max(Course::RunsOut);
        self.pending = None;
        if matches!(self.stage, ElectionStage::Leading(_)) {
            self.stop_service(StopCause::Unresponsive, actions);
        }
    }

    pub(super) fn on_ended(&mut self, now: Duration) {
        let (held, after) = match std::mem::replace(&mut self.stage, ElectionStage::Following) {
            ElectionStage::Leading(held)
            | ElectionStage::Stopping(held, StopCause::Stop | StopCause::Unresponsive) => {
                (held, After::Finish)
            }
            ElectionStage::Stopping(held, StopCause::Resign) => {
                self.follower.abstain_until(now + self.timing.lease);
                (held, After::Follow)
            }
            ElectionStage::Stopping(held, _) => (held, After::Follow),
            other => {
                self.stage = other;
                return;
            }
        };
        self.give_back(now, held, after);
    }

    /// Nothing of ours runs any more.
    pub(super) fn give_back(&mut self, now: Duration, held: Held, after: After) {
        self.pending = None;
        self.next = now;
        let taken = held.taken;
        self.stage = ElectionStage::Releasing(held, after);
        if taken {
            self.given_back(now);
        }
    }

    pub(super) fn release(&mut self, now: Duration, actions: &mut Vec<Action>) {
        let ElectionStage::Releasing(held, _) = &mut self.stage else {
            return;
        };
        if self.pending.is_some() {
            return;
        }
        let held_record = held.record.clone();
        if held.taken {
            self.given_back(now);
            self.proceed(now, actions);
        } else if held.doubtful {
            self.call(now, Call::Read, actions);
        } else {
            held.releases += 1;
            self.call(now, Call::Release { held: held_record }, actions);
        }
    }

    pub(super) fn on_released(&mut self, now: Duration) {
        self.given_back(now);
    }

    /// A lease that cannot be given back is left to run out.
    pub(super) fn on_release_failed(&mut self, now: Duration, error: CallError) {
        let ElectionStage::Releasing(held, _) = &mut self.stage else {
            return;
        };
        held.doubtful = true;
        if error == CallError::Unknown || held.releases >= RELEASES {
            self.given_back(now);
        }
    }

    fn given_back(&mut self, now: Duration) {
        let ElectionStage::Releasing(_, after) = self.stage else {
            return;
        };
        if after == After::Finish || self.leaving {
            self.pending = None;
            self.stage = ElectionStage::Finished;
        } else {
            self.follow_again(now);
        }
    }
}
