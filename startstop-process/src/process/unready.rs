//! A child that is not ready yet.

use startstop_core::Context;
use tokio::time::Instant;

use super::Process;
use crate::error::ProcessError;
use crate::output::TailHandle;

/// Tells what was waited for if the attempt is aborted before it is ready: its start has timed out.
pub(super) struct Unready<'a> {
    process: &'a Process,
    cx: &'a Context,
    tail: TailHandle,
    since: Instant,
    armed: bool,
}

impl<'a> Unready<'a> {
    pub(super) fn new(process: &'a Process, cx: &'a Context, tail: TailHandle) -> Self {
        Self {
            process,
            cx,
            tail,
            since: Instant::now(),
            armed: true,
        }
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
        let Some(ready) = self.process.ready.as_ref().filter(|_| self.armed) else {
            return;
        };
        let why = format!("{} after {:.1?}", ready.missing(), self.since.elapsed());
        self.cx.report(ProcessError::NotReady {
            why,
            tail: self.tail.lines(),
        });
    }
}
