//! A reload request to a group: passed on to one member after another, in the order of their starts.
//!
//! 1. Whether a member supports a reload is not known while it does not run and comes back, or when it ends before it has answered:
//!    then the answer of the group is not that nobody does, which for a program means that SIGHUP ends it.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as Task, Poll};

use super::Supervisor;
use crate::engine::reload::combined;
use crate::group::member::MemberPart;
use crate::report::error::ReloadError;
use crate::report::state::State;
use crate::rules::graph::Id;
use crate::service::context::Reload;

type MemberAnswer = Pin<Box<dyn Future<Output = Result<(), ReloadError>> + Send>>;

/// A request that is being passed on.
pub(super) struct PassOn {
    reload: Reload,
    /// The members that were not asked yet.
    left: VecDeque<Id>,
    /// The answer of the one that was asked last; `None` where nobody is to be asked.
    answer: Option<MemberAnswer>,
    /// The first failure, or else whether any member has done it, or may have if it had run.
    result: Result<(), ReloadError>,
}

/// Asks the first member.
pub(super) fn pass_on(supervisor: &Supervisor<'_>, reload: Reload) -> PassOn {
    let (left, is_restarting) = {
        let plan = &supervisor.shared.table().plan;
        (plan.in_order().into(), plan.is_restarting())
    };
    let result = if is_restarting {
        Err(ReloadError::Stopped)
    } else {
        Err(ReloadError::NotSupported)
    };
    let mut pass = PassOn {
        reload,
        left,
        answer: None,
        result,
    };
    pass.ask_next(|id| supervisor.part(id));
    pass
}

impl PassOn {
    /// Returns the answer of the member that is being asked; at once if there is none.
    pub(super) fn poll(&mut self, task: &mut Task<'_>) -> Poll<Result<(), ReloadError>> {
        match &mut self.answer {
            Some(answer) => answer.as_mut().poll(task),
            None => Poll::Ready(Err(ReloadError::NotSupported)),
        }
    }

    /// Goes on after a member has answered: what is left to be passed on, unless all were asked.
    pub(super) fn after(
        mut self,
        answer: Result<(), ReloadError>,
        part: impl Fn(Id) -> Option<MemberPart>,
    ) -> Option<Self> {
        self.result = combined(self.result, answer);
        self.ask_next(part);
        if self.answer.is_some() {
            return Some(self);
        }
        self.reload.answer(self.result);
        None
    }

    /// Asks the next one of those that have not ended.
    fn ask_next(&mut self, part: impl Fn(Id) -> Option<MemberPart>) {
        let at_work = |id| part(id).filter(|part| part.state() != State::Stopped);
        let next = std::iter::from_fn(|| self.left.pop_front()).find_map(at_work);
        self.answer = next
            .map(|part| -> MemberAnswer { Box::pin(async move { part.runner.reload().await }) });
    }
}
