//! The rules of a service's life: which state follows which, on what input, with which effect.
//!
//! Pure: no clock, no lock, no task. The cell feeds it inputs under its lock and carries out the
//! effects after it. A model checker can walk all of it.
//!
//! Invariants:
//!
//! 1. `BEGIN` is asked for only when nothing of an earlier attempt is alive.
//! 2. A cycle ends once: `ENDED` comes only with a change to `Stopped`, and only when nothing is alive.
//! 3. After a stop no attempt begins until a later request: a stop clears `next` and forbids retries.
//! 4. `shutdown` is due at most once in an attempt, and only if `run` was entered.
//! 5. After `VERDICT` no start is pending, and no policy is asked.

use crate::state::{Exit, Phase, Readiness, State};

/// What may happen to a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Input {
    /// A start: a running service is stopped first.
    Start,
    /// A start that leaves a running service alone.
    Ensure,
    /// A stop and then a start.
    Restart,
    /// A graceful stop, after a drain if there is one.
    Stop,
    /// A stop that does not ask: what runs is aborted.
    Abort,
    /// The driver is about to call `run`.
    Enter,
    /// The service says that it is ready.
    Ready,
    /// `run` has ended and is dropped.
    RunEnded(RunEnd),
    /// Somebody has taken on the call of `shutdown`.
    HookTaken,
    /// `shutdown` has ended and is dropped.
    HookEnded,
    /// A part beside `run` and `shutdown` was added.
    Added(Part),
    /// A part beside `run` and `shutdown` has ended.
    Ended(Part),
    /// The deadlines of a part that keeps its own have run out: it is merely held from now on.
    RanOut,
    /// The drain is over.
    DrainOver,
    /// The deadline of the start has passed.
    StartDue,
    /// The deadline of the stop has passed.
    StopDue,
    /// The deadline of the abort has passed.
    AbortDue,
    /// The watchdog has seen no heartbeat.
    Silent,
    /// The runtime has dropped a part that nobody had aborted.
    Lost,
    /// The policy's answer to an attempt that is over: another one follows.
    Retry,
    /// The policy's answer to an attempt that is over: it would, but the limit forbids it.
    Exhausted,
    /// The policy's answer to an attempt that is over: the cycle ends.
    Finish,
    /// The delay before the next attempt has passed.
    BackoffOver,
}

/// How `run` ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RunEnd {
    /// By itself, with `Ok`.
    Ok,
    /// By itself, with an error or a panic.
    Failed,
    /// It was dropped, because it was aborted.
    Dropped,
}

/// A part of an attempt beside `run` and `shutdown`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// A task of the context.
    Task,
    /// What a composite drives: it keeps deadlines of its own.
    Kept,
    /// What `run` leaves behind when it is dropped: a thread, or a composite out of deadlines.
    Held,
}

/// What the cell has to do after an input: a set.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Effects(u16);

impl Effects {
    pub(crate) const NONE: Self = Self(0);
    /// A new cycle begins.
    pub(crate) const CYCLE: Self = Self(1);
    /// An attempt may begin: the driver has to enter it.
    pub(crate) const BEGIN: Self = Self(1 << 1);
    /// The drain begins.
    pub(crate) const DRAIN: Self = Self(1 << 2);
    /// The context is cancelled.
    pub(crate) const CANCEL: Self = Self(1 << 3);
    /// `shutdown` is to be called.
    pub(crate) const HOOK: Self = Self(1 << 4);
    /// What is left is to be dropped.
    pub(crate) const ABORT: Self = Self(1 << 5);
    /// The deadline has changed: see [`Lifecycle::timer`].
    pub(crate) const TIMER: Self = Self(1 << 6);
    /// Pending starts have succeeded.
    pub(crate) const STARTED: Self = Self(1 << 7);
    /// Pending starts are cancelled by a stop.
    pub(crate) const UNSTARTED: Self = Self(1 << 8);
    /// What is left does not yield: pending starts and stops end with that.
    pub(crate) const VERDICT: Self = Self(1 << 9);
    /// The cycle has ended.
    pub(crate) const ENDED: Self = Self(1 << 10);
    /// The driver has something to look at.
    pub(crate) const DRIVE: Self = Self(1 << 11);
    /// A deadline was missed: a failure is to be recorded.
    pub(crate) const MISSED: Self = Self(1 << 12);

    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl std::fmt::Debug for Effects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const NAMES: [&str; 13] = [
            "CYCLE",
            "BEGIN",
            "DRAIN",
            "CANCEL",
            "HOOK",
            "ABORT",
            "TIMER",
            "STARTED",
            "UNSTARTED",
            "VERDICT",
            "ENDED",
            "DRIVE",
            "MISSED",
        ];
        let names = NAMES.iter().enumerate().filter(|(bit, _)| self.0 & (1 << bit) != 0);
        f.debug_set().entries(names.map(|(_, name)| name)).finish()
    }
}

