//! The text of an error, and what caused it.

use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Returns the text of an error, which is code of the user and may panic.
pub(crate) fn text_of(error: &dyn Error) -> String {
    let text = catch_unwind(AssertUnwindSafe(|| error.to_string()));
    text.unwrap_or_else(|_| "its text panicked".to_owned())
}

/// Returns an error and what caused it, outermost first; not all of a chain that leads back to itself, which has no end.
pub(crate) fn causes<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source()).take(1_000)
}
