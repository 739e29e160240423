//! A store that is lost and comes back is not met by a storm.

use std::time::Duration;

use super::{free, held, secs};
use crate::election::{Action, CallError, CallId, Election, Event};
use crate::timing::Timing;

/// One follower, told of changes, and when it has asked.
struct Candidate {
    election: Election,
    asked: Vec<Duration>,
    call: Option<CallId>,
}

impl Candidate {
    /// It has seen that somebody leads.
    fn new(number: usize) -> Self {
        let election = Election::new(format!("host-{number}"), Timing::default()).notified();
        let mut candidate = Self {
            election,
            asked: Vec::new(),
            call: None,
        };
        candidate.step(Duration::ZERO, Event::Tick);
        let call = candidate.call.expect("it looks first");
        candidate.step(
            Duration::ZERO,
            Event::Answered {
                call,
                result: Ok(held("other", 1, 1)),
            },
        );
        candidate.asked.clear();
        candidate
    }

    fn step(&mut self, now: Duration, event: Event) {
        for action in self.election.step(now, event) {
            if let Action::Call { id, .. } = action {
                self.asked.push(now);
                self.call = Some(id);
            }
        }
    }

    /// Time passes until then, with a store that cannot be connected to.
    fn refused_until(&mut self, until: Duration) {
        loop {
            let Some(at) = self.election.wake_at().filter(|at| *at < until) else {
                return;
            };
            let asked = self.asked.len();
            self.step(at, Event::Tick);
            if self.asked.len() > asked {
                let call = self.call.expect("it has asked");
                self.step(
                    at,
                    Event::Answered {
                        call,
                        result: Err(CallError::Unknown),
                    },
                );
            }
        }
    }
}

const HOUR: f64 = 3600.0;

#[test]
fn a_store_that_is_away_for_an_hour_is_asked_less_and_less() {
    let mut candidate = Candidate::new(1);
    candidate.refused_until(secs(HOUR));
    let asked = |from: f64, until: f64| {
        candidate
            .asked
            .iter()
            .filter(|at| (secs(from)..secs(until)).contains(at))
            .count()
    };
    assert_eq!(
        asked(0.0, 15.0),
        0,
        "nobody asks while the lease that was seen lasts"
    );
    assert!(
        asked(15.0, 45.0) >= 15,
        "at first each retry: {}",
        asked(15.0, 45.0)
    );
    assert!(
        asked(3000.0, 3600.0) <= 600 / 11,
        "at last each lease: {}",
        asked(3000.0, 3600.0)
    );
}

#[test]
fn a_thousand_candidates_come_back_one_after_the_other() {
    let back = secs(HOUR);
    let mut first: Vec<Duration> = (0..1000)
        .map(|number| {
            let mut candidate = Candidate::new(number);
            candidate.refused_until(back);
            candidate.election.wake_at().expect("it asks again")
        })
        .collect();
    first.sort_unstable();
    assert!(
        first[0] < back + secs(0.5),
        "the first one is not late: {:?}",
        first[0]
    );
    assert!(
        first[999] <= back + secs(15.0),
        "and the last one asks within a lease"
    );
    for second in 0..15 {
        let window = back + secs(f64::from(second))..back + secs(f64::from(second) + 1.0);
        let asked = first.iter().filter(|at| window.contains(at)).count();
        assert!(asked <= 150, "{asked} in second {second}");
    }
}

#[test]
fn a_short_absence_puts_nobody_off() {
    let mut candidate = Candidate::new(1);
    candidate.refused_until(secs(45.0));
    let next = candidate.election.wake_at().unwrap();
    assert!(next <= secs(45.0) + Timing::default().retry, "{next:?}");
}

#[test]
fn a_follower_that_is_told_asks_nothing_while_leases_are_renewed() {
    let mut candidate = Candidate::new(1);
    for renewal in 1..1000 {
        let at = Duration::from_secs(2 * renewal);
        candidate.step(at, Event::Changed(Some(held("other", 1, 1 + renewal))));
        candidate.step(at, Event::Tick);
        assert!(candidate.election.wake_at().unwrap() > at + secs(14.0));
    }
    assert!(candidate.asked.is_empty());
    candidate.step(secs(2000.0), Event::Changed(Some(free(2000))));
    assert_eq!(candidate.asked.len(), 1, "it takes");
}

#[test]
fn one_that_was_outrun_waits_to_be_told_by_whom() {
    let mut candidate = Candidate::new(1);
    candidate.step(secs(1.0), Event::Changed(Some(free(2))));
    let call = candidate.call.expect("it takes");
    let result = Err(CallError::Conflict);
    candidate.step(secs(1.1), Event::Answered { call, result });
    assert_eq!(candidate.asked, [secs(1.0)]);
    let next = candidate.election.wake_at().unwrap();
    assert!(next <= secs(1.0) + Timing::default().retry, "{next:?}");
    let mut told = candidate;
    told.step(secs(1.2), Event::Changed(Some(held("other", 2, 3))));
    told.step(secs(10.0), Event::Tick);
    assert_eq!(told.asked, [secs(1.0)], "it was told");
}

#[test]
fn one_that_was_outrun_and_is_not_told_looks_within_a_retry() {
    let mut candidate = Candidate::new(1);
    candidate.step(secs(1.0), Event::Changed(Some(free(2))));
    let call = candidate.call.expect("it takes");
    let result = Err(CallError::Conflict);
    candidate.step(secs(1.1), Event::Answered { call, result });
    let next = candidate.election.wake_at().unwrap();
    candidate.step(next, Event::Tick);
    assert_eq!(candidate.asked, [secs(1.0), next]);
}
