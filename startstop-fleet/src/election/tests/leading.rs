//! A leader renews, is told to stop, and gives back.

use super::{Hand, free, held, release, renew, secs, take};
use crate::election::{Action, Call, CallError, Event, StopCause};
use crate::record::{Record, Version};

#[test]
fn a_renewal_is_sent_each_retry_and_extends_the_term_from_its_request() {
    let mut hand = Hand::leading();
    assert_eq!(hand.election.wake_at(), Some(secs(2.0)));
    hand.tick(2.0);
    hand.assert_call(&renew("me", 7, 2));
    hand.answer(3.0, Ok(held("me", 7, 3)));
    assert_eq!(
        hand.actions,
        [Action::Extend {
            valid_until: secs(16.25)
        }]
    );
    assert_eq!(hand.election.wake_at(), Some(secs(4.0)));
}

#[test]
fn a_renewal_whose_answer_was_lost_is_no_loss() {
    let mut hand = Hand::leading();
    hand.tick(2.0);
    hand.tick(3.5); // its limit
    hand.tick(4.0);
    hand.assert_call(&renew("me", 7, 2));
    hand.answer(4.1, Err(CallError::Conflict));
    hand.assert_call(&Call::Read);
    hand.answer(4.2, Ok(held("me", 7, 3)));
    hand.assert_call(&renew("me", 7, 3));
    hand.answer(4.3, Ok(held("me", 7, 4)));
    assert_eq!(
        hand.actions,
        [Action::Extend {
            valid_until: secs(4.2 + 14.25)
        }]
    );
}

#[test]
fn a_record_that_was_deleted_by_hand_is_noticed_by_the_next_renewal() {
    let mut hand = Hand::leading();
    hand.tick(2.0);
    hand.answer(2.1, Err(CallError::Conflict));
    hand.answer(2.2, Ok(Record::free(Version::absent())));
    hand.assert_stop(StopCause::Taken, 14.25);
    assert_eq!(hand.call(), None); // what is lost is not renewed
    hand.step(3.0, Event::Ended);
    hand.assert_call(&Call::Read); // and there is nothing to give back
}

#[test]
fn a_conflict_while_it_winds_down_is_told_too() {
    let mut hand = Hand::leading();
    hand.step(1.5, Event::Stop);
    hand.assert_stop(StopCause::Stop, 14.25);
    hand.tick(2.0);
    hand.answer(2.1, Err(CallError::Conflict));
    hand.answer(2.2, Ok(held("other", 8, 9)));
    hand.assert_stop(StopCause::Taken, 14.25);
    hand.step(3.0, Event::Ended);
    assert!(hand.election.is_finished());
    assert_eq!(hand.actions, []);
}

#[test]
fn what_somebody_else_writes_into_the_record_is_neither_a_loss_nor_undone() {
    let mut hand = Hand::leading();
    hand.tick(2.0);
    hand.answer(2.1, Err(CallError::Conflict));
    hand.answer(2.2, Ok(held("me", 7, 50)));
    hand.assert_call(&renew("me", 7, 50));
}

#[test]
fn a_conflict_that_the_look_does_not_explain_is_not_met_again_at_once() {
    let mut hand = Hand::leading();
    hand.tick(2.0);
    hand.answer(2.1, Err(CallError::Conflict));
    hand.answer(2.2, Ok(held("me", 7, 2)));
    assert_eq!(hand.call(), None);
    hand.tick(4.2);
    hand.assert_call(&renew("me", 7, 2));
    hand.answer(4.3, Err(CallError::Conflict));
    hand.answer(4.4, Ok(held("me", 7, 2)));
    hand.tick(7.0);
    hand.assert_stop(StopCause::OutOfTouch, 14.25);
}

#[test]
fn our_name_with_another_fence_is_not_our_term() {
    let mut hand = Hand::leading();
    hand.tick(2.0);
    hand.answer(2.1, Err(CallError::Conflict));
    hand.answer(2.2, Ok(held("me", 8, 50)));
    hand.assert_stop(StopCause::Taken, 14.25);
}

#[test]
fn a_store_that_is_away_stops_the_service_at_renew_by() {
    let mut hand = Hand::leading();
    for sent in [2.0, 4.0, 6.0] {
        hand.tick(sent);
        hand.assert_call(&renew("me", 7, 2));
        hand.answer(sent + 0.1, Err(CallError::Unknown));
        assert_eq!(hand.actions, []);
    }
    assert_eq!(hand.election.wake_at(), Some(secs(7.0)));
    hand.tick(7.0);
    hand.assert_stop(StopCause::OutOfTouch, 14.25);
    assert_eq!(hand.election.wake_at(), Some(secs(14.25)));
    hand.step(9.0, Event::Ended);
    hand.assert_call(&release(2));
    hand.answer(9.1, Err(CallError::Unknown));
    hand.assert_call(&Call::Read); // it follows again
}