/// Why the attempt ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) enum End {
    /// It does not.
    #[default]
    None,
    /// `run` returned `Ok` by itself.
    Completed,
    /// `run` failed by itself.
    Failed,
    /// A stop, a restart or a start was asked for.
    Asked,
    /// It was not ready in time.
    Late,
    /// It missed its heartbeat.
    Silent,
}

/// How far the end of the attempt has come; what the contexts see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) enum Level {
    /// Nothing was asked of it.
    #[default]
    Alive,
    /// The drain has begun.
    Draining,
    /// The context is cancelled.
    Cancelled,
    /// What is left is dropped at its next await point.
    Aborted,
}

/// The call of `shutdown` in this attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) enum Hook {
    /// Not asked for.
    #[default]
    Idle,
    /// Asked for; nobody has taken it on.
    Due,
    /// Being executed.
    Live,
    /// Ended.
    Done,
}

/// Which deadline is to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Timer {
    None,
    Start,
    /// While running: the watchdog, if there is one.
    Watch,
    /// The drain, or the stop if that is earlier.
    Drain,
    Stop,
    Abort,
}

/// The settings that the rules depend on.
#[allow(clippy::struct_excessive_bools)] // Four settings that have nothing to do with each other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) readiness: Readiness,
    pub(crate) drains: bool,
    pub(crate) shutdown_always: bool,
    /// The service has a `shutdown` of its own.
    pub(crate) hooked: bool,
    /// The stop timeout is zero: a stop is an abort.
    pub(crate) aborts: bool,
}

/// Where one service is in its life.
#[allow(clippy::struct_excessive_bools)] // Marks that hold beside each other in any mixture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Lifecycle {
    state: State,
    level: Level,
    end: End,
    hook: Hook,
    /// `run` was entered in this attempt and has not ended.
    running: bool,
    /// The current attempt has counted as ready.
    ready: bool,
    /// A stop, restart or start ends this cycle: no policy is asked.
    asked: bool,
    /// The abort was the request.
    immediate: bool,
    /// Something was aborted at the deadline of a stop.
    overdue: bool,
    /// The runtime ended.
    lost: bool,
    verdict: bool,
    /// A new cycle follows this one.
    next: bool,
    /// A start is pending.
    awaited: bool,
    tasks: u32,
    kept: u32,
    held: u32,
}

/// What is asked of it.
impl Lifecycle {
    pub(crate) fn state(&self) -> State {
        self.state
    }

    pub(crate) fn level(&self) -> Level {
        self.level
    }

    pub(crate) fn end(&self) -> End {
        self.end
    }

    /// Whether `run` was entered and has not ended.
    pub(crate) fn is_run_alive(&self) -> bool {
        self.running
    }

    /// Whether `shutdown` waits for somebody to call it.
    pub(crate) fn is_hook_due(&self) -> bool {
        self.hook == Hook::Due
    }

