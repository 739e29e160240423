//! What can be asked of a runner: each request is one change of the core, done when it returns.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;

use crate::core::{After, Arm, Cell, Core, Hold, Node, update};
use crate::error::{StartError, StopError};
use crate::failure::{Failure, Fault};
use crate::lifecycle::{Input, Level};
use crate::parent::Parent;
use crate::state::{Exit, Phase, State};
use crate::trace::Event;
use crate::waiters::{Answer, Key, Topic};

/// How a start treats what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// A running service is stopped first.
    Anew,
    /// A running service is left alone.
    Ensure,
    /// Whatever is there is stopped first.
    Again,
}

/// What came of a request at once, or where its outcome will be.
pub(crate) enum Reply<T> {
    Now(T),
    Later(Key),
}

/// Who waits for the outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// A future.
    Yes,
    /// Nobody.
    No,
}

impl How {
    fn input(self) -> Input {
        match self {
            Self::Anew => Input::Start,
            Self::Ensure => Input::Ensure,
            Self::Again => Input::Restart,
        }
    }

    /// Whether it ends what is there in this state.
    fn replaces(self, state: State) -> bool {
        match self {
            Self::Anew => state == State::Running,
            Self::Again => matches!(state, State::Starting | State::Running | State::Backoff),
            Self::Ensure => false,
        }
    }

    /// Whether a new cycle comes of it in this state, which needs a runtime.
    fn begins_cycle(self, state: State) -> bool {
        matches!(state, State::Stopped | State::Stopping) || self.replaces(state)
    }
}

/// Asks for a start.
pub(crate) fn start<N: Node + ?Sized>(
    node: &Arc<N>,
    how: How,
    parent: Option<&Arc<Parent>>,
    wanted: Wanted,
) -> Reply<Result<(), StartError>> {
    let cancelled = is_parent_cancelled(node.core(), how, parent);
    let here = Handle::try_current().ok();
    update(node, |core, cell, after| {
        let on = match admit(cell, how, cancelled, here, wanted) {
            Ok(on) => on,
            Err(error) => return refuse(core, cell, error, wanted, after),
        };
        if how == How::Ensure && cell.state() == State::Running {
            return Reply::Now(Ok(()));
        }
        if how == How::Anew {
            let rare = cell.rare_if(parent.is_some());
            let old =
                rare.and_then(|rare| std::mem::replace(&mut rare.parent, parent.map(Arc::clone)));
            after.drop_parent(old);
        }
        // Before the step, which may bring the answer.
        let key = (wanted == Wanted::Yes).then(|| cell.waiters.add(Topic::Start));
        begin(core, cell, how, on, wanted, after);
        key.map_or(Reply::Now(Ok(())), Reply::Later)
    })
}

/// Whether the parent that the new cycle would have is cancelled. Not under the lock: see invariant 1
/// of [`parent`](crate::parent).
fn is_parent_cancelled(core: &Core, how: How, parent: Option<&Arc<Parent>>) -> bool {
    match how {
        How::Anew => parent.is_some_and(|parent| parent.is_cancelled()),
        How::Ensure | How::Again => {
            let parent = core.cell().parent().cloned();
            parent.is_some_and(|parent| parent.is_cancelled())
        }
    }
}

/// Where the cycle runs that a start begins, or why there will be none.
fn admit(
    cell: &Cell,
    how: How,
    cancelled: bool,
    here: Option<Handle>,
    wanted: Wanted,
) -> Result<Option<Handle>, StartError> {
    let state = cell.state();
    if how == How::Ensure && state == State::Running {
        return Ok(None);
    }
    if cancelled {
        return Err(StartError::Cancelled);
    }
    if cell.life.has_verdict() {
        return Err(StartError::Unresponsive);
    }
    if !how.begins_cycle(state) {
        return Ok(None);
    }
    // A request from a thread without a runtime goes back to where the service ran.
    let there = || cell.runtime().filter(|_| wanted == Wanted::No).cloned();
    here.or_else(there).map(Some).ok_or(StartError::NoRuntime)
}

