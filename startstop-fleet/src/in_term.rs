//! `InTerm`: a service that runs in its term alone, whoever starts it.
//!
//! Its handle may be kept for longer: found by its path, say. A start that comes too late fails.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use startstop_core::__private::{Identity, Owner, Parts, Spans};
use startstop_core::{BoxError, BoxService, Context, Permanent, Service, Settings, Status};

use crate::term::{Term, TermOver};

pub(crate) struct InTerm {
    service: BoxService,
    term: Term,
    /// The last start was refused: then there is nothing to shut down.
    refused: AtomicBool,
}

impl InTerm {
    pub(crate) fn new(service: impl Service, term: Term) -> Self {
        Self {
            service: service.boxed(),
            term,
            refused: AtomicBool::new(false),
        }
    }

    /// Tells whether the last start came too late.
    pub(crate) fn was_refused(&self) -> bool {
        self.refused.load(Ordering::Acquire)
    }
}

impl Service for InTerm {
    type Error = BoxError;

    async fn run(&self, cx: Context) -> Result<(), BoxError> {
        let is_refused = !self.term.begin_run();
        self.refused.store(is_refused, Ordering::Release);
        if !is_refused {
            return self.service.run(cx).await;
        }
        // One that is about to be told to stop has not come too late.
        match cx.run_until_cancelled(self.term.until_over()).await {
            Some(()) => Err(Permanent::new(TermOver::of(&self.term)).into()),
            None => Ok(()),
        }
    }

    async fn shutdown(&self, cx: Context) -> Result<(), BoxError> {
        if self.was_refused() {
            return Ok(());
        }
        self.service.shutdown(cx).await
    }

    fn settings(&self) -> Settings {
        self.service.settings()
    }

    fn children(&self) -> Vec<Status> {
        self.service.children()
    }

    fn grace(&self) -> Option<Duration> {
        Service::grace(&self.service)
    }

    // Everything else that is asked of a service goes to the one inside.
    fn __has_shutdown(&self) -> bool {
        self.service.__has_shutdown()
    }

    fn __grace(&self, parts: Spans<'_>) -> Option<Duration> {
        self.service.__grace(parts)
    }

    fn __is_owner(&self) -> bool {
        self.service.__is_owner()
    }

    fn __identity(&self) -> Option<Identity> {
        self.service.__identity()
    }

    fn __parts(&self) -> Parts {
        self.service.__parts()
    }

    fn __bind(&self, owner: Owner) {
        self.service.__bind(owner);
    }
}
