//! Whether a group is a part of something: looked for from that down, without recursion.

use std::collections::HashSet;
use std::sync::Arc;

use crate::engine::{Identity, Node};

/// A service on the way down.
struct PathStep {
    node: Arc<dyn Node>,
    name: String,
    /// The step above it.
    above: Option<usize>,
}

/// The names from `node` down to what this is the identity of, if that is a part of it, or is it.
pub(super) fn path_to(group: Identity, name: &str, node: &Arc<dyn Node>) -> Option<Vec<String>> {
    let mut steps = vec![PathStep { node: Arc::clone(node), name: name.to_owned(), above: None }];
    let mut seen = HashSet::from([address(node)]);
    let mut at = 0;
    while let Some(step) = steps.get(at) {
        if step.node.identity() == Some(group) {
            return Some(names(&steps, at));
        }
        let parts = step.node.parts().into_iter();
        let new: Vec<PathStep> = parts
            .filter(|(_, part)| seen.insert(address(part)))
            .map(|(name, node)| PathStep { node, name: name.into_owned(), above: Some(at) })
            .collect();
        steps.extend(new);
        at += 1;
    }
    None
}

fn names(steps: &[PathStep], at: usize) -> Vec<String> {
    let up = std::iter::successors(Some(&steps[at]), |step| step.above.map(|at| &steps[at]));
    let mut names: Vec<String> = up.map(|step| step.name.clone()).collect();
    names.reverse();
    names
}

fn address(node: &Arc<dyn Node>) -> usize {
    Arc::as_ptr(node).addr()
}