    /// Whether a part may be added: the attempt is alive and not aborted.
    pub(crate) fn is_open(&self) -> bool {
        self.level < Level::Aborted && self.is_alive()
    }

    /// Whether the runtime of the attempt has ended.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost
    }

    /// Whether the end was given up: what is left does not yield.
    pub(crate) fn has_verdict(&self) -> bool {
        self.verdict
    }

    /// Whether a stop has begun, by whatever asked for it.
    pub(crate) fn is_asked(&self) -> bool {
        self.asked
    }

    /// Whether something was aborted at the deadline of a stop.
    pub(crate) fn is_overdue(&self) -> bool {
        self.overdue
    }

    /// Whether a new cycle follows this one.
    pub(crate) fn has_next(&self) -> bool {
        self.next
    }

    /// Whether the current attempt has counted as ready.
    pub(crate) fn was_ready(&self) -> bool {
        self.ready
    }

    /// Whether anything of the attempt is alive.
    pub(crate) fn is_alive(&self) -> bool {
        self.running
            || matches!(self.hook, Hook::Due | Hook::Live)
            || self.tasks + self.kept + self.held > 0
    }

    /// Whether the attempt has ended, so that its end can be settled.
    pub(crate) fn is_over(&self) -> bool {
        match self.state {
            State::Starting | State::Running => self.end != End::None && !self.is_alive(),
            State::Stopping => !self.is_alive(),
            State::Stopped | State::Backoff => false,
        }
    }

    /// Whether the policy has a say in what follows the attempt that is over.
    pub(crate) fn may_retry(&self) -> bool {
        !self.asked && !self.lost && !self.verdict
    }

    /// How the cycle ends, with `failed_after`: something failed after its stop had begun.
    pub(crate) fn exit(&self, failed_after: bool) -> Exit {
        match self.end {
            _ if self.lost || self.immediate || self.overdue || self.verdict => Exit::Aborted,
            End::Failed | End::Late | End::Silent => Exit::Failed,
            _ if failed_after => Exit::Failed,
            End::Completed => Exit::Completed,
            End::Asked | End::None => Exit::Stopped,
        }
    }

    /// The kinds of parts that are alive, for blame.
    pub(crate) fn alive_parts(&self) -> Vec<Phase> {
        let run = (self.running || self.kept + self.held > 0).then_some(Phase::Run);
        let hook = (self.hook == Hook::Live).then_some(Phase::Shutdown);
        let task = (self.tasks > 0).then_some(Phase::Task);
        [run, hook, task].into_iter().flatten().collect()
    }

    /// The deadline that is to be kept now.
    pub(crate) fn timer(&self, rules: Rules) -> Timer {
        match (self.state, self.level) {
            _ if self.verdict || !self.is_alive() => Timer::None,
            (State::Starting, _) if rules.readiness == Readiness::Explicit => Timer::Start,
            (State::Running, _) => Timer::Watch,
            (State::Stopping, Level::Draining) => Timer::Drain,
            (State::Stopping, Level::Cancelled) => Timer::Stop,
            // The clock of the abort starts when those who keep their own deadlines have run out.
            (State::Stopping, Level::Aborted) if self.kept == 0 => Timer::Abort,
            _ => Timer::None,
        }
    }
}

/// What happens to it.
impl Lifecycle {
    /// Takes one input and says what has to be done about it.
    pub(crate) fn step(&mut self, input: Input, rules: Rules) -> Effects {
        match input {
            Input::Start => self.start(rules),
            Input::Ensure => self.ensure(rules),
            Input::Restart => self.restart(rules),
            Input::Stop => self.stop(rules),
            Input::Abort => self.abort(rules),
            Input::Enter => self.enter(rules),
            Input::Ready => self.explicitly_ready(rules),
            Input::RunEnded(end) => self.run_ended(end, rules),
            Input::HookTaken => self.hook_taken(),
            Input::HookEnded => self.hook_ended(rules),
            Input::Added(part) => self.added(part),
            Input::Ended(part) => self.ended(part, rules),
            Input::RanOut => self.ran_out(rules),
            Input::DrainOver => self.drain_over(rules),
            Input::StartDue => self.start_due(),
            Input::StopDue => self.stop_due(),
            Input::AbortDue => self.abort_due(),
            Input::Silent => self.silent(),
            Input::Lost => self.runtime_lost(),
            Input::Retry => self.retry(),
            Input::Exhausted => self.exhausted(),
            Input::Finish => self.finish(),
            Input::BackoffOver => self.backoff_over(),
        }
    }

