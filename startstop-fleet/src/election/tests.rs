//! Steps of an election by hand: what happens in the moments that are easily forgotten.

mod following;
mod leading;
mod storm;
mod unresponsive;

use std::time::Duration;

use super::{Action, Call, CallError, CallId, Election, Event, StopCause};
use crate::record::{Record, Version};
use crate::timing::Timing;

/// An election and what it has asked for last.
struct Hand {
    election: Election,
    actions: Vec<Action>,
}

fn secs(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

fn free(version: u64) -> Record {
    Record::free(Version::from(version))
}

fn held(holder: &str, fence: u64, version: u64) -> Record {
    Record::held(holder, fence, Version::from(version)).lasting(secs(15.0))
}

impl Hand {
    fn new() -> Self {
        let mut hand = Self {
            election: Election::new("me", Timing::default()),
            actions: Vec::new(),
        };
        hand.step(0.0, Event::Tick);
        hand
    }

    /// One that has taken version 2 with fence 7, by a request sent at 0 s and answered at 1 s.
    fn leading() -> Self {
        let mut hand = Self::new();
        hand.answer(0.0, Ok(free(1)));
        hand.answer(1.0, Ok(held("me", 7, 2)));
        let lead = Action::Lead {
            fence: 7,
            valid_until: secs(14.25),
        };
        assert_eq!(hand.actions, [lead]);
        hand
    }

    fn step(&mut self, now: f64, event: Event) {
        self.actions = self.election.step(secs(now), event);
    }

    fn tick(&mut self, now: f64) {
        self.step(now, Event::Tick);
    }

    fn pending(&self) -> CallId {
        CallId(self.election.calls)
    }

    fn answer(&mut self, now: f64, result: Result<Record, CallError>) {
        let call = self.pending();
        self.step(now, Event::Answered { call, result });
    }

    fn call(&self) -> Option<&Call> {
        self.actions.iter().find_map(|action| match action {
            Action::Call { call, .. } => Some(call),
            _ => None,
        })
    }

    #[track_caller]
    fn assert_call(&self, expected: &Call) {
        assert_eq!(self.call(), Some(expected), "{:?}", self.actions);
    }

    #[track_caller]
    fn assert_stop(&self, cause: StopCause, valid_until: f64) {
        let stop = Action::StopService {
            cause,
            valid_until: secs(valid_until),
        };
        assert!(self.actions.contains(&stop), "{:?}", self.actions);
    }
}

fn renew(holder: &str, fence: u64, version: u64) -> Call {
    Call::Renew {
        held: held(holder, fence, version),
    }
}

fn release(version: u64) -> Call {
    Call::Release {
        held: held("me", 7, version),
    }
}

fn take(version: u64) -> Call {
    Call::Take {
        expected: Version::from(version),
    }
}
