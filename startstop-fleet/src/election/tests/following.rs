//! A follower looks, waits and takes.

use std::time::Duration;

use super::{Hand, free, held, release, secs, take};
use crate::election::{Action, Call, CallError, CallId, Election, Event};
use crate::record::{Record, Version};
use crate::timing::Timing;

#[test]
fn a_take_whose_answer_was_lost_is_made_again_at_once() {
    let mut hand = Hand::new();
    hand.answer(0.0, Ok(free(1)));
    hand.assert_call(&take(1));
    hand.tick(1.5);
    hand.tick(2.0);
    hand.assert_call(&Call::Read);
    hand.answer(2.1, Ok(held("me", 7, 2)));
    hand.assert_call(&take(2));
    hand.answer(2.2, Ok(held("me", 8, 3)));
    assert!(matches!(hand.actions[..], [Action::Lead { fence: 8, .. }]));
}

#[test]
fn a_replica_that_leaves_while_it_takes_gives_back_what_it_got() {
    let mut hand = Hand::new();
    hand.answer(0.0, Ok(free(1)));
    hand.step(0.5, Event::Stop);
    assert!(!hand.election.is_finished());
    hand.answer(1.0, Ok(held("me", 7, 2)));
    hand.assert_call(&release(2));
    hand.answer(1.1, Ok(free(3)));
    assert!(hand.election.is_finished());
}

#[test]
fn a_follower_leaves_at_once() {
    let mut hand = Hand::new();
    hand.step(0.1, Event::Stop);
    assert!(hand.election.is_finished());
}

#[test]
fn a_foreign_lease_is_over_a_whole_lease_after_the_answer_that_showed_it() {
    let mut hand = Hand::new();
    hand.answer(1.0, Ok(held("other", 3, 5)));
    for look in [2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0] {
        hand.tick(look);
        hand.assert_call(&Call::Read);
        hand.answer(look + 0.1, Ok(held("other", 3, 5)));
    }
    hand.tick(16.0);
    hand.assert_call(&take(5));
}

#[test]
fn a_foreign_lease_that_was_renewed_counts_anew() {
    let mut hand = Hand::new();
    hand.answer(0.0, Ok(held("other", 3, 5)));
    hand.step(14.0, Event::Changed(Some(held("other", 3, 6))));
    hand.tick(16.0);
    assert_ne!(hand.call(), Some(&take(6)));
    hand.tick(29.0);
    hand.assert_call(&take(6));
}

#[test]
fn a_foreign_record_that_does_not_say_how_long_it_lasts_is_over_after_our_own_lease() {
    let mut hand = Hand::new();
    let by_hand = || held("ops", 0, 5).lasting(secs(0.0));
    hand.answer(1.0, Ok(by_hand()));
    hand.tick(15.9);
    hand.assert_call(&Call::Read);
    hand.answer(15.95, Ok(by_hand()));
    hand.tick(16.0);
    hand.assert_call(&take(5));
}

#[test]
fn a_lease_that_the_store_ends_is_never_over_by_our_clock() {
    let mut hand = Hand::new();
    hand.answer(0.0, Ok(Record::held("other", 3, Version::from(5))));
    for minute in 1..60 {
        hand.tick(f64::from(minute) * 60.0);
        hand.assert_call(&Call::Read);
        let record = Record::held("other", 3, Version::from(5));
        hand.answer(f64::from(minute) * 60.0, Ok(record));
    }
}

#[test]
fn an_answer_after_the_limit_is_nobodys() {
    let mut hand = Hand::new();
    hand.answer(0.0, Ok(free(1)));
    hand.answer(1.5, Ok(held("me", 7, 2)));
    assert!(hand.election.is_following());
    assert_eq!(hand.actions, []);
}

#[test]
fn a_lost_take_is_followed_by_a_look_at_once() {
    let mut hand = Hand::new();
    hand.answer(0.0, Ok(free(1)));
    hand.answer(0.1, Err(CallError::Conflict));
    hand.assert_call(&Call::Read);
}

