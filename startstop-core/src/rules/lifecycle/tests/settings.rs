//! The mixtures of settings that are walked.

use super::super::{Rules, ShutdownRule};
use crate::report::state::Readiness;
use crate::rules::walks::share;

/// Returns the rules that are walked: all 72, or nine of them, in which each readiness meets each rule of `shutdown`, and each
/// mixture of the three others is there.
pub(super) fn all_rules() -> impl Iterator<Item = Rules> {
    let nine = |at: &usize| at % 8 == at / 8 * 5 % 8;
    let is_walked = move |at: &usize| share(nine(at), true);
    let all = every_rules().enumerate();
    all.filter_map(move |(at, rules)| is_walked(&at).then_some(rules))
}

fn every_rules() -> impl Iterator<Item = Rules> {
    let readiness = [
        Readiness::Immediate,
        Readiness::Explicit,
        Readiness::Completion,
    ];
    readiness.into_iter().flat_map(|readiness| {
        let shutdown = [
            ShutdownRule::None,
            ShutdownRule::OnStop,
            ShutdownRule::Always,
        ];
        shutdown.into_iter().flat_map(move |shutdown| {
            (0..8).map(move |bits| Rules {
                readiness,
                shutdown,
                drains: bits & 1 != 0,
                aborts: bits & 2 != 0,
                owner: bits & 4 != 0,
            })
        })
    })
}
