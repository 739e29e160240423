//! The text of an error.

use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Returns the text of an error, which is code of the user and may panic.
pub(crate) fn text_of(error: &dyn Error) -> String {
    let text = catch_unwind(AssertUnwindSafe(|| error.to_string()));
    text.unwrap_or_else(|_| "its text panicked".to_owned())
}
