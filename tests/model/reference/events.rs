//! Events that happen by themselves, one after the other.

use startstop_core::{Cause, Phase, Readiness, State};

use super::attempt::{AbortedBy, Attempt, Hook, Part, Ready, StopStage, Why, after};
use super::{Answer, Failed, Reference};
use crate::model::plan::NEVER;
use crate::model::script::{Act, End};

/// An event at a certain time.
#[derive(Debug, Clone, Copy)]
enum Event {
    /// `run` does the next thing that its script says.
    Act(Act),
    RunEnds(End),
    HookEnds(End),
    TaskEnds(usize, End),
    Late,
    Silent,
    Drained,
    StopDue,
    BackoffOver,
    Reloaded,
}

impl Reference {
    /// Lets time pass until nothing happens in the instant that is reached; how much that took.
    pub(in crate::model) fn advance(&mut self, gap: u64) -> u64 {
        let began = self.now;
        let mut until = began + gap;
        while self.instant() {}
        while let Some((at, event)) = self.next_event() {
            if at > until {
                break;
            }
            if at == until {
                // A look in that instant might come before the event or after it.
                until += 1;
            }
            self.now = at;
            self.happen(event);
            while self.instant() {}
            if self.tied {
                break;
            }
        }
        self.now = until;
        until - began
    }

    /// Does what is to be done before time passes; whether there was anything.
    fn instant(&mut self) -> bool {
        let attempt = &self.attempt;
        match self.state {
            State::Stopped | State::Backoff => return false,
            _ if attempt.stage == StopStage::Abort && attempt.is_alive() => self.drop_all(),
            State::Starting if attempt.entered.is_none() => self.enter(),
            _ if attempt.hook == Hook::Due => self.call_hook(),
            _ if attempt.why.is_some() && !attempt.is_alive() => self.settle(),
            _ => return self.look_at_reloads(),
        }
        true
    }

    fn next_event(&mut self) -> Option<(u64, Event)> {
        let mut next: Option<(u64, Event)> = None;
        let mut tied = false;
        self.each_event(|at, event| match next {
            Some((first, _)) if first < at => {}
            Some((first, _)) if first == at => tied = true,
            _ => {
                next = Some((at, event));
                tied = false;
            }
        });
        self.tied |= tied;
        next
    }

    fn each_event(&self, mut add: impl FnMut(u64, Event)) {
        let attempt = &self.attempt;
        let mut add = |at: u64, event| {
            if at != NEVER {
                add(at, event);
            }
        };
        if self.state == State::Backoff {
            return add(self.due, Event::BackoffOver);
        }
        self.each_of_run(&mut add);
        if let Some(at) = self.reload_ends() {
            add(at, Event::Reloaded);
        }
        if let Hook::Live(Some((at, end))) = attempt.hook {
            add(at, Event::HookEnds(end));
        }
        for (place, task) in attempt.tasks.iter().enumerate() {
            if let Some((at, end)) = task.ends {
                add(at, Event::TaskEnds(place, end));
            }
        }
        self.each_deadline(add);
    }

    fn each_of_run(&self, add: &mut impl FnMut(u64, Event)) {
        let attempt = &self.attempt;
        let (Some(run), Some(entered)) = (attempt.run, attempt.entered) else {
            return;
        };
        if let Some((at, end)) = run.ends {
            return add(at, Event::RunEnds(end));
        }
        if let Some((at, act)) = attempt.script.acts.get(attempt.done) {
            add(entered + at, Event::Act(*act));
        }
    }

