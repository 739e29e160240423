//! The run: a queue of what happens next, and the eyes of the ideal clock.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::time::Duration;

use super::super::{Action, Call, CallId, StopCause};
use super::random::Random;
use super::replica::{Input, Life, Notifies, Replica};
use super::report::{Network, Plan, Report};
use super::store::Store;
use crate::timing::Timing;

/// When a service is given up on that hangs; one that does not has ended by then.
const GRACE: Duration = Duration::from_secs(7);

#[derive(Debug)]
pub(super) struct World {
    pub(super) now: Duration,
    pub(super) plan: Plan,
    pub(super) timing: Timing,
    pub(super) random: Random,
    pub(super) replicas: Vec<Replica>,
    pub(super) store: Store,
    pub(super) report: Report,
    /// How many messages of a hundred are late by a second, within the limit of a call that is waited for.
    pub(super) late: u32,
    pub(super) notifies: Notifies,
    pub(super) released: Option<Duration>,
    /// Until when many were last cut off at once.
    pub(super) parted_until: Duration,
    queue: BinaryHeap<Reverse<Scheduled>>,
    entries: u64,
    fence: u64,
}

#[derive(Debug)]
struct Scheduled {
    at: Duration,
    number: u64,
    what: What,
}

#[derive(Debug)]
pub(super) enum What {
    Input {
        replica: usize,
        incarnation: u64,
        input: Input,
    },
    Tick {
        replica: usize,
        at: Duration,
    },
    Request {
        replica: usize,
        incarnation: u64,
        id: CallId,
        call: Call,
    },
    Boot {
        replica: usize,
    },
    Wake {
        replica: usize,
    },
    Fault,
}

impl World {
    pub(super) fn run(plan: Plan) -> Report {
        Self::run_and_tell(plan).0
    }

    /// Also tells whether its store has told of changes.
    pub(super) fn run_and_tell(plan: Plan) -> (Report, Notifies) {
        let mut world = Self::new(plan);
        while world.report.steps < plan.steps {
            world.advance();
        }
        world.report.time = world.now;
        (world.report, world.notifies)
    }

    fn new(plan: Plan) -> Self {
        let mut random = Random::new(plan.seed);
        let timing = Timing::default();
        let replicas = (0..plan.replicas).map(|index| Replica::new(index, timing, &mut random));
        let replicas = replicas.collect();
        let mut world = Self {
            now: Duration::ZERO,
            plan,
            timing,
            replicas,
            notifies: if random.chance(50) {
                Notifies::Yes
            } else {
                Notifies::No
            },
            late: [0, 10, 40][random.below(3)],
            random,
            store: Store::new(timing.lease, plan.broken),
            report: Report::default(),
            released: None,
            parted_until: Duration::ZERO,
            queue: BinaryHeap::new(),
            entries: 0,
            fence: 0,
        };
        for replica in 0..plan.replicas {
            let after = world.random.millis(0, 2000);
            world.push(after, What::Boot { replica });
        }
        world.push(Duration::from_secs(5), What::Fault);
        world
    }

    pub(super) fn push(&mut self, after: Duration, what: What) {
        self.entries += 1;
        let entry = Scheduled {
            at: self.now + after,
            number: self.entries,
            what,
        };
        self.queue.push(Reverse(entry));
    }

    pub(super) fn input(&mut self, after: Duration, replica: usize, input: Input) {
        let incarnation = self.replicas[replica].incarnation;
        self.push(
            after,
            What::Input {
                replica,
                incarnation,
                input,
            },
        );
    }

    fn advance(&mut self) {
        let Reverse(entry) = self.queue.pop().expect("there is always a next fault");
        self.now = entry.at;
        match entry.what {
            What::Input {
                replica,
                incarnation,
                input,
            } => {
                if self.replicas[replica].incarnation == incarnation {
                    self.deliver(replica, input);
                }
            }
            What::Tick { replica, at } => {
                if self.replicas[replica].tick == Some(at) {
                    self.replicas[replica].tick = None;
                    self.deliver(replica, Input::Tick);
                }
            }
            What::Request {
                replica,
                incarnation,
                id,
                call,
            } => {
                self.on_request(replica, incarnation, id, &call);
            }
            What::Boot { replica } => self.boot(replica),
            What::Wake { replica } => self.wake(replica),
            What::Fault => self.fault(),
        }
    }

