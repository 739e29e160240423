//! One replica: an engine, its clock, its service, and what is wrong with it at the moment.

use std::sync::Arc;
use std::time::Duration;

use super::super::{Action, CallId, Election, Event, Rule};
use super::random::Random;
use crate::record::Record;
use crate::timing::Timing;

/// An input of a replica.
#[derive(Debug, Clone)]
pub(super) enum Input {
    Tick,
    Answer(CallId, Result<Record, super::super::CallError>),
    Hint(Record),
    /// The service of the term with this fence has ended.
    Ended(u64),
    /// It does not end, and is given up on.
    Unresponsive(u64),
    Stop,
    Resign,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    Up,
    /// The process is gone until it is started again.
    Down,
}

/// The behaviour of the store on a change: it tells of it, or is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notifies {
    Yes,
    No,
}

#[derive(Debug)]
pub(super) struct Replica {
    pub(super) name: Arc<str>,
    pub(super) engine: Election,
    pub(super) incarnation: u64,
    pub(super) life: Life,
    /// How many parts in a million its clock is faster than the slowest.
    rate: u128,
    origin: Duration,
    pub(super) paused_until: Duration,
    pub(super) requests_cut_until: Duration,
    pub(super) answers_cut_until: Duration,
    pub(super) backlog: Vec<Input>,
    /// The fence of the term whose service works.
    pub(super) service: Option<u64>,
    /// It was told to stop.
    pub(super) told: bool,
    pub(super) hangs: bool,
    /// It was frozen in this term.
    pub(super) frozen: bool,
    pub(super) tick: Option<Duration>,
}

impl Replica {
    pub(super) fn new(index: usize, timing: Timing, random: &mut Random) -> Self {
        let faster = [0, random.below(MOST_PPM), MOST_PPM][random.below(3)];
        let engine = Election::new("nobody", timing);
        Self {
            name: format!("{index}").into(),
            engine,
            incarnation: 0,
            life: Life::Down,
            rate: 1_000_000 + faster as u128,
            origin: random.millis(0, 60_000),
            paused_until: Duration::ZERO,
            requests_cut_until: Duration::ZERO,
            answers_cut_until: Duration::ZERO,
            backlog: Vec::new(),
            service: None,
            told: false,
            hangs: false,
            frozen: false,
            tick: None,
        }
    }

    /// Starts the process, under another identity.
    pub(super) fn boot(
        &mut self,
        index: usize,
        notifies: Notifies,
        timing: Timing,
        broken: Option<Rule>,
    ) {
        self.incarnation += 1;
        self.name = format!("{index}/{}", self.incarnation).into();
        let engine = Election::new(self.name.clone(), timing);
        self.engine = match notifies {
            Notifies::Yes => engine.notified(),
            Notifies::No => engine,
        };
        self.engine.broken = broken;
        self.life = Life::Up;
    }

    pub(super) fn die(&mut self) {
        self.life = Life::Down;
        self.service = None;
        self.backlog.clear();
        self.paused_until = Duration::ZERO;
        self.tick = None;
    }

    pub(super) fn works(&self, now: Duration) -> bool {
        self.service.is_some() && now >= self.paused_until
    }

    /// Returns the reading of its clock at a moment of the ideal one.
    pub(super) fn local(&self, now: Duration) -> Duration {
        self.origin + nanos(now.as_nanos() * self.rate / 1_000_000)
    }

    /// Returns when its clock shows at least that.
    pub(super) fn ideal(&self, local: Duration) -> Duration {
        let since = local.saturating_sub(self.origin).as_nanos();
        nanos((since * 1_000_000).div_ceil(self.rate))
    }

    pub(super) fn step(&mut self, now: Duration, input: Input) -> Vec<Action> {
        let event = match input {
            Input::Answer(call, result) => Event::Answered { call, result },
            Input::Hint(record) => Event::Changed(Some(record)),
            Input::Ended(fence) if self.service == Some(fence) => {
                self.service = None;
                Event::Ended
            }
            Input::Unresponsive(fence) if self.service == Some(fence) => Event::Unresponsive,
            Input::Tick | Input::Ended(_) | Input::Unresponsive(_) => Event::Tick,
            Input::Stop => Event::Stop,
            Input::Resign => Event::Resign,
        };
        let local = self.local(now);
        self.engine.step(local, event)
    }
}

/// All of the default skew: a clock faster by so much sees a lease of 15 s pass in 14.25 s of another's.
const MOST_PPM: usize = 52_631;

fn nanos(nanos: u128) -> Duration {
    Duration::from_nanos(u64::try_from(nanos).expect("a run of less than 500 years"))
}
