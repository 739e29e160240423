//! The service's side: begins a term, tells its service to stop, and takes in how it ended.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use startstop_core::{AttachError, Runner, Service, State};

use super::{Run, Wish};
use crate::clock;
use crate::election::StopCause;
use crate::guard;
use crate::in_term::InTerm;
use crate::leader::led::Led;
use crate::leader::readiness::Readiness;
use crate::leader::{ABORT_TIMEOUT, LeaderError, LeaseLost, OnOverrun};
use crate::store::LeaseStore;
use crate::term::Term;

/// Returns the part of what is left of a term in which what does not stop is dropped. Without it the process would exit for
/// a service that an abort ends.
fn for_an_abort(left: Duration) -> Duration {
    (left / 4).min(ABORT_TIMEOUT)
}

impl<S: Service, L: LeaseStore> Run<'_, S, L> {
    pub(super) fn lead(&mut self, fence: u64, valid_until: Duration) -> bool {
        let leader = self.leader;
        let (name, holder) = (leader.name.clone(), self.claim.holder().into());
        let term = Term::new(name, holder, fence, valid_until);
        match catch_unwind(AssertUnwindSafe(|| self.start(&term))) {
            Ok(Ok(led)) => {
                leader
                    .shared
                    .set_led(Some((led.runner.clone(), led.term.clone())));
                leader.shared.leading.send_replace(true);
                self.readiness = match leader.readiness {
                    Wish::ReadyWhileFollowing => None,
                    Wish::ReadyWhenLeading => Some(Readiness::of(&led.runner)),
                };
                self.led = Some(led);
                true
            }
            other => {
                term.end();
                self.outcome = other.map(|led| led.map(drop));
                false
            }
        }
    }

    /// Makes the service and begins to start it. The code of the user in it may panic, before anything runs.
    fn start(&self, term: &Term) -> Result<Led, LeaderError> {
        let leader = self.leader;
        let service = InTerm::new((leader.make)(term.clone()), term.clone());
        let runner = Runner::with_settings(service, leader.settings.clone());
        leader.timing.check(runner.grace_period())?;
        self.attach(&runner)?;
        let (on_overrun, early) = (leader.on_overrun, guard::early(leader.timing.validity()));
        let led = Led::start(runner.clone(), term.clone(), on_overrun, early);
        if led.is_err() {
            self.cx.detach(&runner);
        }
        led
    }

    /// Makes it a part of the attempt, so that drains, reloads, paths and events reach it.
    fn attach(&self, runner: &Runner<InTerm>) -> Result<(), LeaderError> {
        let attached = match self.cx.attach(runner.name(), runner) {
            Err(AttachError::InvalidName { .. }) => self.cx.attach("service", runner),
            attached => attached,
        };
        attached.map_err(LeaderError::Attach)
    }

    pub(super) async fn stop(&mut self, cause: StopCause, valid_until: Duration) {
        let Some(led) = &mut self.led else { return };
        led.term.close();
        if cause == StopCause::Unresponsive {
            return; // it was aborted
        }
        led.told = true;
        if cause.is_loss() {
            self.cx.report(LeaseLost::new(led.term.fence(), cause));
        }
        if matches!(cause, StopCause::Taken | StopCause::Expired) {
            led.term.revoke();
            self.leader.shared.leading.send_replace(false);
        }
        // A process that exits begins with that before the end of the term.
        let early = guard::early(self.leader.timing.validity());
        let left = valid_until.saturating_sub(clock::now() + early);
        match self.cx.remaining() {
            // The timing was checked: the service's own timeouts fit into the term, with an abort.
            _ if cause.is_loss() && led.runner.grace_period() <= left => led.stop(),
            _ if cause.is_loss() => {
                let for_a_stop = left.saturating_sub(for_an_abort(left));
                led.stop_within(for_a_stop).await;
            }
            // A quarter of what is left is for the release.
            Some(remaining) => led.stop_within(remaining / 4 * 3).await,
            None => led.stop(),
        }
    }

    /// Takes back that it leads, and reports the overrun; a program that exits leaves the report to the guard.
    pub(super) fn overrun(&mut self) {
        self.leader.shared.leading.send_replace(false);
        if let (Some(led), OnOverrun::Report) = (&self.led, self.leader.on_overrun) {
            self.cx.report(LeaderError::Overrun {
                fence: led.term.fence(),
            });
        }
    }

    pub(super) fn on_unresponsive(&mut self) {
        if let Some(led) = &mut self.led {
            led.is_unresponsive = true;
        }
    }

    /// Returns how the leader fails that is to end and whose service does not: it cannot wait for that, and the guard stays.
    pub(super) fn leaves_behind(&self) -> Option<LeaderError> {
        let led = self.led.as_ref()?;
        (self.heard_stop && led.is_unresponsive).then(|| led.failure())
    }

    /// The service has ended: by itself, or as the replica leaves, which is how the leader ends; or for a lost lease. Returns false if it
    /// was started again meanwhile.
    pub(super) fn on_ended(&mut self) -> bool {
        let Some(mut led) = self.led.take() else {
            return true;
        };
        // A start that comes too late fails by itself, and is a part of us until then.
        let is_ours =
            |led: &Led| !self.cx.detach(&led.runner) && led.runner.state() != State::Stopped;
        if !led.end() || is_ours(&led) {
            self.led = Some(led);
            return false;
        }
        let told = led.told;
        self.readiness = None;
        if self.leader.readiness == Wish::ReadyWhenLeading {
            self.cx.not_ready("another one is to lead");
        }
        led.term.revoke();
        self.forget_led();
        let ended = led.finish();
        match ended {
            ended if !told || self.heard_stop => self.outcome = Ok(ended),
            Err(error) => self.cx.report(error),
            Ok(()) => {}
        }
        true
    }

    pub(super) fn forget_led(&self) {
        self.leader.shared.leading.send_replace(false);
        self.leader.shared.set_led(None);
    }
}
