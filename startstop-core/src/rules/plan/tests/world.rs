//! A board with the members that it is told of: what each does is a move, and what the board says follows at once.

use crate::rules::graph::{Edges, Id};
use crate::rules::plan::node::{Fate, Want};
use crate::rules::plan::{Action, Board, Closing, Policy, Rest};

/// What a member does, as itself sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Does {
    Nothing,
    Starts,
    Runs,
    Stops,
    /// It was given up on.
    Blocks,
}

/// What can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Move {
    Ready(Id),
    NotReady(Id),
    /// Its own policy restarts it.
    Retry(Id),
    End(Id, Rest, Limit),
    /// One that was given up on has ended.
    ReallyEnd(Id),
    /// Its handle starts it.
    StartByHand(Id),
    BackoffOver,
    Remove(Id),
    Drain,
    Close,
}

/// Whether the limit allows a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Limit {
    Allows,
    Forbids,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct World {
    pub(super) board: Board,
    pub(super) does: Vec<Does>,
    /// Their handles have started them, so that nothing is promised of what they depend on.
    by_hand: Vec<bool>,
    /// It has failed for want of what it depends on: a round of the group's task has to end before the next.
    rounds: u8,
}

impl World {
    pub(super) fn new(members: Vec<(Edges, Policy)>) -> Self {
        let mut board = Board::default();
        let size = members.len();
        for (edges, policy) in members {
            board.add(edges, policy);
        }
        board.open();
        let does = vec![Does::Nothing; size];
        let mut world = Self { board, does, by_hand: vec![false; size], rounds: 0 };
        world.carry_out();
        world
    }

    fn ids(&self) -> impl Iterator<Item = Id> + use<> {
        (0..self.does.len()).map(Id)
    }

    /// All that can happen now.
    pub(super) fn moves(&self) -> Vec<Move> {
        let mut moves = vec![Move::Drain, Move::Close];
        if self.board.pausing {
            moves.push(Move::BackoffOver);
        }
        for id in self.ids().filter(|id| self.board.look_up(*id).is_some()) {
            self.moves_of(id, &mut moves);
            if self.board.dependents(id).is_empty() && !self.board.is_stopping() {
                moves.push(Move::Remove(id));
            }
        }
        moves
    }

    fn moves_of(&self, id: Id, moves: &mut Vec<Move>) {
        let mut end = |rest, limit| moves.push(Move::End(id, rest, limit));
        match self.does[id.0] {
            Does::Nothing => moves.push(Move::StartByHand(id)),
            Does::Blocks => moves.push(Move::ReallyEnd(id)),
            Does::Stops => {
                end(Rest::Told, Limit::Allows);
                end(Rest::Stuck, Limit::Allows);
                end(Rest::Completed, Limit::Allows);
                end(Rest::Failed, Limit::Allows);
            }
            Does::Starts | Does::Runs => {
                for rest in [Rest::Failed, Rest::Stuck] {
                    end(rest, Limit::Allows);
                    end(rest, Limit::Forbids);
                }
                end(Rest::Told, Limit::Allows);
                end(Rest::Own, Limit::Allows);
                if self.does[id.0] == Does::Runs {
                    end(Rest::Completed, Limit::Allows);
                    moves.push(Move::Retry(id));
                    moves.push(Move::NotReady(id));
                }
                moves.push(Move::Ready(id));
            }
        }
    }

    /// Makes a move, and what follows from it.
    pub(super) fn make(&mut self, what: Move) {
        match what {
            Move::Ready(id) => {
                self.does[id.0] = Does::Runs;
                self.board.set_ready(id, true);
                self.board.comes_up(id);
            }
            Move::NotReady(id) => self.board.set_ready(id, false),
            Move::Retry(id) => {
                self.does[id.0] = Does::Starts;
                self.board.set_ready(id, false);
                self.board.rises(id);
            }
            Move::End(id, rest, limit) => {
                self.does[id.0] = if rest == Rest::Stuck { Does::Blocks } else { Does::Nothing };
                self.board.rests(id, rest, || limit == Limit::Allows);
            }
            Move::ReallyEnd(id) => {
                self.does[id.0] = Does::Nothing;
                self.board.ends(id);
            }
            Move::StartByHand(id) => {
                (self.does[id.0], self.by_hand[id.0]) = (Does::Starts, true);
                self.board.rises(id);
            }
            Move::BackoffOver => self.board.backoff_over(),
            Move::Remove(id) => self.board.remove(id),
            Move::Drain => self.board.drain(),
            Move::Close => self.board.close(Closing::Told),
        }
        self.rounds = 0;
        self.carry_out();
    }