    fn start(&mut self, rules: Rules) -> Effects {
        match self.state {
            State::Stopped => self.begin_cycle(),
            State::Starting => {
                // Whoever joins an attempt of a policy is a pending start in the backoff after it.
                self.awaited = true;
                Effects::NONE
            }
            State::Running => self.replace(rules),
            State::Backoff if self.awaited => Effects::NONE,
            State::Backoff => {
                self.awaited = true;
                self.backoff_over()
            }
            State::Stopping => self.queue(),
        }
    }

    fn ensure(&mut self, rules: Rules) -> Effects {
        match self.state {
            State::Running => Effects::NONE,
            _ => self.start(rules),
        }
    }

    fn restart(&mut self, rules: Rules) -> Effects {
        match self.state {
            State::Stopped => self.begin_cycle(),
            State::Starting | State::Running | State::Backoff => self.replace(rules),
            State::Stopping => self.queue(),
        }
    }

    fn begin_cycle(&mut self) -> Effects {
        *self = Self { state: State::Starting, awaited: true, ..Self::default() };
        Effects::CYCLE.and(Effects::BEGIN)
    }

    /// Stops this cycle and has a new one follow it.
    fn replace(&mut self, rules: Rules) -> Effects {
        self.next = true;
        self.awaited = true;
        if rules.aborts { self.abort_what_runs(rules) } else { self.begin_stop(rules) }
    }

    /// Has a new cycle follow the one that ends; after a verdict there is no telling when.
    fn queue(&mut self) -> Effects {
        if self.verdict {
            return Effects::NONE;
        }
        self.next = true;
        self.awaited = true;
        self.asked = true;
        Effects::NONE
    }

    fn stop(&mut self, rules: Rules) -> Effects {
        let effects = match self.state {
            State::Stopped => return Effects::NONE,
            State::Starting | State::Running | State::Backoff => self.begin_stop(rules),
            State::Stopping => Effects::NONE,
        };
        effects.and(self.unstart())
    }

    /// Cancels what was asked for before a stop.
    fn unstart(&mut self) -> Effects {
        self.asked = true;
        self.next = false;
        self.awaited = false;
        Effects::UNSTARTED
    }

    fn begin_stop(&mut self, rules: Rules) -> Effects {
        let was = self.state;
        self.state = State::Stopping;
        self.asked = true;
        if self.end != End::None {
            // `run` has ended by itself at this very moment: nothing is left to be told.
            return Effects::DRIVE.and(Effects::TIMER);
        }
        self.end = End::Asked;
        if !self.running {
            return Effects::DRIVE;
        }
        if rules.drains && was == State::Running {
            self.level = Level::Draining;
            return Effects::DRAIN.and(Effects::TIMER);
        }
        self.cancel(rules)
    }

    /// Tells the service to end: its context is cancelled and `shutdown` is called.
    fn cancel(&mut self, rules: Rules) -> Effects {
        self.level = Level::Cancelled;
        Effects::CANCEL.and(Effects::TIMER).and(self.call_hook(rules))
    }

    fn call_hook(&mut self, rules: Rules) -> Effects {
        if !rules.hooked || self.lost {
            self.hook = Hook::Done;
            return Effects::NONE;
        }
        self.hook = Hook::Due;
        Effects::HOOK
    }

