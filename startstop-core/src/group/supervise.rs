//! The group's own task: it carries out what the board says, and tells it what has become of it.
//!
//! The board is asked again whenever a member's state has changed, so that what the handles of the
//! members do is seen like what the group does itself.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use super::Shared;
use super::board::{Action, Closing, Rest};
use super::error::{DependencyFailed, GroupError};
use super::graph::Id;
use super::limit::Limit;
use super::mailbox::observe;
use super::member::Part;
use crate::context::Context;
use crate::core::Node;
use crate::error::{StartError, StopError};
use crate::failure::{Failure, Fault};
use crate::hold::{Place, record};
use crate::panic::BoxError;
use crate::request::{self, Reply, Wanted};
use crate::snapshot;
use crate::state::{Cause, Exit, State};
use crate::task::wait_if_runtime_ends;

/// Supervises the members until the group ends.
pub(super) async fn run(shared: &Arc<Shared>, cx: Context) -> Result<(), BoxError> {
    let mut supervisor = Supervisor::new(shared, &cx)?;
    let mut cancelled = pin!(cx.cancelled());
    while supervisor.again || !supervisor.is_finished() {
        if supervisor.again {
            tokio::task::yield_now().await;
        }
        let mut reloaded = pin!(cx.reloaded());
        let woken = poll_fn(|task| {
            if !supervisor.told && cancelled.as_mut().poll(task).is_ready() {
                return Poll::Ready(Woken::Cancelled);
            }
            if reloaded.as_mut().poll(task).is_ready() {
                return Poll::Ready(Woken::Reloaded);
            }
            match shared.mailbox.take(task.waker()) {
                Some(changed) => Poll::Ready(Woken::Changed(changed)),
                None if supervisor.again => Poll::Ready(Woken::Again),
                None => Poll::Pending,
            }
        });
        match woken.await {
            Woken::Cancelled => supervisor.close(),
            Woken::Reloaded => supervisor.reload(),
            Woken::Changed(changed) => {
                if supervisor.has_lost_one_of(&changed) {
                    wait_if_runtime_ends().await;
                }
                supervisor.look_at(&changed);
            }
            Woken::Again => supervisor.carry_out(),
        }
    }
    supervisor.end()
}

enum Woken {
    Cancelled,
    Reloaded,
    Changed(Vec<Id>),
    Again,
}

struct Supervisor<'a> {
    shared: &'a Arc<Shared>,
    cx: &'a Context,
    limit: Limit,
    told: bool,
    ready: bool,
    /// The board has more to say, after the runtime had its turn.
    again: bool,
    /// The failure that ends the group.
    failure: Option<BoxError>,
}

impl<'a> Supervisor<'a> {
    fn new(shared: &'a Arc<Shared>, cx: &'a Context) -> Result<Self, GroupError> {
        let members = Self::opened(shared, cx)?;
        let mut supervisor = Self {
            shared,
            cx,
            limit: Limit::default(),
            told: false,
            ready: false,
            again: false,
            failure: None,
        };
        supervisor.open(&members);
        Ok(supervisor)
    }

    /// Opens the board, for one supervisor at a time: two would take each other's news.
    fn opened(shared: &Shared, cx: &Context) -> Result<Vec<(Id, Part)>, GroupError> {
        let group = cx.attempt_link().map(|attempt| Arc::downgrade(attempt.node()));
        let mut table = shared.table();
        if table.board.is_open() {
            return Err(GroupError::AlreadyRuns);
        }
        // Under the lock of the table, so that the letter of one that is inserted now is not lost.
        shared.mailbox.open(group);
        table.board.open();
        let entries = table.entries.iter().enumerate();
        let part = |(at, entry): (usize, &Option<super::Entry>)| {
            entry.as_ref().map(|entry| (Id(at), entry.part.clone()))
        };
        Ok(entries.filter_map(part).collect())
    }

