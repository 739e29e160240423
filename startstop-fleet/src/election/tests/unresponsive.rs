//! A service that was aborted and does not end: what it holds runs out.

use super::{Hand, free, held, release, renew, secs};
use crate::election::{Action, Call, Event, StopCause};

/// One whose service is given up on at 3 s, while it winds down since 1.5 s.
fn given_up(told: Event) -> Hand {
    let mut hand = Hand::leading();
    hand.step(1.5, told);
    hand.tick(2.0);
    hand.assert_call(&renew("me", 7, 2));
    hand.answer(2.1, Ok(held("me", 7, 3)));
    hand.step(3.0, Event::Unresponsive);
    assert_eq!(hand.actions, []);
    hand
}

#[test]
fn what_a_service_holds_that_does_not_end_is_not_renewed() {
    for told in [Event::Stop, Event::Resign] {
        let mut hand = given_up(told);
        assert_eq!(hand.election.wake_at(), Some(secs(16.25)));
        hand.tick(4.0);
        assert_eq!(hand.actions, []);
        hand.tick(16.25);
        assert_eq!(hand.actions, [Action::Overrun]);
    }
}

#[test]
fn a_renewal_that_was_on_its_way_extends_nothing() {
    let mut hand = Hand::leading();
    hand.step(1.5, Event::Resign);
    hand.tick(2.0);
    hand.step(2.1, Event::Unresponsive);
    hand.answer(2.2, Ok(held("me", 7, 3)));
    assert_eq!(hand.actions, []);
    assert_eq!(hand.election.wake_at(), Some(secs(14.25)));
}

#[test]
fn a_service_that_ends_after_all_gives_its_lease_back() {
    let mut hand = given_up(Event::Resign);
    hand.step(5.0, Event::Ended);
    hand.assert_call(&release(3));
    hand.answer(5.1, Ok(free(4)));
    hand.assert_call(&Call::Read);

    let mut hand = given_up(Event::Stop);
    hand.step(5.0, Event::Ended);
    hand.assert_call(&release(3));
    hand.answer(5.1, Ok(free(4)));
    assert!(hand.election.is_finished());
}

#[test]
fn a_service_that_is_given_up_on_by_itself_ends_the_election_when_it_has_ended() {
    let mut hand = Hand::leading();
    hand.step(1.5, Event::Unresponsive);
    hand.assert_stop(StopCause::Unresponsive, 14.25);
    assert_eq!(hand.election.wake_at(), Some(secs(14.25)));
    hand.step(3.0, Event::Ended);
    hand.assert_call(&release(2));
    hand.answer(3.1, Ok(free(3)));
    assert!(hand.election.is_finished());
}
