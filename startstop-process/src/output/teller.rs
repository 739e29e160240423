//! The thread that hands lines on speaks to the subscriber of the attempt, in its span.

use tracing::dispatcher::{get_default, with_default};
use tracing::subscriber::NoSubscriber;
use tracing::{Dispatch, Span};

/// Wraps a function for another thread so that its events go to the subscriber and the span of this one.
pub(super) fn as_here(f: impl FnOnce() + Send + 'static) -> impl FnOnce() + Send + 'static {
    let (heard_by, span) = (get_default(Dispatch::clone), Span::current());
    move || {
        // `NoSubscriber` on this thread must not hide a global subscriber that is set later.
        if heard_by.is::<NoSubscriber>() {
            f();
        } else {
            with_default(&heard_by, || span.in_scope(f));
        }
    }
}