    fn open(&mut self, members: &[(Id, Part)]) {
        for (id, part) in members {
            let cycle = part.node.core().cell().cycle;
            self.shared.table().entry_mut(*id).seen = cycle;
        }
        for (id, part) in members {
            observe(&self.shared.mailbox, *id, part);
        }
        // Those that run already are adopted as they are.
        for (id, part) in members {
            if !matches!(part.handle.state(), State::Stopped | State::Stopping) {
                self.look_at_one(*id);
            }
        }
        self.carry_out();
    }

    fn is_finished(&self) -> bool {
        self.shared.table().board.is_finished()
    }

    /// The group is told to stop.
    fn close(&mut self) {
        self.told = true;
        self.shared.table().board.close(Closing::Told);
        self.carry_out();
    }

    fn reload(&self) {
        let parts: Vec<Part> =
            self.shared.table().entries.iter().flatten().map(|entry| entry.part.clone()).collect();
        for part in parts {
            part.handle.reload();
        }
    }

    fn has_lost_one_of(&self, changed: &[Id]) -> bool {
        changed.iter().filter_map(|id| self.part(*id)).any(|part| snapshot::is_lost(&*part.node))
    }

    fn look_at(&mut self, changed: &[Id]) {
        for id in changed {
            self.look_at_one(*id);
        }
        self.carry_out();
    }

    /// Does what the board says until it has nothing more to say. One that cannot start may be restarted
    /// for ever without anybody being asked: the runtime has its turn in between.
    fn carry_out(&mut self) {
        self.again = false;
        while !self.again {
            let actions = self.shared.table().board.take_actions();
            if actions.is_empty() {
                break;
            }
            for action in actions {
                match action {
                    Action::Start(id) => self.start(id),
                    Action::Stop(id) => self.stop(id),
                    Action::FailDependency { member, dependency } => {
                        self.fail_dependency(member, dependency);
                        self.again = true;
                    }
                    Action::Removed(id) => self.removed(id),
                }
            }
        }
        let ready = self.shared.table().board.is_ready();
        if ready && !std::mem::replace(&mut self.ready, ready) {
            self.cx.ready();
        }
    }

    fn part(&self, id: Id) -> Option<Part> {
        let table = self.shared.table();
        table.entries.get(id.0)?.as_ref().map(|entry| entry.part.clone())
    }

    fn start(&mut self, id: Id) {
        let Some(part) = self.part(id) else { return };
        let started = match Place::kept(self.cx) {
            Some(place) => request::start_part(&part.node, Arc::new(place), Wanted::No),
            // Under a context without a runner there is nothing to hold.
            None if self.cx.attempt_link().is_none() => {
                request::start(&part.node, request::How::Ensure, None, Wanted::No)
            }
            // The group itself is aborted at this moment.
            None => Reply::Now(Err(StartError::Stopped)),
        };
        match started {
            Reply::Now(Err(error)) => self.failed(id, &part, Rest::Failed, Some(error)),
            // What comes of it comes by the mailbox; a member that was adopted has nothing to say.
            _ => self.look_at_one(id),
        }
    }

    fn stop(&mut self, id: Id) {
        let Some(part) = self.part(id) else { return };
        request::stop_part(&part.node, self.cx.remaining(), Wanted::No);
        self.look_at_one(id);
    }

    fn fail_dependency(&mut self, member: Id, dependency: Id) {
        let Some(part) = self.part(member) else { return };
        let table = self.shared.table();
        let name = table
            .entries
            .get(dependency.0)
            .and_then(Option::as_ref)
            .map(|entry| entry.name.clone().into_owned());
        drop(table);
        let error = DependencyFailed { dependency: name.unwrap_or_default() };
        let failure = request::record(&part.node, Fault::of(|| error.into()));
        self.failed(member, &part, Rest::Failed, Some(StartError::Failed(failure)));
    }