    fn carry_out(&mut self) {
        loop {
            self.board.trim();
            let actions = self.board.take_actions();
            if actions.is_empty() {
                return;
            }
            for action in actions {
                self.act(action);
            }
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Start(id) | Action::Restart(id) => self.start(id),
            Action::Stop(id) => {
                assert!(matches!(self.does[id.0], Does::Starts | Does::Runs), "{id:?} is stopped");
                let place = self.board.place(id);
                let running = |other: &&Id| {
                    let other = self.board.place(**other);
                    other.want == Want::Down && other.fate.is_alive()
                };
                assert_eq!(place.dependents.iter().find(running), None, "{id:?} is stopped");
                self.does[id.0] = Does::Stops;
            }
            Action::FailDependency { member, .. } if self.board.is_failing(member) => {
                // A limit ends what would go on for ever.
                self.rounds += 1;
                let allowed = self.rounds < 3;
                self.board.rests(member, Rest::Failed, || allowed);
            }
            Action::Removed(id) if self.board.is_leaving(id) && !self.board.is_alive(id) => {
                self.board.delete(id);
            }
            // Something has changed since.
            Action::FailDependency { .. } | Action::Removed(_) => {}
        }
    }

    fn start(&mut self, id: Id) {
        assert_eq!(self.does[id.0], Does::Nothing, "{id:?} is started");
        assert!(!self.board.is_stopping(), "invariant 3: {id:?} is started");
        let place = self.board.place(id);
        let good = |dep: &Id| self.board.place(*dep).good;
        assert!(place.deps.iter().all(good), "invariant 1: {id:?} is started");
        let up = |dep: &Id| matches!(self.board.place(*dep).fate, Fate::Up | Fate::Completed);
        assert!(place.bound.iter().all(up), "{id:?} is started before what it is bound to");
        (self.does[id.0], self.by_hand[id.0]) = (Does::Starts, false);
    }

    /// What holds whenever nothing follows.
    pub(super) fn check(&self) {
        self.check_numbers();
        self.check_restart();
        for id in self.ids().filter(|id| self.board.look_up(*id).is_some()) {
            self.check_one(id);
        }
        let moves = |does: &Does| matches!(does, Does::Starts | Does::Stops | Does::Blocks);
        if !self.does.iter().any(moves) && !self.board.pausing {
            self.check_rest();
        }
    }

    fn check_numbers(&self) {
        let mut fresh = self.board.clone();
        fresh.count_all();
        assert_eq!(self.board.counts, fresh.counts);
        assert_eq!(self.board.unsettled, fresh.unsettled);
        for place in self.board.places.iter().flatten() {
            let unready = place.deps.iter().filter(|dep| !self.board.place(**dep).good).count();
            assert_eq!(place.unready, unready, "invariant 1");
            let blocks = |other: &&Id| self.board.place(**other).blocks;
            assert_eq!(
                place.blockers,
                place.dependents.iter().filter(blocks).count(),
                "invariant 2"
            );
        }
    }

    fn check_restart(&self) {
        let alive = |id: &&Id| self.board.is_alive(**id);
        let falling = self.board.restarting.iter().filter(alive).count();
        assert_eq!(self.board.falling, falling);
        for place in self.board.places.iter().flatten() {
            assert!(!(place.restarts && place.rebinds), "{place:?}");
        }
    }

    fn check_one(&self, id: Id) {
        let place = self.board.place(id);
        let alive = matches!(self.does[id.0], Does::Starts | Does::Runs | Does::Stops);
        assert_eq!(place.fate.is_alive(), alive, "{id:?}: {place:?}");
        assert_eq!(place.stuck, self.does[id.0] == Does::Blocks, "{id:?}: {place:?}");
        // One that has completed is not down; nor is it when its handle starts it again.
        let firm = |dep: &Id| {
            let up = matches!(self.board.place(*dep).fate, Fate::Up | Fate::Completed);
            up || self.by_hand[dep.0]
        };
        let stays = place.want == Want::Up && alive;
        if stays && !self.by_hand[id.0] && !self.board.is_stopping() {
            assert!(place.bound.iter().all(firm), "{id:?} runs without what it is bound to");
        }
    }

    /// Nobody is on the way: what is to start yet waits for a handle, and what closes is closed.
    fn check_rest(&self) {
        if self.board.closing().is_some() {
            assert!(self.board.is_finished());
        } else if !self.board.draining {
            let pending = |place: &&crate::rules::plan::node::Place| place.is_pending();
            assert_eq!(
                self.board.places.iter().flatten().find(pending).map(|_| ()),
                None,
                "{self:?}"
            );
        }
    }
}
