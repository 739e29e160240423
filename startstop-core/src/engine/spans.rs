//! The span of an attempt, for `tracing`.

use std::sync::Arc;

#[cfg(feature = "tracing")]
use super::placement::Placement;
#[cfg(feature = "tracing")]
use super::update;
use super::{Deferred, Node, Shared, Synced};
use crate::report::trace::AttemptSpan;
#[cfg(feature = "tracing")]
use crate::report::trace::is_traced;

/// Returns the span of the attempt with this cycle and number; none where nothing runs any more.
#[cfg(feature = "tracing")]
pub(super) fn open(synced: &mut Synced, tag: (u64, u64), deferred: &mut Deferred) -> AttemptSpan {
    use crate::report::state::State;

    let known = synced
        .rare()
        .is_some_and(|rare| rare.attempt_span.is_of(tag));
    match (synced.rare(), synced.life.state()) {
        (Some(rare), _) if known => rare.attempt_span.clone(),
        (_, State::Stopped) => AttemptSpan::default(),
        _ if !is_traced() => AttemptSpan::default(),
        _ => {
            let path = synced.cold().placement.as_mut().map(Placement::path);
            let span = path
                .map(|path| AttemptSpan::new(path, tag))
                .unwrap_or_default();
            deferred.drop_span(std::mem::replace(
                &mut synced.make_rare().attempt_span,
                span.clone(),
            ));
            span
        }
    }
}

/// Sees to it that a span has something to be named after.
#[cfg(feature = "tracing")]
pub(super) fn name(synced: &mut Synced, shared: &Shared) {
    if is_traced() {
        synced.path(&shared.settings);
    }
}

/// Returns the span of the attempt that the driver enters.
#[cfg(feature = "tracing")]
pub(crate) fn enter(node: &Arc<dyn Node>) -> AttemptSpan {
    update(node, |shared, synced, deferred| {
        name(synced, shared);
        let tag = synced.tag();
        open(synced, tag, deferred)
    })
}

/// Returns the span of attempt `epoch`.
#[cfg(feature = "tracing")]
pub(crate) fn of(synced: &Synced, shared: &Shared, epoch: u64) -> AttemptSpan {
    let rare = synced.rare().filter(|_| shared.is_current(epoch));
    rare.map(|rare| rare.attempt_span.clone())
        .unwrap_or_default()
}

/// The attempt is over, and with it its span, once whoever is in it has left.
#[cfg(feature = "tracing")]
pub(super) fn close(synced: &mut Synced, deferred: &mut Deferred) {
    if let Some(rare) = synced.rare_mut() {
        deferred.drop_span(std::mem::take(&mut rare.attempt_span));
    }
}

#[cfg(not(feature = "tracing"))]
pub(super) fn open(_: &mut Synced, _: (u64, u64), _: &mut Deferred) -> AttemptSpan {
    AttemptSpan::default()
}

#[cfg(not(feature = "tracing"))]
pub(super) fn name(_: &mut Synced, _: &Shared) {}

#[cfg(not(feature = "tracing"))]
pub(crate) fn enter(_: &Arc<dyn Node>) -> AttemptSpan {
    AttemptSpan::default()
}

#[cfg(not(feature = "tracing"))]
pub(super) fn close(_: &mut Synced, _: &mut Deferred) {}

impl Shared {
    /// Returns the span of attempt `epoch`.
    #[cfg(feature = "tracing")]
    pub(crate) fn span(&self, epoch: u64) -> AttemptSpan {
        of(&self.synced(), self, epoch)
    }

    /// Returns the span of attempt `epoch`.
    #[cfg(not(feature = "tracing"))]
    #[allow(clippy::unused_self)]
    pub(crate) fn span(&self, _epoch: u64) -> AttemptSpan {
        AttemptSpan::default()
    }
}
