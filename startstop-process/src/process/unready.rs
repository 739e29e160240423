//! A child that is not ready yet.

use std::sync::{Mutex, PoisonError};

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
    /// The reason why the last try did not succeed.
    refusal: Mutex<Option<String>>,
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

    /// Notes what came of a try, and shows it.
    pub(super) fn was_refused(&self, why: String) {
        let mut refusal = self.refusal.lock().unwrap_or_else(PoisonError::into_inner);
        if refusal.as_ref() == Some(&why) {
            return;
        }
        if let Some(ready) = &self.process.ready {
            self.cx.not_ready(format!("{}: {why}", ready.missing()));
        }
        *refusal = Some(why);
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
        let refusal = self
            .refusal
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        let refusal = refusal.as_ref().map(|why| format!(": {why}"));
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
