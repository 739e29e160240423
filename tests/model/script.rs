//! Random scripts: the acts of a service in one attempt, known to the service and to the reference.

use fastrand::Rng;
use startstop_core::{Cause, Phase};

use super::plan::time;

#[derive(Debug, Clone, Default)]
pub(super) struct Script {
    /// The acts of `run`, each with its time after the begin, in order; those at 0 are done in the first poll.
    pub(super) acts: Vec<(u64, Act)>,
    /// The end of `run` after its cancellation; `None` is deaf and goes on with its acts.
    pub(super) leave: Option<Leave>,
    /// The end of `shutdown`; `None` hangs.
    pub(super) hook: Option<Leave>,
    /// How it answers reload requests, and how long that takes; `None` never waits for one.
    pub(super) reload: Option<Leave>,
    /// The part whose future panics when it is dropped before it has ended.
    pub(super) bomb: Option<Phase>,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Act {
    Ready,
    NotReady,
    Report,
    Beat,
    Spawn(Task),
    RequestStop,
    RequestRestart,
    End(End),
}

/// A task of the context.
#[derive(Debug, Clone, Copy)]
pub(super) struct Task {
    /// When it ends by itself, if it does.
    pub(super) ends: Option<Leave>,
    /// Its end after its cancellation; `None` is deaf.
    pub(super) leave: Option<Leave>,
    pub(super) bomb: bool,
}

/// An end, so many milliseconds from now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Leave {
    pub(super) after: u64,
    pub(super) end: End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Ok,
    Fail,
    /// A failure that says that another attempt is pointless.
    Permanent,
    Panic,
}

impl End {
    fn draw(rng: &mut Rng, fails: u8) -> Self {
        if rng.u8(..100) >= fails {
            return Self::Ok;
        }
        [
            Self::Fail,
            Self::Fail,
            Self::Fail,
            Self::Panic,
            Self::Panic,
            Self::Permanent,
        ][rng.usize(..6)]
    }

    /// The cause that is recorded for it.
    pub(super) fn cause(self) -> Option<Cause> {
        match self {
            Self::Ok => None,
            Self::Fail | Self::Permanent => Some(Cause::Error),
            Self::Panic => Some(Cause::Panic),
        }
    }
}

impl Leave {
    fn draw(rng: &mut Rng, fails: u8) -> Self {
        Self {
            after: time(rng),
            end: End::draw(rng, fails),
        }
    }
}

impl Script {
    /// The script of the `run` of this number.
    pub(super) fn draw(seed: u64, run: u64, bombs: bool) -> Self {
        let rng = &mut Rng::with_seed(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(run));
        let parts = [Phase::Run, Phase::Shutdown, Phase::Task];
        // One bomb at most, since the order in which parts are dropped is open.
        let bomb = (bombs && rng.u8(..6) == 0).then(|| parts[rng.usize(..3)]);
        let mut script = Self {
            acts: acts(rng, bomb),
            leave: (rng.u8(..4) > 0).then(|| Leave::draw(rng, 20)),
            hook: (rng.u8(..6) > 0).then(|| Leave::draw(rng, 20)),
            reload: rng.bool().then(|| Leave::draw(rng, 30)),
            bomb,
        };
        if let Some(reload) = script.reload.as_mut().filter(|_| rng.u8(..3) == 0) {
            reload.after = 0;
        }
        // One part at most ends in the instant in which it is told to, since the order is open.
        let quick = match rng.u8(..4) {
            0 => &mut script.hook,
            1 | 2 => &mut script.leave,
            _ => &mut None,
        };
        if let Some(quick) = quick {
            quick.after = 0;
        }
        script
    }
}

fn acts(rng: &mut Rng, bomb: Option<Phase>) -> Vec<(u64, Act)> {
    let mut acts = Vec::new();
    let mut bomb = bomb == Some(Phase::Task);
    if rng.u8(..5) > 0 {
        acts.push((at(rng), Act::Ready));
    }
    for _ in 0..rng.u8(..4) {
        acts.push((at(rng), small(rng, &mut bomb)));
    }
    if rng.u8(..3) > 0 {
        acts.push((time(rng), Act::End(End::draw(rng, 60))));
    }
    acts.sort_by_key(|(at, _)| *at);
    // Only acts of the first poll have an order within one instant.
    acts.dedup_by(|(later, _), (at, _)| *later > 0 && later == at);
    acts
}

fn at(rng: &mut Rng) -> u64 {
    if rng.u8(..4) == 0 { 0 } else { time(rng) }
}

fn small(rng: &mut Rng, bomb: &mut bool) -> Act {
    match rng.u8(..15) {
        12 => Act::NotReady,
        13.. => Act::Ready,
        0..2 => Act::Report,
        2..6 => Act::Beat,
        6..10 => Act::Spawn(Task {
            ends: rng.bool().then(|| Leave::draw(rng, 50)),
            leave: (rng.u8(..3) > 0).then(|| Leave::draw(rng, 20)),
            bomb: std::mem::take(bomb),
        }),
        10 => Act::RequestStop,
        _ => Act::RequestRestart,
    }
}
