//! A file that was read again: what has changed, and what follows.

use startstop_core::{BoxError, Context, Reload};

use super::spec::{Document, Spec};
use super::{Processes, read_document};

impl Processes {
    /// Reads the file again, and changes what has changed. The first error is the answer, the others are reported.
    pub(super) async fn reload(&self, cx: &Context, request: Reload) {
        let mut request = Some(request);
        let mut fail = |error: BoxError| match request.take() {
            Some(request) => request.failed(error),
            None => cx.report(error),
        };
        let Document { head, specs: new } = match read_document(&self.path) {
            Ok(document) => document,
            Err(error) => return fail(error.into()),
        };
        let old = self.lock().clone();
        let stale = stale(&old, &new);
        // Dependents first, which is the order of `old` from behind.
        for spec in in_order(&old)
            .into_iter()
            .rev()
            .filter(|spec| stale.contains(&spec.name))
        {
            match self.group.remove(&spec.name).await {
                Ok(()) => self.lock().retain(|kept| kept.name != spec.name),
                Err(error) => fail(error.into()),
            }
        }
        let there = self.lock().clone();
        let missing = |spec: &&Spec| there.iter().all(|there| there.name != spec.name);
        for spec in in_order(&new).into_iter().filter(missing) {
            match self.group.insert(spec.name.clone(), spec.member()).await {
                Ok(()) => self.lock().push(spec.clone()),
                Err(error) => fail(error.into()),
            }
        }
        if head != self.head {
            fail("what the file says of all processes has changed: that needs a new start".into());
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Spec>> {
        self.specs
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Returns the names of those that are gone or have changed, and of all that depend on them.
fn stale(old: &[Spec], new: &[Spec]) -> Vec<String> {
    let changed = |spec: &&Spec| !new.contains(spec);
    let mut stale: Vec<String> = old
        .iter()
        .filter(changed)
        .map(|spec| spec.name.clone())
        .collect();
    loop {
        let depends = |spec: &&Spec| {
            !stale.contains(&spec.name) && spec.needs().any(|name| stale.contains(name))
        };
        let Some(spec) = old.iter().find(depends) else {
            return stale;
        };
        stale.push(spec.name.clone());
    }
}

/// Returns the entries with dependencies first. There is no circle, since the file was read.
fn in_order(specs: &[Spec]) -> Vec<&Spec> {
    let mut ordered: Vec<&Spec> = Vec::new();
    while ordered.len() < specs.len() {
        let is_in = |name: &String| ordered.iter().any(|spec| spec.name == *name);
        let is_next = |spec: &&Spec| !is_in(&spec.name) && spec.needs().all(is_in);
        let Some(next) = specs.iter().find(is_next) else {
            break;
        };
        ordered.push(next);
    }
    ordered
}