    fn abort(&mut self, rules: Rules) -> Effects {
        let effects = match self.state {
            State::Stopped => return Effects::NONE,
            State::Starting | State::Running | State::Backoff => self.abort_what_runs(rules),
            State::Stopping if self.is_alive() && self.level < Level::Aborted => {
                self.immediate = true;
                self.drop_all()
            }
            State::Stopping => Effects::NONE,
        };
        effects.and(self.unstart())
    }

    fn abort_what_runs(&mut self, rules: Rules) -> Effects {
        if !self.running {
            return self.begin_stop(rules);
        }
        self.state = State::Stopping;
        self.end = End::Asked;
        self.asked = true;
        self.immediate = true;
        self.drop_all()
    }

    /// Has everything that is left dropped. A `shutdown` that was not called yet will not be.
    fn drop_all(&mut self) -> Effects {
        self.level = Level::Aborted;
        if self.hook == Hook::Due {
            self.hook = Hook::Done;
        }
        let drive = if self.is_alive() { Effects::NONE } else { Effects::DRIVE };
        drive.and(Effects::CANCEL).and(Effects::ABORT).and(Effects::TIMER)
    }

    fn enter(&mut self, rules: Rules) -> Effects {
        if self.state != State::Starting || self.running || self.end != End::None {
            return Effects::NONE;
        }
        self.running = true;
        match rules.readiness {
            Readiness::Immediate => self.become_ready(),
            Readiness::Explicit | Readiness::Completion => Effects::TIMER,
        }
    }

    fn explicitly_ready(&mut self, rules: Rules) -> Effects {
        let explicit = rules.readiness == Readiness::Explicit;
        match self.state {
            State::Starting if explicit && self.running => self.become_ready(),
            _ => Effects::NONE,
        }
    }

    fn become_ready(&mut self) -> Effects {
        self.state = State::Running;
        self.count_as_ready().and(Effects::TIMER)
    }

    fn count_as_ready(&mut self) -> Effects {
        self.ready = true;
        self.awaited = false;
        Effects::STARTED
    }

    fn run_ended(&mut self, end: RunEnd, rules: Rules) -> Effects {
        if !self.running {
            return Effects::NONE;
        }
        self.running = false;
        let effects = match self.end {
            End::None => self.end_by_itself(end, rules),
            // Whatever the drain was for is gone with `run`.
            _ if self.level == Level::Draining && !self.lost => self.cancel(rules),
            _ => Effects::NONE,
        };
        effects.and(self.look_for_the_end(rules))
    }

    fn end_by_itself(&mut self, end: RunEnd, rules: Rules) -> Effects {
        self.end = if end == RunEnd::Ok { End::Completed } else { End::Failed };
        let ready = match end {
            RunEnd::Ok if !self.ready => self.count_as_ready(),
            _ => Effects::NONE,
        };
        self.level = Level::Cancelled;
        let hook = if rules.shutdown_always { self.call_hook(rules) } else { Effects::NONE };
        if self.is_alive() {
            self.state = State::Stopping;
        }
        ready.and(hook).and(Effects::CANCEL).and(Effects::TIMER)
    }

    fn hook_taken(&mut self) -> Effects {
        if self.hook == Hook::Due {
            self.hook = Hook::Live;
        }
        Effects::NONE
    }

    fn hook_ended(&mut self, rules: Rules) -> Effects {
        if self.hook != Hook::Live {
            return Effects::NONE;
        }
        self.hook = Hook::Done;
        self.look_for_the_end(rules)
    }

    fn added(&mut self, part: Part) -> Effects {
        *self.count(part) += 1;
        Effects::NONE
    }

    fn ended(&mut self, part: Part, rules: Rules) -> Effects {
        let count = self.count(part);
        *count = count.saturating_sub(1);
        self.look_for_the_end(rules)
    }

    fn count(&mut self, part: Part) -> &mut u32 {
        match part {
            Part::Task => &mut self.tasks,
            Part::Kept => &mut self.kept,
            Part::Held => &mut self.held,
        }
    }

