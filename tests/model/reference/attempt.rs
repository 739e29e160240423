//! One attempt: what of it is alive, and why it ends.

use startstop_core::{Cause, Exit, Phase};

use super::{Answer, Failed};
use crate::model::script::{End, Leave, Script, Task};

/// Why an attempt ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// `run` has returned `Ok` by itself.
    Completed,
    /// `run` has failed by itself.
    Failed(End),
    /// Somebody has asked for it.
    Asked,
    /// It was not ready in time.
    Late,
    /// It was silent for too long.
    Silent,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Hook {
    #[default]
    Idle,
    /// To be called.
    Due,
    /// It ends then, if it does.
    Live(Option<(u64, End)>),
    Done,
}

/// A part that is alive and when it ends, if it does.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub(super) ends: Option<(u64, End)>,
    pub(super) leave: Option<Leave>,
    pub(super) bomb: bool,
}

/// How far the stop of an attempt has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum StopStage {
    #[default]
    None,
    /// Until then the context is not cancelled.
    Drain(u64),
    /// The context is cancelled.
    Cancel,
    /// The parts that are alive are to be dropped.
    Abort,
}

/// Whether the attempt counts as ready.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Ready {
    #[default]
    NotYet,
    Yes,
    /// It was, until the service took that back.
    TakenBack,
}

/// The last request for the end of the attempt: no policy has a say then.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Asked {
    #[default]
    Nothing,
    Stop,
    /// Another cycle follows.
    NewCycle,
}

/// The reason why a stop aborted something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AbortedBy {
    Request,
    Deadline,
}

#[derive(Debug, Default)]
pub(super) struct Attempt {
    pub(super) script: Script,
    /// When `run` was entered.
    pub(super) entered: Option<u64>,
    /// The acts of `run` that were done.
    pub(super) done: usize,
    /// `run`; its acts come beside, until it leaves.
    pub(super) run: Option<Part>,
    pub(super) hook: Hook,
    pub(super) tasks: Vec<Part>,
    /// The last heartbeat, or the entry into `Running`; none before the first of them.
    pub(super) beat: Option<u64>,
    /// The first failure of a task of a job.
    pub(super) flaw: Option<(Failed, End)>,
    pub(super) ready: Ready,
    pub(super) stage: StopStage,
    /// Each request for the stop has come with a limit.
    pub(super) limited: bool,
    /// When what is left is aborted.
    pub(super) stop_at: Option<u64>,
    pub(super) why: Option<Why>,
    pub(super) asked: Asked,
    pub(super) aborted_by: Option<AbortedBy>,
    pub(super) ended_by: Option<Failed>,
    /// The last failure after the stop had begun.
    pub(super) failed_after: Option<Failed>,
}

impl Part {
    pub(super) fn task(task: Task, now: u64, told: bool) -> Self {
        let mut part = Self {
            ends: after(task.ends, now),
            leave: task.leave,
            bomb: task.bomb,
        };
        if told {
            part.tell(now);
        }
        part
    }

    /// It sees the cancellation, unless it is deaf.
    pub(super) fn tell(&mut self, now: u64) {
        if self.leave.is_some() {
            self.ends = after(self.leave, now);
        }
    }
}

pub(super) fn after(leave: Option<Leave>, now: u64) -> Option<(u64, End)> {
    leave.map(|leave| (now + leave.after, leave.end))
}

impl Attempt {
    /// Whether the context is cancelled.
    pub(super) fn is_told(&self) -> bool {
        matches!(self.stage, StopStage::Cancel | StopStage::Abort)
    }

    /// Whether a stop or a new cycle was asked for.
    pub(super) fn is_asked(&self) -> bool {
        self.asked != Asked::Nothing
    }

    /// The end of the drain that it is in.
    pub(super) fn drain_ends(&self) -> Option<u64> {
        match self.stage {
            StopStage::Drain(until) => Some(until),
            _ => None,
        }
    }

    pub(super) fn is_alive(&self) -> bool {
        let hook = matches!(self.hook, Hook::Due | Hook::Live(_));
        self.run.is_some() || hook || !self.tasks.is_empty()
    }

    /// How many futures of the service there are.
    pub(super) fn live(&self) -> u64 {
        let hook = matches!(self.hook, Hook::Live(_));
        u64::from(self.run.is_some()) + u64::from(hook) + self.tasks.len() as u64
    }

    /// The part that is blamed for a missed deadline. Open: the contract does not say which of several.
    pub(super) fn blamed(&self) -> Phase {
        match self.hook {
            _ if self.run.is_some() => Phase::Run,
            Hook::Live(_) => Phase::Shutdown,
            _ => Phase::Task,
        }
    }

    /// The limit forbids another attempt: the cycle fails.
    pub(super) fn exhaust(&mut self) {
        if self.why == Some(Why::Completed) {
            self.why = Some(Why::Failed(End::Ok));
        }
    }

    pub(super) fn exit(&self) -> Exit {
        match self.why {
            // Open: the contract does not say that tasks which miss the deadline after `run` has ended
            // by itself make it another exit, so only those of a stop do.
            _ if self.aborted_by.is_some() => Exit::Aborted,
            Some(Why::Failed(_) | Why::Late | Why::Silent) => Exit::Failed,
            _ if self.failed_after.is_some() => Exit::Failed,
            Some(Why::Completed) => Exit::Completed,
            Some(Why::Asked) | None => Exit::Stopped,
        }
    }

    pub(super) fn stop_answer(&self) -> Answer {
        match self.failed_after {
            _ if self.aborted_by == Some(AbortedBy::Deadline) => Answer::TimedOut,
            Some(failed) => Answer::Failed(failed),
            None => Answer::Ok,
        }
    }

    /// The answer of a start that was not answered, with the last failure of the cycle.
    pub(super) fn start_answer(&self, last: Option<Failed>) -> Answer {
        match self.ended_by.or(last) {
            _ if self.why == Some(Why::Late) => Answer::TimedOut,
            Some(failed) => Answer::Failed(failed),
            None => Answer::Stopped,
        }
    }
}

impl Failed {
    pub(super) fn is_panic(self) -> bool {
        self.cause == Cause::Panic
    }
}

/// Changes of an attempt.
impl Attempt {
    /// The context is cancelled.
    pub(super) fn tell(&mut self, now: u64) {
        if self.is_told() {
            return;
        }
        self.stage = StopStage::Cancel;
        for part in self.run.iter_mut().chain(&mut self.tasks) {
            part.tell(now);
        }
    }

    /// Marks all parts to be dropped; a `shutdown` that was not called will not be.
    pub(super) fn abort(&mut self) {
        self.stage = StopStage::Abort;
        self.stop_at = None;
        if self.hook == Hook::Due {
            self.hook = Hook::Done;
        }
    }

    /// Drops what is alive; the part whose drop panics, if there is one.
    pub(super) fn drop_all(&mut self) -> Option<Phase> {
        let run = self.run.take().filter(|run| run.bomb).map(|_| Phase::Run);
        let task = self
            .tasks
            .drain(..)
            .any(|task| task.bomb)
            .then_some(Phase::Task);
        let hook = match self.hook {
            Hook::Live(_) => {
                self.hook = Hook::Done;
                (self.script.bomb == Some(Phase::Shutdown)).then_some(Phase::Shutdown)
            }
            _ => None,
        };
        run.or(task).or(hook)
    }
}
