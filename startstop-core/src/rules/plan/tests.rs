//! The rules of groups: by example, and in every state that small groups can reach.

mod walk;
mod world;

use crate::rules::graph::{Edges, Id};
use crate::rules::plan::{Action, Board, Policy, Rest};
use crate::settings::member_policy::OnFailure;

fn add(board: &mut Board, deps: &[Id], on_failure: OnFailure) -> Id {
    board.add(Edges::to(deps), Policy { on_failure, ..Policy::default() })
}

/// Members of an open board that are up, with what they depend on.
fn up<const N: usize>(members: [(&[Id], OnFailure); N]) -> (Board, [Id; N]) {
    let mut board = Board::default();
    let ids = members.map(|(deps, on_failure)| add(&mut board, deps, on_failure));
    board.open();
    for id in ids {
        board.take_actions();
        board.comes_up(id);
    }
    assert!(board.take_actions().is_empty() && board.has_started());
    (board, ids)
}

#[test]
fn a_place_is_used_again_only_when_no_order_can_be_about_it() {
    let mut board = Board::default();
    board.open();
    let first = add(&mut board, &[], OnFailure::default());
    board.delete(first);
    let second = add(&mut board, &[], OnFailure::default());
    assert_ne!(second, first);
    board.delete(second);
    board.trim();
    assert_eq!(add(&mut board, &[], OnFailure::default()), first);
}

#[test]
fn who_has_completed_and_was_taken_off_does_not_count() {
    let (mut board, [job]) = up([(&[], OnFailure::default())]);
    board.rests(job, Rest::Completed, || true);
    assert!(board.is_finished());
    board.delete(job);
    assert!(!board.is_finished());
}

#[test]
fn what_is_behind_a_barrier_does_not_wait_for_who_was_taken_off() {
    let mut board = Board::default();
    let first = add(&mut board, &[], OnFailure::default());
    let barrier = board.add_barrier();
    let last = add(&mut board, &[], OnFailure::default());
    board.connect(vec![Edges::default(), Edges::to(&[first]), Edges::to(&[barrier])]);
    board.open();
    assert_eq!(board.take_actions(), [Action::Start(first)]);
    board.remove(first);
    assert_eq!(board.take_actions(), [Action::Stop(first)]);
    board.rests(first, Rest::Told, || true);
    assert_eq!(board.take_actions(), [Action::Removed(first)]);
    board.delete(first);
    assert_eq!(board.take_actions(), [Action::Start(last)]);
}

#[test]
fn what_does_not_yield_is_restarted_when_it_has_ended() {
    let (mut board, [stuck]) = up([(&[], OnFailure::RestartMember)]);
    board.rests(stuck, Rest::Stuck, || true);
    board.backoff_over();
    assert_eq!(board.take_actions(), []);
    board.ends(stuck);
    assert_eq!(board.take_actions(), [Action::Restart(stuck)]);
}

#[test]
fn a_failure_during_a_restart_merges_into_it() {
    let (mut board, [first, second, third]) = up([
        (&[], OnFailure::RestartDependents),
        (&[Id(0)], OnFailure::default()),
        (&[], OnFailure::RestartAll),
    ]);
    board.rests(first, Rest::Failed, || true);
    assert_eq!(board.take_actions(), [Action::Stop(second)]);
    board.rests(third, Rest::Failed, || false);
    assert_eq!(board.take_actions(), []);
    board.rests(second, Rest::Told, || true);
    assert_eq!(board.take_actions(), []);
    board.backoff_over();
    assert_eq!(board.take_actions(), [Action::Restart(first), Action::Restart(third)]);
}
