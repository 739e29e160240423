//! Which signals the program was told to ignore by who has started it.
//!
//! Asking the system takes a call that is unsafe; Linux tells it by a file as well. Elsewhere nothing is known, and no
//! signal counts as ignored.

use std::fs;

/// Returns whether the process ignores a signal at this moment.
pub(super) fn is_ignored(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    ignored_in(&status).is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

/// Returns the signals that are ignored, as bits, signal 1 first.
fn ignored_in(status: &str) -> Option<u64> {
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))?;
    u64::from_str_radix(mask.trim(), 16).ok()
}

#[cfg(test)]
mod tests {
    use super::ignored_in;

    #[test]
    fn the_mask_of_ignored_signals_is_read_from_the_status_of_a_process() {
        let status = "Name:\tnohup\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000007\n";
        assert_eq!(ignored_in(status), Some(0b111));
        assert_eq!(ignored_in("Name:\tnohup\n"), None);
    }
}