    fn deliver(&mut self, replica: usize, input: Input) {
        let now = self.now;
        let it = &mut self.replicas[replica];
        if it.life == Life::Down {
            return;
        }
        if now < it.paused_until {
            it.backlog.push(input);
            return;
        }
        self.report.steps += 1;
        let actions = it.step(now, input);
        for action in actions {
            self.act(replica, action);
        }
        self.schedule(replica);
    }

    fn schedule(&mut self, replica: usize) {
        let it = &self.replicas[replica];
        if it.life == Life::Down {
            return;
        }
        if it.engine.is_finished() {
            self.die(replica, 1000..10_000);
            return;
        }
        let wanted = it
            .engine
            .wake_at()
            .map(|local| it.ideal(local).max(self.now));
        if wanted != it.tick {
            self.replicas[replica].tick = wanted;
            if let Some(at) = wanted {
                self.push(at.saturating_sub(self.now), What::Tick { replica, at });
            }
        }
    }

    fn act(&mut self, replica: usize, action: Action) {
        match action {
            Action::Call { id, call, .. } => self.send(replica, id, call),
            Action::Lead { fence, .. } => self.begin(replica, fence),
            Action::Extend { .. } => {}
            Action::StopService { cause, .. } => {
                self.report.losses += u64::from(cause == StopCause::OutOfTouch);
                self.tell(replica);
            }
            Action::Overrun => {
                let it = &self.replicas[replica];
                self.report.overruns += 1;
                self.report.told_late += u64::from(!it.hangs && !it.frozen);
                self.die(replica, 1000..10_000);
            }
        }
    }

    fn begin(&mut self, replica: usize, fence: u64) {
        self.report.terms += 1;
        self.report.fences += u64::from(fence <= self.fence);
        self.fence = fence;
        let bad = self.plan.network == Network::Bad;
        let hangs = bad && self.random.chance(3);
        let ends = (bad && self.random.chance(5)).then(|| self.random.millis(0, 120_000));
        let it = &mut self.replicas[replica];
        it.service = Some(fence);
        (it.told, it.hangs, it.frozen) = (false, hangs, false);
        self.look();
        if let Some(after) = ends {
            self.input(after, replica, Input::Ended(fence));
        }
    }

    /// The service winds down within its grace, or hangs and is given up on.
    fn tell(&mut self, replica: usize) {
        let it = &mut self.replicas[replica];
        let was_told = std::mem::replace(&mut it.told, true);
        let (Some(fence), false) = (it.service, was_told) else {
            return;
        };
        if it.hangs {
            self.input(GRACE, replica, Input::Unresponsive(fence));
            return;
        }
        let most = if self.random.chance(20) { 6_900 } else { 300 };
        // Counted by the fastest clock, so that the replica stays within its grace by its own clock.
        let takes = self.random.millis(0, most).mul_f64(0.95);
        self.input(takes, replica, Input::Ended(fence));
    }

    /// Looks whether two work at once.
    pub(super) fn look(&mut self) {
        let now = self.now;
        let working = self
            .replicas
            .iter()
            .filter(|replica| replica.works(now))
            .count();
        self.report.overlaps += u64::from(working > 1);
    }

    fn boot(&mut self, replica: usize) {
        let (notifies, timing, broken) = (self.notifies, self.timing, self.plan.broken);
        self.replicas[replica].boot(replica, notifies, timing, broken);
        self.deliver(replica, Input::Tick);
    }

    /// A frozen process goes on: its guard looks at the clock first.
    fn wake(&mut self, replica: usize) {
        if self.now < self.replicas[replica].paused_until {
            return;
        }
        let backlog = std::mem::take(&mut self.replicas[replica].backlog);
        self.deliver(replica, Input::Tick);
        self.look();
        for input in backlog {
            self.deliver(replica, input);
        }
    }

    pub(super) fn die(&mut self, replica: usize, back_after: std::ops::Range<u64>) {
        if self.replicas[replica].life == Life::Down {
            return;
        }
        self.replicas[replica].die();
        let after = self.random.millis(back_after.start, back_after.end);
        self.push(after, What::Boot { replica });
    }
}

impl PartialEq for Scheduled {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Scheduled {}

impl PartialOrd for Scheduled {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Scheduled {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}
