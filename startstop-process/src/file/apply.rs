//! A file that was read again: what has changed, and what follows.
//!
//! 1. A request that comes while what an earlier one has begun still starts is looked at at once, for it may mend what
//!    that waits for. Both have the same answer.
//! 2. Members that do not start leave the group again, so it is the group that knows which entries are in force.

mod insertions;

use std::collections::BTreeSet;
use std::sync::{MutexGuard, PoisonError};

use startstop_core::{BoxError, Context, GroupError, Reload};
use tokio::sync::mpsc::UnboundedReceiver;

use super::spec::{Document, Spec};
use super::{Processes, read_document};
use insertions::{Insertions, all};

/// An entry whose change has failed.
#[derive(Debug, thiserror::Error)]
#[error("process `{name}`: {source}")]
struct NotChanged {
    name: String,
    source: GroupError,
}

impl NotChanged {
    fn boxed(name: &str, source: GroupError) -> BoxError {
        let name = name.to_owned();
        Box::new(Self { name, source })
    }
}

impl Processes {
    /// Reads the file again for each request, and changes what has changed. The first error is the answer, the others
    /// are reported.
    pub(super) async fn reloads(&self, cx: &Context, mut asked: UnboundedReceiver<Reload>) {
        let (mut begun, mut requests) = (Insertions::default(), Vec::new());
        loop {
            tokio::select! {
                biased;
                Some(request) = asked.recv() => match read_document(&self.path) {
                    Ok(document) => {
                        requests.push(request);
                        self.change(document, &mut begun).await;
                    }
                    Err(error) => request.failed(error),
                },
                errors = begun.finished(), if !requests.is_empty() => {
                    answer(cx, std::mem::take(&mut requests), errors);
                }
            }
        }
    }

    /// Removes what is gone or has changed, and begins to insert what is new.
    async fn change<'s>(&'s self, document: Document, begun: &mut Insertions<'s>) {
        let Document { head, specs: new } = document;
        let old = self.in_force();
        let stale = stale(&old, &new);
        begun.forget(&stale);
        self.remove(&old, stale, begun).await;
        let there = self.in_force();
        let missing = |spec: &&Spec| there.iter().all(|there| there.name != spec.name);
        for spec in in_order(&new).into_iter().filter(missing) {
            let insertion = self.group.insert(spec.name.clone(), spec.member());
            if begun.begin(&spec.name, Box::pin(insertion)).await {
                self.lock().push(spec.clone());
            }
        }
        if head != self.head {
            begun.fail("what the file says of all processes has changed: that needs a new start");
        }
    }

    /// Removes these, dependents first, and side by side what does not depend on each other.
    async fn remove(&self, old: &[Spec], mut stale: BTreeSet<String>, begun: &mut Insertions<'_>) {
        while !stale.is_empty() {
            let needed = |name: &String| {
                let mut others = old.iter().filter(|spec| stale.contains(&spec.name));
                others.any(|spec| spec.needs().any(|need| need == name))
            };
            let (later, now): (BTreeSet<_>, Vec<_>) = (
                stale.iter().filter(|name| needed(name)).cloned().collect(),
                stale.iter().filter(|name| !needed(name)).collect(),
            );
            let ended = all(now.iter().map(|name| self.group.remove(name)));
            for (name, ended) in now.iter().zip(ended.await) {
                // Other errors are those of processes that had to be killed: they have been told, and the processes are
                // gone.
                if let Err(error @ GroupError::HasDependents { .. }) = ended {
                    begun.fail(NotChanged::boxed(name, error));
                }
            }
            stale = later;
        }
    }

    /// Returns the entries whose members are in the group.
    fn in_force(&self) -> Vec<Spec> {
        let members = self.group.members();
        let mut specs = self.lock();
        specs.retain(|spec| members.contains(&spec.name));
        specs.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Spec>> {
        self.specs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn answer(cx: &Context, mut requests: Vec<Reload>, errors: Vec<BoxError>) {
    let mut errors = errors.into_iter();
    if let (Some(first), Some(last)) = (errors.next(), requests.pop()) {
        for request in requests {
            request.failed(first.to_string());
        }
        last.failed(first);
    }
    errors.for_each(|error| cx.report(error));
}

/// Returns the names of those that are gone or have changed, and of all that depend on them.
fn stale(old: &[Spec], new: &[Spec]) -> BTreeSet<String> {
    let changed = |spec: &&Spec| !new.contains(spec);
    let names = old.iter().filter(changed).map(|spec| spec.name.clone());
    let mut stale: BTreeSet<String> = names.collect();
    loop {
        let depends = |spec: &&Spec| {
            !stale.contains(&spec.name) && spec.needs().any(|name| stale.contains(name))
        };
        let Some(spec) = old.iter().find(depends) else {
            return stale;
        };
        stale.insert(spec.name.clone());
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
