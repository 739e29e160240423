//! The subscriber and the span of an attempt, for the thread that hands its lines on.

#[cfg(feature = "tracing")]
pub(super) struct Teller {
    heard_by: tracing::Dispatch,
    span: tracing::Span,
}

#[cfg(feature = "tracing")]
impl Teller {
    pub(super) fn here() -> Self {
        Self {
            heard_by: tracing::dispatcher::get_default(Clone::clone),
            span: tracing::Span::current(),
        }
    }

    /// Calls a function so that its events go to that subscriber, in that span.
    pub(super) fn tell(&self, f: impl FnOnce()) {
        // `NoSubscriber` on this thread must not hide a global subscriber that is set later.
        if self.heard_by.is::<tracing::subscriber::NoSubscriber>() {
            f();
        } else {
            tracing::dispatcher::with_default(&self.heard_by, || self.span.in_scope(f));
        }
    }
}

#[cfg(not(feature = "tracing"))]
pub(super) struct Teller;

#[cfg(not(feature = "tracing"))]
impl Teller {
    pub(super) const fn here() -> Self {
        Self
    }

    #[allow(clippy::unused_self)] // As with the feature.
    pub(super) fn tell(&self, f: impl FnOnce()) {
        f();
    }
}