#[test]
fn a_service_that_outlives_its_term_ends_the_process() {
    let mut hand = Hand::leading();
    hand.tick(7.0);
    hand.tick(14.25);
    assert_eq!(hand.actions, [Action::Overrun]);
    assert_eq!(hand.election.wake_at(), None);
    hand.tick(20.0);
    assert_eq!(hand.actions, []);
}

#[test]
fn a_freeze_beyond_the_lease_is_seen_before_anything_else() {
    let mut hand = Hand::leading();
    hand.tick(2.0);
    hand.answer(60.0, Ok(held("me", 7, 3))); // the answer has waited in the socket
    hand.assert_stop(StopCause::Expired, 14.25);
    assert_eq!(hand.actions[1..], [Action::Overrun]);
}

#[test]
fn a_leader_that_stops_renews_until_its_service_has_ended_and_then_releases() {
    let mut hand = Hand::leading();
    hand.step(1.5, Event::Stop);
    hand.assert_stop(StopCause::Stop, 14.25);
    hand.tick(2.0);
    hand.assert_call(&renew("me", 7, 2));
    hand.answer(2.1, Ok(held("me", 7, 3)));
    hand.step(3.0, Event::Ended);
    hand.assert_call(&release(3));
    hand.answer(3.1, Ok(free(4)));
    assert!(hand.election.is_finished());
    assert_eq!(hand.election.wake_at(), None);
}

#[test]
fn a_release_that_meets_our_own_lost_renewal_is_made_again() {
    let mut hand = Hand::leading();
    hand.step(1.5, Event::Stop);
    hand.tick(2.0);
    hand.step(2.1, Event::Ended); // while the renewal is on its way
    hand.assert_call(&release(2));
    hand.answer(2.2, Err(CallError::Conflict));
    hand.assert_call(&Call::Read);
    hand.answer(2.3, Ok(held("me", 7, 3)));
    hand.assert_call(&release(3));
    hand.answer(2.4, Err(CallError::Conflict));
    assert!(hand.election.is_finished()); // it runs out
}

#[test]
fn a_release_that_nobody_answers_is_left_to_run_out() {
    let mut hand = Hand::leading();
    hand.step(1.5, Event::Stop);
    hand.step(1.6, Event::Ended);
    hand.tick(3.1);
    assert!(hand.election.is_finished());
}

#[test]
fn a_service_that_ends_by_itself_ends_the_election() {
    let mut hand = Hand::leading();
    hand.step(1.5, Event::Ended);
    hand.assert_call(&release(2));
    hand.answer(1.6, Ok(free(3)));
    assert!(hand.election.is_finished());
}

#[test]
fn who_resigns_lets_others_go_first() {
    let mut hand = Hand::leading();
    hand.step(2.0, Event::Resign);
    hand.assert_stop(StopCause::Resign, 14.25);
    hand.step(3.0, Event::Ended);
    hand.answer(3.1, Ok(free(5)));
    hand.assert_call(&Call::Read);
    hand.answer(3.2, Ok(free(5)));
    assert_eq!(hand.call(), None);
    hand.step(5.0, Event::Changed(Some(held("other", 8, 6))));
    hand.step(6.0, Event::Changed(Some(free(7)))); // somebody else has led
    hand.assert_call(&take(7));
}

#[test]
fn who_resigns_while_its_service_stops_for_a_lost_lease_lets_others_go_first_too() {
    let mut hand = Hand::leading();
    hand.tick(7.0);
    hand.assert_stop(StopCause::OutOfTouch, 14.25);
    hand.step(8.0, Event::Resign);
    hand.step(9.0, Event::Ended);
    hand.answer(9.1, Ok(free(3)));
    hand.answer(9.2, Ok(free(3)));
    assert_eq!(hand.call(), None);
    hand.tick(23.0);
    hand.assert_call(&take(3));
}

#[test]
fn who_resigns_leads_again_when_nobody_else_does_for_a_lease() {
    let mut hand = Hand::leading();
    hand.step(2.0, Event::Resign);
    hand.step(3.0, Event::Ended);
    hand.answer(3.1, Ok(free(5)));
    hand.answer(3.2, Ok(free(5)));
    hand.tick(18.0);
    hand.assert_call(&take(5));
}
