//! The members that are to leave the group: one that others depend on leaves after them.

use std::collections::{BTreeMap, BTreeSet};

use super::super::spec::Spec;

#[derive(Debug, Default)]
pub(super) struct Leaving {
    left: BTreeMap<String, Member>,
    /// Those whom nobody depends on and whose removal has not begun.
    free: Vec<String>,
    /// Those whose removal has begun, and its number.
    begun: BTreeMap<String, u64>,
}

#[derive(Debug)]
struct Member {
    needs: Vec<String>,
    /// How many depend on it.
    dependents: usize,
}

impl Leaving {
    /// Finds out who is to leave now: those who are gone from the file or have changed, those who leave already, and all that
    /// depend on them.
    pub(super) fn renew(&mut self, old: &[Spec], new: &[Spec]) {
        let begun = std::mem::take(&mut self.begun);
        let stale = stale(old, new, &begun);
        self.left.clear();
        for spec in old.iter().filter(|spec| stale.contains(&*spec.name)) {
            // Named twice, in `after` and in `bound_to` say, it is needed once.
            let needs: BTreeSet<_> = spec
                .needs()
                .filter(|need| stale.contains(&***need))
                .collect();
            let member = Member {
                needs: needs.into_iter().cloned().collect(),
                dependents: 0,
            };
            self.left.insert(spec.name.clone(), member);
        }
        let needs = self.left.values().flat_map(|member| &member.needs);
        let needs: Vec<String> = needs.cloned().collect();
        for need in needs {
            if let Some(member) = self.left.get_mut(&need) {
                member.dependents += 1;
            }
        }
        self.begun = begun;
        self.begun.retain(|name, _| self.left.contains_key(name));
        let is_free = |(name, member): &(&String, &Member)| {
            member.dependents == 0 && !self.begun.contains_key(*name)
        };
        self.free = self
            .left
            .iter()
            .filter(is_free)
            .map(|(name, _)| name.clone())
            .collect();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.left.contains_key(name)
    }

    /// Returns those whose removal is to begin.
    pub(super) fn take_free(&mut self) -> Vec<String> {
        std::mem::take(&mut self.free)
    }

    pub(super) fn begins(&mut self, name: &str, number: u64) {
        self.begun.insert(name.to_owned(), number);
    }

    /// Notes the end of a removal, after which the member has left, or never does.
    pub(super) fn has_left(&mut self, name: &str, number: u64) {
        if self.begun.get(name) != Some(&number) {
            return;
        }
        self.begun.remove(name);
        for need in self
            .left
            .remove(name)
            .into_iter()
            .flat_map(|member| member.needs)
        {
            let Some(member) = self.left.get_mut(&need) else {
                continue;
            };
            member.dependents -= 1;
            if member.dependents == 0 {
                self.free.push(need);
            }
        }
    }
}

/// Returns the names of those that are gone or have changed or leave already, and of all that depend on them.
fn stale<'s>(old: &'s [Spec], new: &[Spec], leave: &BTreeMap<String, u64>) -> BTreeSet<&'s str> {
    let by_name: BTreeMap<&str, &Spec> = new.iter().map(|spec| (&*spec.name, spec)).collect();
    let mut dependents: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for spec in old {
        for need in spec.needs() {
            dependents.entry(need).or_default().push(&spec.name);
        }
    }
    let goes =
        |spec: &&Spec| leave.contains_key(&spec.name) || by_name.get(&*spec.name) != Some(spec);
    let mut found: Vec<&str> = old.iter().filter(goes).map(|spec| &*spec.name).collect();
    let mut stale = BTreeSet::new();
    while let Some(name) = found.pop() {
        if stale.insert(name) {
            found.extend(dependents.get(name).into_iter().flatten());
        }
    }
    stale
}
