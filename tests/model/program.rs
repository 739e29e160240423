//! Random programs: calls on a runner.

use fastrand::Rng;
use startstop_core::State;

use super::plan::{Plan, time};

/// A program: made from its seed, or one of which steps were left out.
#[derive(Debug, Clone)]
pub(super) struct Program {
    pub(super) seed: u64,
    pub(super) plan: Plan,
    /// Futures of the service may panic in their drop.
    pub(super) bombs: bool,
    pub(super) steps: Vec<Step>,
}

#[derive(Debug, Clone)]
pub(super) struct Step {
    /// Its place in the program that was drawn; a call is known by that of its step.
    pub(super) id: usize,
    pub(super) op: Op,
    /// How much time passes after it. With 0 the next one comes before anything else can happen.
    pub(super) gap: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    Start,
    /// A start with the parent of this number.
    StartWith(usize),
    Ensure,
    Restart,
    Stop,
    StopWithin(u64),
    Wait,
    WaitFor(State),
    RequestStart,
    RequestStop,
    RequestRestart,
    CancelParent(usize),
    Reload,
    RequestReload,
    /// The future of a call is made and dropped unpolled.
    Unpolled(Unpolled),
    /// The future of the call with this number is dropped.
    GiveUp(usize),
    CloneHandle,
    DropHandle,
    /// The runtime ends, and with it the futures of calls; there is another one then.
    EndRuntime,
    /// All calls are given up and all handles are dropped: the last step.
    Leave,
    /// Nothing but time.
    Look,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unpolled {
    Start,
    Stop,
    Restart,
}

/// How many parents there are.
pub(super) const PARENTS: usize = 3;

const STATES: [State; 5] = [
    State::Stopped,
    State::Starting,
    State::Running,
    State::Backoff,
    State::Stopping,
];

impl Program {
    pub(super) fn draw(seed: u64) -> Self {
        let rng = &mut Rng::with_seed(seed);
        let plan = Plan::draw(rng);
        let ends_runtime = rng.u8(..8) == 0;
        let length = rng.usize(4..17);
        let mut steps = Vec::with_capacity(length + 1);
        for id in 0..length {
            let op = op(rng, id, ends_runtime);
            let gap = if rng.u8(..6) == 0 { 0 } else { time(rng) };
            steps.push(Step { id, op, gap });
        }
        let last = if rng.u8(..4) == 0 {
            Op::Leave
        } else {
            Op::StopWithin(time(rng))
        };
        steps.push(Step {
            id: length,
            op: last,
            gap: 100_000,
        });
        // Open: in which order a runtime drops its tasks, and what their panics do.
        Self {
            seed,
            plan,
            bombs: !ends_runtime,
            steps,
        }
    }

    /// The same without one of its steps.
    pub(super) fn without(&self, at: usize) -> Self {
        let mut less = self.clone();
        less.steps.remove(at);
        less
    }
}

fn op(rng: &mut Rng, id: usize, ends_runtime: bool) -> Op {
    match rng.u8(..100) {
        0..22 => Op::Start,
        22..28 => Op::StartWith(rng.usize(..PARENTS)),
        28..34 => Op::Ensure,
        34..42 => Op::Restart,
        42..50 => Op::Stop,
        50..53 => Op::StopWithin(0),
        53..58 => Op::StopWithin(time(rng)),
        58..63 => Op::Wait,
        63..67 => Op::WaitFor(STATES[rng.usize(..5)]),
        67..71 => Op::RequestStart,
        71..74 => Op::RequestStop,
        74..77 => Op::RequestRestart,
        77..79 => Op::CancelParent(rng.usize(..PARENTS)),
        79..81 => {
            Op::Unpolled([Unpolled::Start, Unpolled::Stop, Unpolled::Restart][rng.usize(..3)])
        }
        81..85 => Op::GiveUp(rng.usize(..=id)),
        85..87 => Op::CloneHandle,
        87..89 => Op::DropHandle,
        89..93 if ends_runtime => Op::EndRuntime,
        93..96 => Op::Reload,
        96 => Op::RequestReload,
        _ => Op::Look,
    }
}
