//! A plan with the members that it is told of: what each does is a move, and what the plan says follows at once.

mod checks;

use crate::rules::graph::{Edges, Id};
use crate::rules::plan::node::{MemberState, NodeKind, PlanNode, Target};
use crate::rules::plan::{Action, Closing, GroupPlan, MemberEnd, PlanStage, Policy};

/// The deeds of a member, as itself sees them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Does {
    Nothing,
    Starts,
    Runs,
    Stops,
    /// It was given up on.
    Blocks,
}

/// A move of the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Move {
    Ready(Id),
    NotReady(Id),
    /// Its own policy restarts it.
    Retry(Id),
    End(Id, MemberEnd, Limit),
    /// One that was given up on has ended.
    ReallyEnd(Id),
    /// Its handle starts it.
    StartByHand(Id),
    /// It has ended, and its handle has started it anew before anybody looked.
    StartAgain(Id),
    /// It was at rest, or on its way there, when the group told it to stop.
    Unasked(Id),
    /// It has had its time to stop.
    Late(Id),
    /// A member is inserted.
    Insert,
    BackoffOver,
    Remove(Id),
    Drain,
    Close,
}

/// The moves that a world knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Range {
    /// Those that every group sees.
    Common,
    /// Also those of a member that stops: it is late, or was at rest before.
    All,
}

/// The answer of the limit to a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Limit {
    Allows,
    Forbids,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct World {
    pub(super) plan: GroupPlan,
    pub(super) does: Vec<Does>,
    /// Their handles have started them, so that nothing is promised of what they depend on.
    by_hand: Vec<bool>,
    /// They have had their time to stop, so that nothing waits for them.
    late: Vec<bool>,
    /// It has failed for want of what it depends on: a round of the group's task has to end before the next.
    rounds: u8,
    range: Range,
    /// A member that may be inserted while the group runs: its edges are those to members that are there by then.
    newcomer: Option<(Edges, Policy)>,
}

impl World {
    pub(super) fn new(members: Vec<(Edges, Policy)>) -> Self {
        let mut world = Self::with(members, &[], None);
        world.range = Range::Common;
        world
    }

    /// Makes a world of all moves, in which the nodes `barriers` have no member.
    pub(super) fn with(
        members: Vec<(Edges, Policy)>,
        barriers: &[Id],
        newcomer: Option<(Edges, Policy)>,
    ) -> Self {
        let mut plan = GroupPlan::default();
        let size = members.len();
        for (edges, policy) in members {
            let id = plan.add(edges, policy);
            if barriers.contains(&id) {
                plan.node_mut(id).kind = NodeKind::Barrier;
            }
        }
        plan.open();
        let does = vec![Does::Nothing; size];
        let mut world = Self {
            plan,
            does,
            by_hand: vec![false; size],
            late: vec![false; size],
            rounds: 0,
            range: Range::All,
            newcomer,
        };
        world.run_actions(&mut |_| ());
        world
    }

    /// Returns the members that are there.
    fn ids(&self) -> impl Iterator<Item = Id> {
        let is_member = |id: &Id| {
            self.plan
                .look_up(*id)
                .is_some_and(|node| !node.kind.is_barrier())
        };
        (0..self.does.len()).map(Id).filter(is_member)
    }

    /// Returns all that can happen now.
    pub(super) fn moves(&self) -> Vec<Move> {
        let mut moves = vec![Move::Drain, Move::Close];
        if self.plan.pausing {
            moves.push(Move::BackoffOver);
        }
        if self.newcomer.is_some() && !self.plan.is_stopping() {
            moves.push(Move::Insert);
        }
        for id in self.ids() {
            self.moves_of(id, &mut moves);
            if self.plan.dependents(id).is_empty() && !self.plan.is_stopping() {
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
                end(MemberEnd::Told, Limit::Allows);
                end(MemberEnd::Stuck, Limit::Allows);
                end(MemberEnd::Completed, Limit::Allows);
                end(MemberEnd::Failed, Limit::Allows);
                moves.push(Move::StartAgain(id));
                if self.range == Range::All {
                    moves.extend([Move::Unasked(id), Move::Late(id)]);
                }
            }
            Does::Starts | Does::Runs => {
                for rest in [MemberEnd::Failed, MemberEnd::Stuck] {
                    end(rest, Limit::Allows);
                    end(rest, Limit::Forbids);
                }
                end(MemberEnd::Told, Limit::Allows);
                end(MemberEnd::Own, Limit::Allows);
                if self.does[id.0] == Does::Runs {
                    end(MemberEnd::Completed, Limit::Allows);
                    moves.push(Move::Retry(id));
                    moves.push(Move::NotReady(id));
                }
                moves.push(Move::Ready(id));
            }
        }
    }

    /// Makes a move, and what follows from it.
    pub(super) fn make(&mut self, what: Move) {
        self.make_in_sight(what, &mut |_| ());
    }