    /// Tells the board what a member is up to.
    fn look_at_one(&mut self, id: Id) {
        let Some(part) = self.part(id) else { return };
        let look = Look::at(&*part.node);
        let seen = std::mem::replace(&mut self.shared.table().entry_mut(id).seen, look.cycle);
        if look.is_resting() {
            if look.cycle > seen {
                // It was started by its handle, and has ended before anybody looked.
                self.shared.table().board.rises(id);
            }
            self.rests(id, &part, &look);
            return;
        }
        let mut table = self.shared.table();
        if look.state != State::Stopping {
            table.board.comes_back(id);
        }
        let was_alive = table.board.is_alive(id);
        if look.state == State::Running {
            table.board.is_up(id);
            let inserted = table.entry_mut(id).inserting.take();
            drop(table);
            reply(inserted, Ok(()));
        } else {
            table.board.rises(id);
            drop(table);
        }
        if !was_alive {
            // It was started by its handle: it is one of the group again.
            self.hold(&part);
        }
    }

    fn hold(&self, part: &Part) {
        let Some(place) = Place::kept(self.cx) else { return };
        let rest = part.node.core().cell().keep_hold(Arc::new(place));
        drop(rest);
    }

    fn rests(&mut self, id: Id, part: &Part, look: &Look) {
        if !self.shared.table().board.is_alive(id) {
            // The news is old: it has been at rest since before.
            return;
        }
        let rest = match look.exit {
            _ if look.stuck.is_some() => Rest::Stuck,
            _ if look.told => Rest::Told,
            Exit::Completed => Rest::Completed,
            Exit::Stopped => Rest::Told,
            _ => Rest::Failed,
        };
        self.note_stop(look);
        if rest == Rest::Completed {
            let inserted = self.shared.table().entry_mut(id).inserting.take();
            reply(inserted, Ok(()));
        }
        self.failed(id, part, rest, None);
    }

    /// Keeps what went wrong in a stop.
    fn note_stop(&self, look: &Look) {
        let closing = self.shared.table().board.closing().is_some();
        if let (true, Some(failure)) = (closing, &look.failed_stop) {
            record(self.cx, Fault::of(|| failure.clone().into()));
        }
    }

    /// Tells the board that a member rests, and what of it concerns the whole group.
    fn failed(&mut self, id: Id, part: &Part, rest: Rest, error: Option<StartError>) {
        let limit = &mut self.limit;
        let mut table = self.shared.table();
        let fresh = table.board.is_fresh(id) && table.board.wants_up(id);
        let was_closing = table.board.closing();
        table.board.rests(id, rest, || limit.allows(self.shared.limit));
        let closing = table.board.closing();
        drop(table);
        if fresh && rest != Rest::Completed {
            let error = error.unwrap_or_else(|| start_error(&*part.node));
            self.withdraw(id, error);
            return;
        }
        if was_closing.is_none() {
            let failure = || part.handle.errors_last();
            self.failure = match (closing, self.shared.limit) {
                (Some(Closing::Limit(_)), Some((max, window))) => {
                    failure().map(|failure| failure.at_limit(max, window).into())
                }
                (Some(Closing::Failed(_) | Closing::Limit(_)), _) => match failure() {
                    Some(failure) => Some(failure.into()),
                    None => error.map(Into::into),
                },
                _ => None,
            };
        }
    }

    /// A member that was inserted did not start: it is taken off again.
    fn withdraw(&mut self, id: Id, error: StartError) {
        let dependents = self.shared.table().board.dependents(id);
        for dependent in dependents {
            // They were inserted after it and wait for it.
            self.fail_dependency(dependent, id);
        }
        let entry = self.shared.table().delete(id);
        let Some(entry) = entry else { return };
        let old = entry.part.node.core().cell().observe(None);
        drop(old);
        for removing in entry.removing {
            reply(Some(removing), Ok(()));
        }
        reply(entry.inserting, Err(GroupError::Start(error)));
    }

