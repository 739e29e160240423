//! The search for an error of a type among what caused a failure.

use std::error::Error;
use std::io;
use std::iter::successors;

use crate::report::causes::{LONGEST, source};
use crate::report::{exit_code, permanent};

/// Returns the first error of this type in the source chain, and in what wrappers in it hide from that.
pub(super) fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut all = successors(Some(error), |&error| next(error)).take(LONGEST);
    all.find_map(|error| error.downcast_ref())
}

/// Returns what is behind an error. The source of a wrapper that reads as what it wraps leaves that out.
fn next<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    permanent::wrapped(error)
        .or_else(|| exit_code::wrapped(error))
        .or_else(|| wrapped_by_io(error))
        .or_else(|| source(error))
}

fn wrapped_by_io<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let error = error.downcast_ref::<io::Error>()?.get_ref()?;
    Some(error)
}