/// A start that was refused: whoever waits is told, and nobody else would know.
fn refuse(
    core: &Core,
    cell: &mut Cell,
    error: StartError,
    wanted: Wanted,
    after: &mut After,
) -> Reply<Result<(), StartError>> {
    if wanted == Wanted::No {
        cell.record(core, Phase::Run, Fault::of(|| error.clone().into()), after);
    }
    Reply::Now(Err(error))
}

fn begin(
    core: &Core,
    cell: &mut Cell,
    how: How,
    on: Option<Handle>,
    wanted: Wanted,
    after: &mut After,
) {
    let state = cell.state();
    if how.replaces(state) {
        cell.limit_stop(core.settings.stop_timeout(), after);
        after.news.add(|| Event::StopRequested);
    }
    match on {
        Some(on) if state == State::Stopped => cell.run_on(on),
        Some(on) => cell.move_next_to(on),
        None => {}
    }
    cell.step(core, how.input(), arm(wanted), after);
}

/// Somebody who waits sees for himself whether it takes longer than a poll.
fn arm(wanted: Wanted) -> Arm {
    match wanted {
        Wanted::Yes => Arm::Watched,
        Wanted::No => Arm::Unwatched,
    }
}

/// Asks for a stop, within `timeout` or else the service's own.
pub(crate) fn stop<N: Node + ?Sized>(
    node: &Arc<N>,
    timeout: Option<Duration>,
    wanted: Wanted,
) -> Reply<Result<(), StopError>> {
    update(node, |core, cell, after| {
        if cell.state() == State::Stopped {
            return Reply::Now(Ok(()));
        }
        if let Some(stuck) = cell.verdict() {
            return Reply::Now(Err(StopError::Unresponsive(stuck.clone())));
        }
        let key = (wanted == Wanted::Yes).then(|| cell.waiters.add(Topic::Stop));
        let timeout = timeout.unwrap_or(core.settings.stop_timeout());
        begin_stop(core, cell, timeout, arm(wanted), after);
        key.map_or(Reply::Now(Ok(())), Reply::Later)
    })
}

fn begin_stop(core: &Core, cell: &mut Cell, timeout: Duration, arm: Arm, after: &mut After) {
    let joins = cell.state() == State::Stopping;
    if !joins {
        after.news.add(|| Event::StopRequested);
    }
    if cell.life.is_lost() {
        // Nobody keeps a deadline on a runtime that has ended.
        if let Ok(here) = Handle::try_current() {
            cell.run_on(here);
        }
    }
    cell.limit_stop(timeout, after);
    let input = if timeout.is_zero() { Input::Abort } else { Input::Stop };
    cell.step(core, input, arm, after);
    if joins {
        // The earliest deadline wins.
        cell.set_timer(core, arm, after);
    }
}

/// The parent with this number was cancelled.
pub(crate) fn stop_by_parent<N: Node + ?Sized>(node: &Arc<N>, id: u64) {
    update(node, |core, cell, after| {
        let current = cell.parent().is_some_and(|parent| parent.id() == id);
        if current && cell.state() != State::Stopped && cell.verdict().is_none() {
            begin_stop(core, cell, core.settings.stop_timeout(), Arm::Now, after);
        }
    });
}

/// A service asks for its own stop.
pub(crate) fn stop_attempt(node: &Arc<dyn Node>, epoch: u64) {
    update(node, |core, cell, after| {
        if cell.attempts == epoch && cell.life.is_alive() && cell.verdict().is_none() {
            begin_stop(core, cell, core.settings.stop_timeout(), Arm::Now, after);
        }
    });
}