    fn removed(&mut self, id: Id) {
        let entry = {
            let mut table = self.shared.table();
            // Said twice, it may be about one that was inserted in its place by now.
            if !table.board.is_leaving(id) {
                return;
            }
            table.delete(id)
        };
        let Some(entry) = entry else { return };
        let old = entry.part.node.core().cell().observe(None);
        drop(old);
        let look = Look::at(&*entry.part.node);
        for removing in entry.removing {
            let outcome = match (&look.stuck, &look.failed_stop) {
                (Some(stuck), _) => Err(GroupError::Stop(stuck.clone())),
                (None, Some(failure)) if look.told && failure.cause() == Cause::TimedOut => {
                    Err(GroupError::Stop(StopError::TimedOut))
                }
                (None, Some(failure)) if look.told => {
                    Err(GroupError::Stop(StopError::Failed(failure.clone())))
                }
                _ => Ok(()),
            };
            reply(Some(removing), outcome);
        }
        reply(entry.inserting, Err(GroupError::Start(StartError::Stopped)));
    }

    /// The result of `run`.
    fn end(mut self) -> Result<(), BoxError> {
        match (self.failure.take(), self.stuck()) {
            (Some(failure), _) => Err(failure),
            (None, Some(stuck)) => Err(stuck.into()),
            (None, None) => Ok(()),
        }
    }

    /// A member that does not yield.
    fn stuck(&self) -> Option<StopError> {
        let table = self.shared.table();
        let nodes: Vec<_> =
            table.entries.iter().flatten().map(|entry| Arc::clone(&entry.part.node)).collect();
        drop(table);
        nodes.iter().find_map(|node| Look::at(&**node).stuck)
    }
}

/// However the supervisor ends, by itself or dropped, no member is left running and nobody waits.
impl Drop for Supervisor<'_> {
    fn drop(&mut self) {
        let (parts, waiting) = {
            let mut table = self.shared.table();
            table.board.shut();
            let mut waiting = Vec::new();
            let mut parts = Vec::new();
            // From the last, since one that was inserted may come after another.
            for at in (0..table.entries.len()).rev() {
                let Some(Some(entry)) = table.entries.get_mut(at) else { continue };
                let inserting = entry.inserting.take();
                waiting.append(&mut entry.removing);
                parts.push(entry.part.clone());
                if inserting.is_some() {
                    waiting.extend(inserting);
                    // Dropped with `parts`, outside of the lock.
                    drop(table.delete(Id(at)));
                }
            }
            (parts, waiting)
        };
        for part in parts {
            let old = part.node.core().cell().observe(None);
            drop(old);
            request::abort_part(&part.node);
        }
        for sender in waiting {
            reply(Some(sender), Err(GroupError::Stopping));
        }
    }
}

type Sender = tokio::sync::oneshot::Sender<Result<(), GroupError>>;

fn reply(sender: Option<Sender>, outcome: Result<(), GroupError>) {
    if let Some(sender) = sender {
        // Nobody may wait any more: the change has had its effect.
        let _ = sender.send(outcome);
    }
}

/// Why a member did not start.
fn start_error(node: &dyn Node) -> StartError {
    let cell = node.core().cell();
    match cell.last_failure() {
        Some(failure) => StartError::Failed(failure.clone()),
        None => StartError::Stopped,
    }
}

/// A member at one moment.
struct Look {
    state: State,
    cycle: u64,
    exit: Exit,
    /// The cycle ended because it was told to.
    told: bool,
    stuck: Option<StopError>,
    /// What went wrong in the stop.
    failed_stop: Option<Failure>,
}

impl Look {
    fn at(node: &dyn Node) -> Self {
        let cell = node.core().cell();
        let bad = matches!(cell.exit, Exit::Failed | Exit::Aborted);
        Self {
            state: cell.state(),
            cycle: cell.cycle,
            exit: cell.exit,
            told: cell.was_told(),
            stuck: cell.verdict().cloned().map(StopError::Unresponsive),
            failed_stop: cell.last_failure().filter(|_| bad).cloned(),
        }
    }

    /// Whether it has ended, or was given up on.
    fn is_resting(&self) -> bool {
        self.state == State::Stopped || self.stuck.is_some()
    }
}
