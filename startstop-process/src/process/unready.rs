//! A child that is not ready yet.

use std::sync::{Mutex, PoisonError};

use startstop_core::{Context, StopReason};
use tokio::time::Instant;

use super::Process;
use super::helper::Refusal;
use crate::error::ProcessError;
use crate::output::TailHandle;

/// Tells what was waited for if the attempt is aborted because it is late. A hard stop, or the end of
/// the runtime, is no failure of the child.
pub(super) struct Unready<'a> {
    process: &'a Process,
    cx: &'a Context,
    tail: TailHandle,
    since: Instant,
    /// The end of the last try.
    refusal: Mutex<Option<Refusal>>,
    armed: bool,
}

impl<'a> Unready<'a> {
    pub(super) fn new(process: &'a Process, cx: &'a Context, tail: TailHandle) -> Self {
        Self {
            process,
            cx,
            tail,
            since: Instant::now(),
            refusal: Mutex::new(None),
            armed: true,
        }
    }

    pub(super) const fn cx(&self) -> &'a Context {
        self.cx
    }

    /// Notes what came of a try, and shows it. What it has said may differ each time, and is told at the end.
    pub(super) fn was_refused(&self, refusal: Refusal) {
        let mut last = self.refusal.lock().unwrap_or_else(PoisonError::into_inner);
        if last.as_ref().is_none_or(|last| last.why != refusal.why) {
            if let Some(ready) = &self.process.ready {
                let missing = ready.missing();
                self.cx.not_ready(format!("{missing}: {}", refusal.why));
            }
        }
        *last = Some(refusal);
    }

    pub(super) const fn is_armed(&self) -> bool {
        self.armed
    }

    pub(super) const fn disarm(&mut self) {
        self.armed = false;
    }
}

impl Drop for Unready<'_> {
    fn drop(&mut self) {
        let reason = self.cx.reason();
        let is_late = matches!(
            reason,
            Some(StopReason::StartTimedOut | StopReason::Watchdog)
        );
        let is_told = self.armed && is_late;
        let Some(ready) = self.process.ready.as_ref().filter(|_| is_told) else {
            return;
        };
        let refusal = self
            .refusal
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        let refusal = refusal.as_ref().map(|refusal| format!(": {refusal}"));
        let why = format!(
            "{} after {:.1?}{}",
            ready.missing(),
            self.since.elapsed(),
            refusal.unwrap_or_default()
        );
        self.cx.report(ProcessError::NotReady {
            why,
            tail: self.tail.lines(),
        });
    }
}
