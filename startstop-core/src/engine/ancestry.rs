//! Finds out whether a service is a part of another: walks down from that one, without recursion.

use std::collections::HashSet;
use std::sync::Arc;

use super::Node;

/// A service on the way down.
struct PathStep {
    node: Arc<dyn Node>,
    name: String,
    /// The step above it.
    above: Option<usize>,
}

/// Returns the names from `node` down to the service that is sought, if that is a part of it, or is it.
pub(crate) fn path_to(
    node: &Arc<dyn Node>,
    name: &str,
    is_sought: impl Fn(&Arc<dyn Node>) -> bool,
) -> Option<Vec<String>> {
    let mut steps = vec![PathStep {
        node: Arc::clone(node),
        name: name.to_owned(),
        above: None,
    }];
    let mut seen = HashSet::from([address(node)]);
    let mut at = 0;
    while let Some(step) = steps.get(at) {
        if is_sought(&step.node) {
            return Some(names(&steps, at));
        }
        let parts = step.node.parts().into_iter();
        let new: Vec<PathStep> = parts
            .filter(|(_, part)| seen.insert(address(part)))
            .map(|(name, node)| PathStep {
                node,
                name: name.to_string(),
                above: Some(at),
            })
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