    fn each_deadline(&self, mut add: impl FnMut(u64, Event)) {
        let (attempt, plan) = (&self.attempt, &self.plan);
        if let (State::Starting | State::Running, Some(beat)) = (self.state, attempt.beat) {
            let silence = plan.watchdog.unwrap_or(NEVER);
            add(beat.saturating_add(silence), Event::Silent);
        }
        match self.state {
            State::Starting if plan.readiness == Readiness::Explicit => {
                if let Some(entered) = attempt.entered {
                    add(entered.saturating_add(plan.start_timeout), Event::Late);
                }
            }
            State::Stopping if attempt.is_alive() => {
                if let Some(at) = attempt.drain_ends() {
                    add(at, Event::Drained);
                } else if let Some(at) = attempt.stop_at {
                    add(at, Event::StopDue);
                }
            }
            _ => {}
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Act(act) => {
                self.attempt.done += 1;
                self.act(act);
                self.end_poll();
            }
            Event::RunEnds(end) => self.run_ends(end),
            Event::HookEnds(end) => {
                self.attempt.hook = Hook::Done;
                let _ = self.record_end(Phase::Shutdown, end);
            }
            Event::TaskEnds(place, end) => {
                self.attempt.tasks.remove(place);
                self.task_ends(end);
            }
            Event::Late => self.fail(Why::Late, Cause::TimedOut),
            Event::Silent => self.fail(Why::Silent, Cause::Unresponsive),
            // Open: what comes first where there is no time between the two.
            Event::Drained if self.ends_with_its_drain() => self.stop_due(),
            Event::Drained => self.end_drain(),
            Event::StopDue => self.stop_due(),
            Event::BackoffOver => self.set_state(State::Starting),
            Event::Reloaded => self.answer_reload(),
        }
    }

    fn enter(&mut self) {
        let script = (self.scripts)(self.attempts_before + self.attempts);
        self.attempts += 1;
        // Open: whether one that is waited for counts. It does not.
        self.restarts += u64::from(self.attempts > 1);
        self.healthy = 0;
        let leave = script.leave;
        let bomb = script.bomb == Some(Phase::Run);
        let run = Some(Part {
            ends: None,
            leave,
            bomb,
        });
        self.attempt = Attempt {
            script,
            run,
            entered: Some(self.now),
            ..Attempt::default()
        };
        if self.plan.readiness == Readiness::Immediate {
            self.become_ready();
        }
        // The first poll does all acts at zero, whatever they ask for.
        while let Some((0, act)) = self.attempt.script.acts.get(self.attempt.done).copied() {
            if self.attempt.run.is_none() {
                break;
            }
            self.attempt.done += 1;
            self.act(act);
        }
        self.end_poll();
    }

    /// A service that has asked for its own abort sees the cancellation before it is dropped, in the same poll.
    fn end_poll(&mut self) {
        if self.attempt.stage != StopStage::Abort {
            return;
        }
        let leave = self.attempt.run.and_then(|run| run.leave);
        if let Some(leave) = leave.filter(|leave| leave.after == 0) {
            self.run_ends(leave.end);
        }
    }

