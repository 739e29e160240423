//! The graph of a group: who starts after whom. Pure.

/// A member, by its place in the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Id(pub(crate) usize);

/// The dependencies of a member.
#[derive(Debug, Clone, Default)]
#[cfg_attr(test, derive(PartialEq, Eq, Hash))]
pub(crate) struct Edges {
    /// All, in order and each once.
    pub(crate) deps: Vec<Id>,
    /// Those of them that it is bound to.
    pub(crate) bound: Vec<Id>,
}

impl AsRef<[Id]> for Edges {
    fn as_ref(&self) -> &[Id] {
        &self.deps
    }
}

#[cfg(test)]
impl Edges {
    /// To these, without being bound to them.
    pub(crate) fn to(deps: &[Id]) -> Self {
        Self {
            deps: deps.to_vec(),
            bound: Vec::new(),
        }
    }
}

/// Looks for a cycle among members that depend on others: its members in order, the first repeated at
/// the end, or `None` if there is none.
pub(crate) fn find_cycle(deps: &[impl AsRef<[Id]>]) -> Option<Vec<Id>> {
    let mut mark = vec![Visit::New; deps.len()];
    (0..deps.len()).find_map(|root| walk(Id(root), deps, &mut mark))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Visit {
    New,
    OnPath,
    Done,
}

/// Walks depth first, on a stack of its own: a chain may be long.
fn walk(root: Id, deps: &[impl AsRef<[Id]>], mark: &mut [Visit]) -> Option<Vec<Id>> {
    if mark[root.0] != Visit::New {
        return None;
    }
    mark[root.0] = Visit::OnPath;
    let mut path = vec![(root, 0)];
    while let Some((id, next)) = path.last_mut() {
        let Some(dep) = deps[id.0].as_ref().get(*next).copied() else {
            mark[id.0] = Visit::Done;
            path.pop();
            continue;
        };
        *next += 1;
        match mark[dep.0] {
            Visit::Done => {}
            Visit::New => {
                mark[dep.0] = Visit::OnPath;
                path.push((dep, 0));
            }
            Visit::OnPath => {
                let on_path = path.iter().map(|(id, _)| *id);
                let mut cycle: Vec<Id> = on_path.skip_while(|id| *id != dep).collect();
                cycle.push(dep);
                return Some(cycle);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{Id, find_cycle};

    /// Returns a random graph whose edges all point to smaller numbers: it has no cycle.
    fn random_dag(rng: &mut fastrand::Rng, size: usize) -> Vec<Vec<Id>> {
        let edges = |at: usize, rng: &mut fastrand::Rng| {
            (0..at).filter(|_| rng.u8(..) < 40).map(Id).collect()
        };
        (0..size).map(|at| edges(at, rng)).collect()
    }

    #[test]
    fn no_random_dag_has_a_cycle() {
        let mut rng = fastrand::Rng::with_seed(7);
        for size in 0..60 {
            assert_eq!(find_cycle(&random_dag(&mut rng, size)), None);
        }
    }

    #[test]
    fn every_cycle_is_found_and_is_one() {
        let mut rng = fastrand::Rng::with_seed(11);
        for _ in 0..500 {
            let size = rng.usize(1..40);
            let mut deps = random_dag(&mut rng, size);
            // Close a path: from its end, which is reachable, back to its beginning.
            let top = rng.usize(..size);
            let mut end = top;
            while let Some(next) = deps[end].first() {
                end = next.0;
                if rng.bool() {
                    break;
                }
            }
            deps[end].push(Id(top));
            let cycle = find_cycle(&deps).expect("there is one");
            assert_eq!(cycle.first(), cycle.last());
            assert!(
                cycle
                    .windows(2)
                    .all(|pair| deps[pair[0].0].contains(&pair[1])),
                "{cycle:?}"
            );
        }
    }

    #[test]
    fn a_long_chain_needs_no_stack() {
        let chain = |at: usize| if at == 0 { vec![] } else { vec![Id(at - 1)] };
        let deps: Vec<Vec<Id>> = (0..200_000).map(chain).collect();
        assert_eq!(find_cycle(&deps), None);
    }
}
