//! An error and what caused it. Both are code of the user: a text may panic, and a chain of sources may lead back to itself.

use std::error::Error;
use std::iter::successors;

use crate::report::panic::catch_panic;

/// How many errors of a chain are looked at: one that leads back to itself has no end.
pub(crate) const LONGEST: usize = 1_000;

/// Returns an error and what caused it, outermost first.
pub(crate) fn causes<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    successors(Some(error), |&error| source(error)).take(LONGEST)
}

/// Returns what caused an error; a source that panics is none.
pub(crate) fn source<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    catch_panic(|| error.source()).ok().flatten()
}

/// Returns the text of an error: what writes a tree of statuses is not to end for one that panics.
pub(crate) fn text_of(error: &(dyn Error + 'static)) -> String {
    catch_panic(|| error.to_string()).unwrap_or_else(|_| "its text panicked".to_owned())
}