    fn become_ready(&mut self) {
        self.set_state(State::Running);
        self.attempt.ready = Ready::Yes;
        self.answer_starts(Answer::Ok);
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::NotReady if self.attempt.ready == Ready::Yes => {
                self.attempt.ready = Ready::TakenBack;
            }
            Act::NotReady => {}
            Act::Ready if self.attempt.ready == Ready::TakenBack => self.attempt.ready = Ready::Yes,
            Act::Ready => {
                let explicit = self.plan.readiness == Readiness::Explicit;
                if explicit && self.state == State::Starting {
                    self.become_ready();
                }
            }
            Act::Report => drop(self.record(Phase::Run, Cause::Reported)),
            Act::Beat => self.attempt.beat = Some(self.now),
            // An aborted attempt takes no more tasks: it drops the future at once, within `run`.
            Act::Spawn(task) if self.attempt.stage == StopStage::Abort => {
                if task.bomb {
                    self.run_ends(End::Panic);
                }
            }
            Act::Spawn(task) => {
                let told = self.attempt.is_told();
                self.attempt.tasks.push(Part::task(task, self.now, told));
            }
            Act::RequestStop => self.stop(None, None),
            // Open: nobody could stop what comes of it.
            Act::RequestRestart if self.left => {}
            Act::RequestRestart => self.restart(None),
            Act::End(end) => self.run_ends(end),
        }
    }

    fn record_end(&mut self, phase: Phase, end: End) -> Option<Failed> {
        end.cause().map(|cause| self.record(phase, cause))
    }

    fn task_ends(&mut self, end: End) {
        let failed = self.record_end(Phase::Task, end);
        let job = self.plan.readiness == Readiness::Completion;
        if !job || self.attempt.why.is_some() {
            return;
        }
        self.attempt.flaw = self.attempt.flaw.or(failed.map(|failed| (failed, end)));
        if self.attempt.run.is_none() && self.attempt.tasks.is_empty() {
            self.ends_by_itself(End::Ok, None);
        }
    }

    fn run_ends(&mut self, end: End) {
        self.attempt.run = None;
        let failed = self.record_end(Phase::Run, end);
        if self.attempt.why.is_some() {
            // Open: whether `shutdown` is called when `run` ends in a drain, and when. It is, at once.
            if self.attempt.drain_ends().is_some() {
                self.end_drain();
            }
            return;
        }
        let job = self.plan.readiness == Readiness::Completion;
        if end == End::Ok && job && !self.attempt.tasks.is_empty() {
            return; // until the tasks have ended
        }
        self.ends_by_itself(end, failed);
    }

    /// The failure of an attempt that ended well without having been ready, or of a job whose task failed.
    fn flaw(&mut self) -> Option<(Failed, End)> {
        match self.plan.readiness {
            Readiness::Explicit if self.attempt.ready == Ready::NotYet => {
                Some((self.record(Phase::Run, Cause::NotReady), End::Ok))
            }
            Readiness::Completion => self.attempt.flaw,
            _ => None,
        }
    }

    fn ends_by_itself(&mut self, end: End, failed: Option<Failed>) {
        let failed = failed.map(|failed| (failed, end)).or_else(|| self.flaw());
        self.attempt.ended_by = failed.map(|(failed, _)| failed);
        self.attempt.why = Some(failed.map_or(Why::Completed, |(_, end)| Why::Failed(end)));
        if failed.is_none() {
            if self.attempt.ready == Ready::NotYet {
                self.attempt.ready = Ready::Yes;
                self.answer_starts(Answer::Ok);
            }
            self.done = self.plan.readiness == Readiness::Completion;
        }
        self.attempt.tell(self.now);
        if self.plan.shutdown_always {
            self.cancel();
        }
        self.attempt.stop_at = Some(self.now.saturating_add(self.plan.stop_timeout));
        if self.attempt.is_alive() {
            self.set_state(State::Stopping);
        }
    }

    fn call_hook(&mut self) {
        self.shutdowns += 1;
        self.attempt.hook = Hook::Live(after(self.attempt.script.hook, self.now));
    }

    /// Not ready in time, or silent: the attempt is aborted, without `shutdown`.
    fn fail(&mut self, why: Why, cause: Cause) {
        self.attempt.why = Some(why);
        let phase = self.attempt.blamed();
        self.attempt.ended_by = Some(self.record(phase, cause));
        self.set_state(State::Stopping);
        self.attempt.abort();
    }

    fn ends_with_its_drain(&self) -> bool {
        let aborts = self.plan.stop_timeout == 0 && !self.attempt.limited;
        self.attempt.stop_at == Some(self.now) && !aborts
    }

    fn stop_due(&mut self) {
        let phase = self.attempt.blamed();
        self.record(phase, Cause::TimedOut);
        if self.attempt.is_asked() {
            self.attempt.aborted_by = Some(AbortedBy::Deadline);
        }
        self.attempt.abort();
    }

    fn drop_all(&mut self) {
        let bomb = self.attempt.drop_all();
        if let Some(phase) = bomb {
            self.record(phase, Cause::Panic);
        }
        let aborted = matches!(self.attempt.why, Some(Why::Late | Why::Silent));
        let uncalled = self.attempt.hook == Hook::Idle;
        if aborted && uncalled && self.plan.shutdown_always && self.plan.hooked {
            // The contract of `shutdown_always`: "Once after every attempt however that attempt ended."
            self.attempt.hook = Hook::Due;
            self.attempt.stage = StopStage::Cancel;
            self.attempt.stop_at = Some(self.now.saturating_add(self.plan.stop_timeout));
        }
    }
}