    /// Does the same, and shows the world before each action that follows.
    pub(super) fn make_in_sight(&mut self, what: Move, sees: &mut dyn FnMut(&Self)) {
        match what {
            Move::Ready(id) => {
                self.does[id.0] = Does::Runs;
                self.plan.says_ready(id);
                self.plan.on_ready(id);
            }
            Move::NotReady(id) => self.plan.says_not_ready(id),
            Move::Retry(id) => {
                self.does[id.0] = Does::Starts;
                self.plan.says_not_ready(id);
                self.plan.on_starting(id);
            }
            Move::End(id, rest, limit) => {
                self.does[id.0] = if rest == MemberEnd::Stuck {
                    Does::Blocks
                } else {
                    Does::Nothing
                };
                self.late[id.0] = false;
                self.plan.on_ended(id, rest, || limit == Limit::Allows);
            }
            Move::ReallyEnd(id) => {
                self.does[id.0] = Does::Nothing;
                self.plan.ends(id);
            }
            Move::StartByHand(id) => {
                (self.does[id.0], self.by_hand[id.0]) = (Does::Starts, true);
                self.plan.on_starting(id);
            }
            Move::StartAgain(id) => {
                (self.does[id.0], self.by_hand[id.0]) = (Does::Starts, true);
                self.late[id.0] = false;
                self.plan.on_restarted(id);
                self.plan.on_starting(id);
            }
            Move::Late(id) => {
                self.late[id.0] = true;
                self.plan.is_late(id);
            }
            Move::Unasked(id) => self.plan.on_ending_unasked(id),
            Move::Insert => self.insert(),
            Move::BackoffOver => self.plan.backoff_over(),
            Move::Remove(id) => self.plan.remove(id),
            Move::Drain => self.plan.drain(),
            Move::Close => self.plan.close(Closing::Told),
        }
        self.rounds = 0;
        self.run_actions(sees);
    }

    fn insert(&mut self) {
        let Some((mut edges, policy)) = self.newcomer.take() else {
            return;
        };
        let is_there = |id: &Id| self.plan.can_be_depended_on(*id);
        edges.deps.retain(is_there);
        edges.bound.retain(is_there);
        let id = self.plan.add(edges, policy);
        if id.0 == self.does.len() {
            self.does.push(Does::Nothing);
            self.by_hand.push(false);
            self.late.push(false);
        }
        (self.does[id.0], self.by_hand[id.0]) = (Does::Nothing, false);
    }

    fn run_actions(&mut self, sees: &mut dyn FnMut(&Self)) {
        loop {
            self.plan.trim();
            let actions = self.plan.take_actions();
            if actions.is_empty() {
                return;
            }
            for action in actions {
                sees(self);
                self.act(action);
            }
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Start(id) | Action::Restart(id) => self.start(id),
            Action::Stop(id) => {
                assert!(
                    matches!(self.does[id.0], Does::Starts | Does::Runs),
                    "{id:?} is stopped"
                );
                let node = self.plan.node(id);
                let running = |at: &&Id| {
                    let other = self.plan.node(**at);
                    other.target == Target::Down && other.state.is_alive() && !self.late[at.0]
                };
                let draining = self.plan.is_stopping() && self.plan.closing().is_none();
                let at_once = draining && self.does[id.0] == Does::Starts;
                let above = node.dependents.iter().find(running);
                assert!(
                    at_once || above.is_none(),
                    "{id:?} is stopped before {above:?}"
                );
                self.does[id.0] = Does::Stops;
            }
            Action::FailDependency { member, .. } if self.plan.is_failing(member) => {
                // A limit ends what would go on for ever.
                self.rounds += 1;
                let allowed = self.rounds < 3;
                self.plan.on_ended(member, MemberEnd::Failed, || allowed);
            }
            Action::Removed(id) if self.plan.is_leaving(id) && !self.plan.is_alive(id) => {
                self.plan.delete(id);
            }
            // Something has changed since.
            Action::FailDependency { .. } | Action::Removed(_) | Action::Settled(_) => {}
        }
    }

    fn start(&mut self, id: Id) {
        assert_eq!(self.does[id.0], Does::Nothing, "{id:?} is started");
        assert!(!self.plan.is_stopping(), "invariant 3: {id:?} is started");
        let node = self.plan.node(id);
        let satisfied = |dep: &Id| self.plan.node(*dep).readiness.satisfied;
        assert!(
            node.deps.iter().all(satisfied),
            "invariant 1: {id:?} is started"
        );
        let up = |dep: &Id| {
            matches!(
                self.plan.node(*dep).state,
                MemberState::Up | MemberState::Completed
            )
        };
        assert!(
            node.bound.iter().all(up),
            "{id:?} is started before what it is bound to"
        );
        (self.does[id.0], self.by_hand[id.0]) = (Does::Starts, false);
    }

    pub(super) fn nodes(&self) -> impl Iterator<Item = &PlanNode> {
        self.plan.nodes.iter().flatten()
    }

    pub(super) fn stage(&self) -> &PlanStage {
        &self.plan.stage
    }
}