/// A service asks for its own restart.
pub(crate) fn restart_attempt(node: &Arc<dyn Node>, epoch: u64) {
    let cell = node.core().cell();
    let current = cell.attempts == epoch && cell.life.is_alive();
    drop(cell);
    if current {
        start(node, How::Again, None, Wanted::No);
    }
}

/// Starts the service as a part of a whole, which it holds from its end until it has ended itself. A
/// service that runs already is adopted as it is.
pub(crate) fn start_part<N: Node + ?Sized>(
    node: &Arc<N>,
    hold: Arc<dyn Hold>,
    wanted: Wanted,
) -> Reply<Result<(), StartError>> {
    let reply = start(node, How::Ensure, None, wanted);
    let rest = node.core().cell().keep_hold(hold);
    // Outside of the lock: it may be the last thing that the whole waits for.
    drop(rest);
    reply
}

/// Asks a part for a stop, with the time that its whole has left: the smaller of both deadlines counts.
pub(crate) fn stop_part<N: Node + ?Sized>(
    node: &Arc<N>,
    left: Option<Duration>,
    wanted: Wanted,
) -> Reply<Result<(), StopError>> {
    let own = node.core().settings.stop_timeout();
    match left {
        Some(left) if left < own => {
            let mut cell = node.core().cell();
            if cell.state() != State::Stopping {
                cell.leave_deadline_to_whole();
            }
            drop(cell);
            stop(node, Some(left.max(Duration::from_nanos(1))), wanted)
        }
        _ => stop(node, None, wanted),
    }
}

/// The deadline of the whole has passed: what is left of this part of it is aborted.
pub(crate) fn abort_part<N: Node + ?Sized>(node: &Arc<N>) {
    update(node, |core, cell, after| {
        let input = match cell.state() {
            State::Stopping if cell.life.is_asked() => Input::StopDue,
            _ => Input::Abort,
        };
        cell.step(core, input, Arm::Now, after);
    });
}

/// Records a failure that is none of an attempt.
pub(crate) fn record<N: Node + ?Sized>(node: &Arc<N>, fault: Fault) -> Failure {
    update(node, |core, cell, after| cell.record(core, Phase::Run, fault, after))
}

/// Wakes `cx.reloaded()`.
pub(crate) fn reload<N: Node + ?Sized>(node: &Arc<N>) {
    update(node, |_, cell, after| {
        if !cell.life.is_run_alive() || cell.life.level() > Level::Alive {
            return;
        }
        let topic = Topic::reload(cell.attempts);
        let waits = |other| other == topic;
        let told = cell.waiters.answer_where(topic.kind(), waits, &Answer::Seen, &mut after.wakes);
        cell.set_reload(!told);
    });
}

/// The last runner is gone: who watches a service that is stopped learns that nothing will change.
pub(crate) fn tell_watchers<N: Node + ?Sized>(node: &Arc<N>) {
    update(node, |_, cell, after| {
        cell.waiters.answer(Topic::Change, &Answer::Seen, &mut after.wakes);
    });
}

/// Waits for the end of the cycle that is current now.
pub(crate) fn wait(core: &Core) -> Reply<Exit> {
    let mut cell = core.cell();
    match cell.state() {
        State::Stopped => Reply::Now(cell.exit),
        _ => Reply::Later(cell.waiters.add(Topic::End)),
    }
}

/// Waits until the service rests: nothing of it runs and nothing follows, or its end was given up.
pub(crate) fn wait_for_rest(core: &Core) -> Reply<()> {
    let mut cell = core.cell();
    if cell.state() == State::Stopped || cell.life.has_verdict() {
        return Reply::Now(());
    }
    Reply::Later(cell.waiters.add(Topic::Rest))
}

/// Waits for a state.
pub(crate) fn wait_for(core: &Core, state: State) -> Reply<()> {
    let mut cell = core.cell();
    if cell.state() == state {
        return Reply::Now(());
    }
    Reply::Later(cell.waiters.add(Topic::Enter(state)))
}
