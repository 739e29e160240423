//! How long members take one after another, along the longest path.

use std::time::Duration;

use super::Board;
use crate::rules::graph::Id;

impl Board {
    /// The longest sum of `time` along a path of members that depend on each other.
    pub(crate) fn longest_path(&self, time: impl Fn(Id) -> Duration) -> Duration {
        let mut below = vec![Duration::ZERO; self.places.len()];
        let mut longest = Duration::ZERO;
        self.walk_in_order(|id, place| {
            let own = if place.barrier { Duration::ZERO } else { time(id) };
            let all = below[id.0].saturating_add(own);
            longest = longest.max(all);
            for dependent in &place.dependents {
                below[dependent.0] = below[dependent.0].max(all);
            }
        });
        longest
    }
}
