//! The order of processes that start after each other, and circles among them. Their number may be large.

/// Returns a number for each place, the same for two that reach each other.
pub(super) fn circles(edges: &[Vec<usize>]) -> Vec<usize> {
    let mut back = vec![Vec::new(); edges.len()];
    for (from, to) in edges.iter().enumerate() {
        for to in to {
            back[*to].push(from);
        }
    }
    let mut circle = vec![usize::MAX; edges.len()];
    // What is left of those that lead to a place, when it is taken last first, is reached from it.
    for root in needs_first(edges).into_iter().rev() {
        let mut found = vec![root];
        while let Some(at) = found.pop() {
            if circle[at] == usize::MAX {
                circle[at] = root;
                found.extend(&back[at]);
            }
        }
    }
    circle
}

/// Walks depth first, on a stack of its own, and returns the places as they are left: without a circle each comes behind those that
/// it has an edge to.
pub(super) fn needs_first(edges: &[Vec<usize>]) -> Vec<usize> {
    let (mut seen, mut left) = (vec![false; edges.len()], Vec::new());
    for root in 0..edges.len() {
        let mut path = Vec::new();
        if !seen[root] {
            path.push((root, 0));
        }
        seen[root] = true;
        while let Some((at, next)) = path.last_mut() {
            let to = edges[*at].get(*next).copied();
            *next += 1;
            match to {
                Some(to) if seen[to] => {}
                Some(to) => {
                    seen[to] = true;
                    path.push((to, 0));
                }
                None => {
                    left.push(*at);
                    path.pop();
                }
            }
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use super::circles;

    /// Whether one reaches the other, looked up without any order.
    fn reaches(edges: &[Vec<usize>], from: usize, to: usize) -> bool {
        let mut reached = vec![false; edges.len()];
        let mut found = vec![from];
        while let Some(at) = found.pop() {
            if !std::mem::replace(&mut reached[at], true) {
                found.extend(&edges[at]);
            }
        }
        reached[to]
    }

    /// All graphs of three places, a loop at each of them included.
    #[test]
    fn two_have_the_same_number_if_each_reaches_the_other() {
        for bits in 0_u32..512 {
            let has = |from: usize, to: usize| bits & (1 << (from * 3 + to)) != 0;
            let to = |from| (0..3).filter(|to| has(from, *to)).collect();
            let edges: Vec<Vec<usize>> = (0..3).map(to).collect();
            let circle = circles(&edges);
            for (a, b) in (0..9).map(|n| (n / 3, n % 3)) {
                let both = reaches(&edges, a, b) && reaches(&edges, b, a);
                assert_eq!(circle[a] == circle[b], both, "{edges:?}: {a}, {b}");
            }
        }
    }
}
