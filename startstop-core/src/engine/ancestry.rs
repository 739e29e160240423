//! Keeps a service from becoming a part of itself: walks down from what is to become a part, without recursion.

use std::collections::HashSet;
use std::sync::Arc;
#[cfg(not(startstop_loom))]
use std::sync::PoisonError;

use super::Node;
#[cfg(not(startstop_loom))]
use crate::sync::{Mutex, MutexGuard};

/// A service on the way down.
struct PathStep {
    node: Arc<dyn Node>,
    name: String,
    /// The step above it.
    above: Option<usize>,
}

#[cfg(not(startstop_loom))]
static ADDING: Mutex<()> = Mutex::new(());

/// Two that are added at once could each become a part of the other, for neither would be one yet when the other looks: one is
/// added at a time in the process. The locks of tables and of runners are taken under this one, and no user code runs under it.
#[cfg(not(startstop_loom))]
fn alone() -> MutexGuard<'static, ()> {
    ADDING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// No model adds two at once.
#[cfg(startstop_loom)]
fn alone() {}

/// Makes `node` a part by `add`, unless the service that is sought is a part of it, or is it: then these are the names down to that
/// one. What `add` returns is dropped with the lock released.
pub(crate) fn add<T>(
    node: &Arc<dyn Node>,
    name: &str,
    is_sought: impl Fn(&Arc<dyn Node>) -> bool,
    add: impl FnOnce() -> T,
) -> Result<T, Vec<String>> {
    let mut steps = vec![PathStep {
        node: Arc::clone(node),
        name: name.to_owned(),
        above: None,
    }];
    // After the steps, so that it is released before: they may be the last to keep a service.
    let _alone = alone();
    match walk(&mut steps, is_sought) {
        Some(at) => Err(names(&steps, at)),
        None => Ok(add()),
    }
}

/// Walks down from the first step, and returns that of the service that is sought.
fn walk(steps: &mut Vec<PathStep>, is_sought: impl Fn(&Arc<dyn Node>) -> bool) -> Option<usize> {
    let mut seen: HashSet<usize> = steps.iter().map(|step| address(&step.node)).collect();
    let mut at = 0;
    while let Some(step) = steps.get(at) {
        if is_sought(&step.node) {
            return Some(at);
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