    fn ran_out(&mut self, rules: Rules) -> Effects {
        if self.kept == 0 {
            return Effects::NONE;
        }
        self.kept -= 1;
        self.held += 1;
        self.look_for_the_end(rules)
    }

    /// After something has ended: is it over, or is what is left only to be given up on?
    fn look_for_the_end(&mut self, rules: Rules) -> Effects {
        if self.is_over() {
            return self.last_call(rules);
        }
        if self.state != State::Stopping || self.verdict {
            return Effects::NONE;
        }
        let hook = matches!(self.hook, Hook::Due | Hook::Live);
        let only_held = !self.running && !hook && self.tasks + self.kept == 0;
        if only_held && self.level < Level::Aborted {
            return self.drop_all();
        }
        Effects::TIMER
    }

    /// An aborted attempt that nobody had asked to end gets its `shutdown` now, if it wants one.
    fn last_call(&mut self, rules: Rules) -> Effects {
        let aborted = matches!(self.end, End::Late | End::Silent) && !self.immediate;
        let wanted = rules.shutdown_always && rules.hooked && self.hook == Hook::Idle;
        if aborted && wanted && !self.lost && !self.verdict {
            return self.cancel(rules);
        }
        Effects::DRIVE
    }

    fn drain_over(&mut self, rules: Rules) -> Effects {
        match (self.state, self.level) {
            (State::Stopping, Level::Draining) => self.cancel(rules),
            _ => Effects::NONE,
        }
    }

    fn start_due(&mut self) -> Effects {
        match self.state {
            State::Starting if self.running => self.fail(End::Late),
            _ => Effects::NONE,
        }
    }

    fn silent(&mut self) -> Effects {
        match self.state {
            State::Running if self.running => self.fail(End::Silent),
            _ => Effects::NONE,
        }
    }

    fn fail(&mut self, end: End) -> Effects {
        self.state = State::Stopping;
        self.end = end;
        self.drop_all().and(Effects::MISSED)
    }

    fn stop_due(&mut self) -> Effects {
        if self.state != State::Stopping || self.level >= Level::Aborted || !self.is_alive() {
            return Effects::NONE;
        }
        self.overdue = self.asked;
        self.drop_all().and(Effects::MISSED)
    }

    fn abort_due(&mut self) -> Effects {
        let aborted = self.state == State::Stopping && self.level == Level::Aborted;
        if !aborted || !self.is_alive() || self.verdict || self.kept > 0 {
            return Effects::NONE;
        }
        self.verdict = true;
        self.next = false;
        self.awaited = false;
        Effects::VERDICT
    }

    fn runtime_lost(&mut self) -> Effects {
        if self.state == State::Stopped || self.lost {
            return Effects::NONE;
        }
        self.lost = true;
        self.state = State::Stopping;
        if self.hook == Hook::Due {
            self.hook = Hook::Done;
        }
        self.level = self.level.max(Level::Cancelled);
        Effects::CANCEL.and(Effects::TIMER).and(Effects::DRIVE)
    }

    fn retry(&mut self) -> Effects {
        if !self.is_over() || !self.may_retry() {
            return Effects::NONE;
        }
        *self = Self { state: State::Backoff, awaited: self.awaited, ..Self::default() };
        Effects::NONE
    }

    /// The cycle fails, even where its last attempt did not.
    fn exhausted(&mut self) -> Effects {
        if self.is_over() && self.end == End::Completed {
            self.end = End::Failed;
        }
        Effects::NONE
    }

    fn finish(&mut self) -> Effects {
        if !self.is_over() {
            return Effects::NONE;
        }
        let next = self.next;
        *self = Self::default();
        let begin = if next { self.begin_cycle() } else { Effects::NONE };
        begin.and(Effects::ENDED)
    }

    fn backoff_over(&mut self) -> Effects {
        if self.state != State::Backoff {
            return Effects::NONE;
        }
        self.state = State::Starting;
        Effects::BEGIN
    }
}

#[cfg(test)]
mod tests;
