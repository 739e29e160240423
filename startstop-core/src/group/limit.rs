//! The group's own limit on restarts.

use std::collections::VecDeque;
use std::time::Duration;

use crate::clock;

/// When the restarts within the window were.
#[derive(Debug, Default)]
pub(super) struct Limit {
    recent: VecDeque<u64>,
}

impl Limit {
    /// Whether another restart is allowed now; if so it is counted.
    pub(super) fn allows(&mut self, limit: Option<(u32, Duration)>) -> bool {
        let Some((max, window)) = limit else { return true };
        let now = clock::now();
        while self.recent.front().is_some_and(|at| clock::between(*at, now) >= window) {
            self.recent.pop_front();
        }
        let allowed = self.recent.len() < max as usize;
        if allowed {
            self.recent.push_back(now);
        }
        allowed
    }
}