#[test]
fn a_change_while_a_read_is_on_its_way_is_looked_at_again() {
    let mut hand = Hand::new();
    hand.step(0.5, Event::Changed(None));
    hand.answer(0.6, Ok(held("other", 3, 5)));
    hand.assert_call(&Call::Read);
}

#[test]
fn a_store_that_is_away_is_asked_once_a_retry_at_first() {
    let mut hand = Hand::new();
    let mut calls = 0;
    let mut now = 0.0;
    while now < 32.0 {
        hand.answer(now, Err(CallError::Unknown));
        now = hand
            .election
            .wake_at()
            .map_or(f64::MAX, |at| at.as_secs_f64())
            + 1e-6;
        hand.tick(now);
        hand.assert_call(&Call::Read);
        calls += 1;
    }
    assert!((16..=22).contains(&calls), "{calls}");
}

#[test]
fn a_take_that_meets_a_conflict_is_followed_by_a_look() {
    let mut hand = Hand::new();
    hand.answer(0.0, Ok(held("other", 3, 5)));
    hand.step(20.0, Event::Tick); // frozen since, and renewed meanwhile
    hand.assert_call(&take(5));
    hand.answer(20.1, Err(CallError::Conflict));
    hand.assert_call(&Call::Read);
    hand.answer(20.2, Ok(held("other", 3, 9)));
    hand.tick(20.3);
    assert_ne!(hand.call(), Some(&take(9)), "it counts anew");
}

#[test]
fn a_take_whose_conflict_the_look_does_not_explain_is_not_made_again_at_once() {
    let mut hand = Hand::new();
    hand.answer(0.0, Ok(free(1)));
    hand.assert_call(&take(1));
    hand.answer(0.1, Err(CallError::Conflict));
    hand.assert_call(&Call::Read);
    hand.answer(0.2, Ok(free(1)));
    assert_eq!(hand.actions, []);
    hand.tick(2.2);
    hand.assert_call(&take(1));
    hand.answer(2.3, Err(CallError::Conflict));
    hand.answer(2.4, Ok(free(3))); // somebody was faster, and has given it back
    hand.assert_call(&take(3));
}

#[test]
fn a_read_that_meets_a_conflict_is_made_again_later() {
    let mut hand = Hand::new();
    hand.answer(0.1, Err(CallError::Conflict));
    assert_eq!(hand.actions, []);
    assert!(hand.election.wake_at() >= Some(secs(1.5)));

    let mut hand = Hand::leading();
    hand.step(1.5, Event::Stop);
    hand.step(1.6, Event::Ended);
    hand.answer(1.7, Err(CallError::Conflict));
    hand.assert_call(&Call::Read);
    hand.answer(1.8, Err(CallError::Conflict));
    assert!(hand.election.is_finished());
}

#[test]
fn no_timing_makes_an_election_panic() {
    let max = Duration::MAX;
    for (lease, skew) in [(max, 0.05), (max, f64::NAN), (Duration::ZERO, -1.0)] {
        let timing = Timing {
            lease,
            renew_by: lease,
            retry: lease,
            skew,
        };
        let mut election = Election::new("me", timing).notified();
        let mut actions = election.step(secs(1e9), Event::Tick);
        for at in 0..8 {
            let result = match actions.last() {
                Some(Action::Call {
                    call: Call::Read, ..
                }) => Ok(free(at)),
                Some(Action::Call { .. }) => Ok(held("me", 7, at)),
                _ => Err(CallError::Unknown),
            };
            let call = CallId(election.calls);
            actions = election.step(secs(1e9), Event::Answered { call, result });
            election.wake_at();
            election.step(
                secs(1e9),
                [Event::Tick, Event::Resign][usize::from(at > 4)].clone(),
            );
        }
        election.step(secs(1e9), Event::Stop);
        election.step(secs(1e9), Event::Ended);
    }
}
