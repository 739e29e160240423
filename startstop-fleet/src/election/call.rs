//! The call that is on its way, its limit, and what its answer means.

use std::time::Duration;

use super::{Action, Call, CallError, CallId, Election, ElectionStage, Rule};
use crate::record::Record;

#[derive(Debug)]
pub(super) struct Pending {
    id: CallId,
    kind: CallKind,
    sent: Duration,
    /// From then on its answer is nobody's.
    pub(super) limit: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CallKind {
    Read,
    Take,
    Renew,
    Release,
}

impl Pending {
    pub(super) fn is_take(&self) -> bool {
        self.kind == CallKind::Take
    }
}

impl Election {
    pub(super) fn call(&mut self, now: Duration, call: Call, actions: &mut Vec<Action>) {
        let kind = match &call {
            Call::Read => CallKind::Read,
            Call::Take { .. } => CallKind::Take,
            Call::Renew { .. } => CallKind::Renew,
            Call::Release { .. } => CallKind::Release,
        };
        self.calls += 1;
        let id = CallId(self.calls);
        let limit = self.call_limit();
        self.pending = Some(Pending {
            id,
            kind,
            sent: now,
            limit: now + limit,
        });
        actions.push(Action::Call { id, call, limit });
    }

    pub(super) fn give_up_late_call(&mut self, now: Duration) {
        if let Some(pending) = self.pending.take_if(|pending| now >= pending.limit) {
            self.on_failed(pending.kind, pending.sent, CallError::Unknown);
        }
    }

    pub(super) fn on_answer(
        &mut self,
        now: Duration,
        call: CallId,
        result: Result<Record, CallError>,
        actions: &mut Vec<Action>,
    ) {
        self.give_up_late_call(now);
        let Some(pending) = self.pending.take_if(|pending| pending.id == call) else {
            return;
        };
        match result {
            Ok(record) => self.on_success(now, &pending, record, actions),
            Err(error) => self.on_failed(pending.kind, pending.sent, error),
        }
    }

    fn on_success(
        &mut self,
        now: Duration,
        pending: &Pending,
        record: Record,
        actions: &mut Vec<Action>,
    ) {
        match pending.kind {
            CallKind::Read => self.on_read(now, pending.sent, record, actions),
            CallKind::Take => self.on_taken(now, pending.sent, record, actions),
            CallKind::Renew => self.on_renewed(now, pending.sent, record, actions),
            CallKind::Release => self.on_released(now),
        }
    }

    fn on_failed(&mut self, kind: CallKind, sent: Duration, error: CallError) {
        let error = match kind {
            // It compares nothing.
            CallKind::Read => CallError::Unknown,
            _ => error,
        };
        self.next = match (kind, error) {
            (CallKind::Take, CallError::Conflict) => sent + self.follower.outrun(&self.timing),
            (_, CallError::Conflict) => sent,
            (_, CallError::Unknown) => self.try_again(sent),
        };
        match (kind, error) {
            // After a take, whatever its result, what was seen before may be outdated.
            (CallKind::Take, _) => self.follower.doubt(),
            (CallKind::Renew, CallError::Conflict) => self.doubt(),
            (CallKind::Renew, CallError::Unknown) => {}
            (CallKind::Read | CallKind::Release, error) => self.on_release_failed(sent, error),
        }
    }

    /// When a call that nobody answered is tried again.
    fn try_again(&mut self, sent: Duration) -> Duration {
        match self.stage {
            ElectionStage::Following => sent + self.follower.pause(sent, &self.timing),
            _ => sent + self.timing.retry,
        }
    }

    /// Returns from when on a term counts whose request was sent and answered then.
    pub(super) fn counted_from(&self, sent: Duration, answered: Duration) -> Duration {
        if self.keeps(Rule::ValidFromTheRequest) {
            sent
        } else {
            answered
        }
    }

    pub(super) fn validity(&self) -> Duration {
        let keeps = self.keeps(Rule::SkewIsLeftOut);
        if keeps {
            self.timing.validity()
        } else {
            self.timing.lease
        }
    }

    fn call_limit(&self) -> Duration {
        let keeps = self.keeps(Rule::CallsEndBeforeTheNext);
        if keeps {
            self.timing.call_limit()
        } else {
            self.timing.retry * 3
        }
    }
}
