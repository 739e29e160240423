//! How much of what can be written down is reached.

use std::collections::HashSet;

use super::{Lifecycle, all_rules, states};

/// Counts how many mixtures of the fields that are not numbers are reached, of how many that can be written down.
#[test]
fn few_mixtures_can_be_written_down_that_are_not_reached() {
    let marks = |at: &Lifecycle| {
        let said = (at.run, at.requested, at.abort, at.user_code);
        (said, [at.ready, at.lost, at.unresponsive])
    };
    let all = all_rules().flat_map(|rules| states(rules).iter().map(marks));
    let reached: HashSet<_> = all.collect();
    // Five of `run`, four of `requested`, three of `abort`, two of `user_code`, and three marks.
    let written = 5 * 4 * 3 * 2 * (1 << 3);
    println!("{} of {written} mixtures are reached", reached.len());
    let requests: HashSet<_> = reached
        .iter()
        .map(|((_, requested, ..), _)| requested)
        .collect();
    let aborts: HashSet<_> = reached.iter().map(|((_, _, abort, _), _)| abort).collect();
    let runs: HashSet<_> = reached.iter().map(|((run, ..), _)| run).collect();
    assert_eq!(
        (runs.len(), requests.len(), aborts.len()),
        (5, 4, 3),
        "each is reached"
    );
}
