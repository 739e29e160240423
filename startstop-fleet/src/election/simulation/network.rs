//! Requests and answers on their way: late, lost, cut off in one direction or both, carried out after an outage.

use std::time::Duration;

use super::super::{Call, CallError, CallId};
use super::replica::{Input, Life, Notifies};
use super::report::Network;
use super::world::{What, World};
use crate::record::Record;

impl World {
    pub(super) fn send(&mut self, replica: usize, id: CallId, call: Call) {
        if self.now < self.replicas[replica].requests_cut_until || self.is_lost() {
            return;
        }
        let incarnation = self.replicas[replica].incarnation;
        let after = self.latency();
        self.push(
            after,
            What::Request {
                replica,
                incarnation,
                id,
                call,
            },
        );
    }

    /// A message takes a few milliseconds, and sometimes seconds.
    fn latency(&mut self) -> Duration {
        match () {
            () if self.plan.network == Network::Good => self.random.millis(1, 20),
            () if self.random.chance(1) => self.random.millis(900, 6000),
            () if self.random.chance(self.late) => self.random.millis(400, 1_400),
            () => self.random.millis(1, 20),
        }
    }

    /// A request is at the store, which may be down: then half of them wait there until it is up again.
    pub(super) fn on_request(&mut self, replica: usize, incarnation: u64, id: CallId, call: &Call) {
        if let Some(up) = self.store.up_at(self.now) {
            if self.random.chance(50) {
                let call = call.clone();
                let after = up.saturating_sub(self.now) + self.random.millis(0, 50);
                self.push(
                    after,
                    What::Request {
                        replica,
                        incarnation,
                        id,
                        call,
                    },
                );
            }
            return;
        }
        let result = self.serve(replica, incarnation, call);
        let it = &self.replicas[replica];
        let gone = it.incarnation != incarnation || it.life == Life::Down;
        if gone || self.now < it.answers_cut_until || self.is_lost() {
            return;
        }
        let after = self.latency();
        self.input(after, replica, Input::Answer(id, result));
    }

    fn serve(
        &mut self,
        replica: usize,
        incarnation: u64,
        call: &Call,
    ) -> Result<Record, CallError> {
        let name = format!("{replica}/{incarnation}").into();
        let stamp = self.replicas[replica].local(self.now);
        let result = self.store.serve(self.now, &name, stamp, call);
        if result.is_ok() && *call != Call::Read {
            self.on_written(call);
        }
        result
    }

    fn on_written(&mut self, call: &Call) {
        match (call, self.released.take()) {
            (Call::Release { .. }, _) => self.released = Some(self.now),
            (Call::Take { .. }, Some(released)) => {
                let took = self.now.saturating_sub(released);
                self.report.handovers += 1;
                self.report.longest_handover = self.report.longest_handover.max(took);
            }
            _ => {}
        }
        if matches!(call, Call::Take { .. }) {
            let gap = self.store.gap;
            self.report.longest_gap = self.report.longest_gap.max(gap);
            // Messages on their way need a moment. All of a few replicas may be away at once, and so may many while the
            // network is parted.
            let promised = self.timing.failover() + Duration::from_millis(100);
            let whole = self.now.saturating_sub(self.parted_until);
            let slow = gap.min(whole) > promised && self.replicas.len() >= 20;
            self.report.slow += u64::from(slow);
        }
        if self.notifies == Notifies::Yes {
            self.notify();
        }
    }

    fn notify(&mut self) {
        let record = self.store.record().clone();
        for replica in 0..self.replicas.len() {
            if self.hears(replica) {
                let after = self.random.millis(1, 50);
                self.input(after, replica, Input::Hint(Record::clone(&record)));
            }
        }
    }

    fn hears(&mut self, replica: usize) -> bool {
        let it = &self.replicas[replica];
        let up = it.life == Life::Up && self.now >= it.answers_cut_until;
        up && it.engine.is_following() && !self.is_lost()
    }

    fn is_lost(&mut self) -> bool {
        self.plan.network == Network::Bad && self.random.chance(3)
    }
}
