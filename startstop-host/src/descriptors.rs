//! A process that has no descriptor left for whoever connects.

use std::io;

/// Returns whether the process (`EMFILE`), or the whole system (`ENFILE`), has no descriptor left.
pub(crate) fn is_want_of_descriptors(error: &io::Error) -> bool {
    const ENFILE: i32 = 23;
    const EMFILE: i32 = 24;
    cfg!(unix) && matches!(error.raw_os_error(), Some(ENFILE | EMFILE))
}
