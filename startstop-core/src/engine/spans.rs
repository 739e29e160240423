//! The span of an attempt, for `tracing`.

use super::{Deferred, Shared, Synced};
use crate::report::trace::AttemptSpan;
#[cfg(feature = "tracing")]
use crate::report::trace::is_traced;

#[cfg(feature = "tracing")]
impl Synced {
    /// The span of the attempt with this cycle and number; none where nothing runs any more.
    pub(super) fn open_span(&mut self, tag: (u64, u64), deferred: &mut Deferred) -> AttemptSpan {
        use crate::report::state::State;

        let known = self.rare.as_ref().is_some_and(|rare| rare.attempt_span.is_of(tag));
        match (&mut self.rare, self.life.state()) {
            (Some(rare), _) if known => rare.attempt_span.clone(),
            (_, State::Stopped) => AttemptSpan::default(),
            _ if !is_traced() => AttemptSpan::default(),
            _ => {
                let path = self.rare().path.clone();
                let span = path.map(|path| AttemptSpan::new(path, tag)).unwrap_or_default();
                deferred.drop_span(std::mem::replace(&mut self.rare().attempt_span, span.clone()));
                span
            }
        }
    }

    /// Sees to it that a span has something to be named after.
    pub(super) fn name_span(&mut self, shared: &Shared) {
        if is_traced() {
            self.path(shared);
        }
    }

    /// The span of the attempt that the driver enters.
    pub(crate) fn enter_span(&mut self, shared: &Shared, deferred: &mut Deferred) -> AttemptSpan {
        self.name_span(shared);
        let tag = self.tag();
        self.open_span(tag, deferred)
    }

    /// The span of attempt `epoch`.
    pub(crate) fn span(&self, epoch: u64) -> AttemptSpan {
        let rare = self.rare.as_ref().filter(|_| self.attempts == epoch);
        rare.map(|rare| rare.attempt_span.clone()).unwrap_or_default()
    }

    /// The attempt is over, and with it its span, once whoever is in it has left.
    pub(super) fn close_span(&mut self, deferred: &mut Deferred) {
        if let Some(rare) = &mut self.rare {
            deferred.drop_span(std::mem::take(&mut rare.attempt_span));
        }
    }
}

#[cfg(not(feature = "tracing"))]
#[allow(clippy::unused_self)]
impl Synced {
    pub(super) fn open_span(&mut self, _: (u64, u64), _: &mut Deferred) -> AttemptSpan {
        AttemptSpan::default()
    }

    pub(super) fn name_span(&mut self, _: &Shared) {}

    pub(crate) fn enter_span(&mut self, _: &Shared, _: &mut Deferred) -> AttemptSpan {
        AttemptSpan::default()
    }

    pub(super) fn close_span(&mut self, _: &mut Deferred) {}
}

impl Shared {
    /// The span of attempt `epoch`.
    #[cfg(feature = "tracing")]
    pub(crate) fn span(&self, epoch: u64) -> AttemptSpan {
        self.synced().span(epoch)
    }

    /// The span of attempt `epoch`.
    #[cfg(not(feature = "tracing"))]
    #[allow(clippy::unused_self)]
    pub(crate) fn span(&self, _epoch: u64) -> AttemptSpan {
        AttemptSpan::default()
    }
}
