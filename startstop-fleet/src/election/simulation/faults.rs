//! The faults of the simulation: most of them hit the replica that leads.

use std::time::Duration;

use super::replica::{Input, Life};
use super::report::Network;
use super::world::{What, World};

impl World {
    pub(super) fn fault(&mut self) {
        let after = self.random.around(self.plan.faults);
        self.push(after, What::Fault);
        let replica = self.victim();
        let lasts = self.random.millis(0, 30_000);
        if self.plan.network == Network::Good {
            return self.input(Duration::ZERO, replica, Input::Stop);
        }
        match self.random.below(9) {
            0 | 1 => self.freeze(replica, lasts),
            2 => self.cut(replica, lasts),
            3 => self.kill(replica),
            4 => self.input(Duration::ZERO, replica, Input::Stop),
            5 => self.input(Duration::ZERO, replica, Input::Resign),
            6 => {
                let until = self.now + lasts;
                self.store.fail(self.now, until);
            }
            7 => self.part(lasts),
            _ => self.freeze(replica, lasts / 10),
        }
    }

    fn victim(&mut self) -> usize {
        let leader = self
            .replicas
            .iter()
            .position(|replica| replica.service.is_some());
        match leader {
            Some(leader) if self.random.chance(70) => leader,
            _ => self.random.below(self.replicas.len()),
        }
    }

    fn freeze(&mut self, replica: usize, lasts: Duration) {
        let until = self.now + lasts;
        let it = &mut self.replicas[replica];
        if it.life == Life::Up && self.now >= it.paused_until {
            it.paused_until = until;
            it.frozen = true;
            self.push(lasts, What::Wake { replica });
        }
    }

    /// The store is on one side of the network, and each replica by chance on this one or the other.
    fn part(&mut self, lasts: Duration) {
        self.parted_until = self.parted_until.max(self.now + lasts);
        for replica in 0..self.replicas.len() {
            if self.random.chance(50) {
                self.cut(replica, lasts);
            }
        }
    }

    /// Its requests, its answers, or both are lost.
    fn cut(&mut self, replica: usize, lasts: Duration) {
        let until = self.now + lasts;
        let which = self.random.below(3);
        let it = &mut self.replicas[replica];
        if which != 0 {
            it.requests_cut_until = until;
        }
        if which != 1 {
            it.answers_cut_until = until;
        }
    }

    fn kill(&mut self, replica: usize) {
        self.die(replica, 100..10_000);
    }
}
