//! A file that was read again: what has changed, and what follows.
//!
//! 1. A request that comes while what an earlier one has begun still ends or starts is looked at at once, for it may mend what
//!    that waits for. Both have the same answer.
//! 2. Members that do not start leave the group again, so it is the group that knows which entries are in force.
//! 3. What goes has ended before anything new starts, for both may need the same port.

mod leaving;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::{Future, poll_fn};
use std::sync::{MutexGuard, PoisonError};
use std::task::Poll;

use startstop_core::{BoxError, Context, GroupError, Reload};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;

use super::order::needs_first;
use super::spec::{Document, Spec};
use super::{Processes, read_document};
use leaving::Leaving;

/// An entry whose change has failed.
#[derive(Debug, thiserror::Error)]
#[error("process `{name}`: {source}")]
struct NotChanged {
    name: String,
    source: GroupError,
}

impl NotChanged {
    fn boxed(name: String, source: GroupError) -> BoxError {
        Box::new(Self { name, source })
    }
}

impl Processes {
    /// Reads the file again for each request, and changes what has changed. The first error is the answer, the others
    /// are reported.
    pub(super) async fn reloads(&self, cx: &Context, mut asked: UnboundedReceiver<Reload>) {
        let (mut changes, mut requests) = (Changes::of(self), Vec::new());
        loop {
            if changes.are_done() && !requests.is_empty() {
                let errors = std::mem::take(&mut changes.errors);
                answer(cx, std::mem::take(&mut requests), errors);
            }
            tokio::select! {
                biased;
                Some(request) = asked.recv() => match read_document(&self.path) {
                    Ok(document) => {
                        requests.push(request);
                        changes.begin(document).await;
                    }
                    Err(error) => request.failed(error),
                },
                () = changes.next(), if !changes.are_done() => {}
            }
        }
    }

    /// Returns the entries whose members are in the group.
    fn in_force(&self) -> Vec<Spec> {
        let members: BTreeSet<String> = self.group.members().into_iter().collect();
        let mut specs = self.lock();
        specs.retain(|spec| members.contains(&spec.name));
        specs.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Spec>> {
        self.specs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn answer(cx: &Context, mut requests: Vec<Reload>, errors: BTreeMap<u64, BoxError>) {
    let mut errors = errors.into_values();
    if let (Some(first), Some(last)) = (errors.next(), requests.pop()) {
        for request in requests {
            request.failed(first.to_string());
        }
        last.failed(first);
    }
    errors.for_each(|error| cx.report(error));
}

/// The changes that have been begun to make of the group what the file says, side by side: the group knows what waits for what.
struct Changes<'p> {
    processes: &'p Processes,
    /// The entries of the file, dependencies first.
    wanted: Vec<Spec>,
    leaving: Leaving,
    /// The insertions that are waited for, by name and number.
    inserting: BTreeMap<String, u64>,
    begun: u64,
    open: JoinSet<Done>,
    /// The changes that were done at once.
    done: VecDeque<Done>,
    /// By the number of the change: an entry fails before those that depend on it.
    errors: BTreeMap<u64, BoxError>,
}

enum Done {
    Removed(String, u64, Result<(), GroupError>),
    Inserted(String, u64, Result<(), GroupError>),
}

impl<'p> Changes<'p> {
    fn of(processes: &'p Processes) -> Self {
        Self {
            processes,
            wanted: Vec::new(),
            leaving: Leaving::default(),
            inserting: BTreeMap::new(),
            begun: 0,
            open: JoinSet::new(),
            done: VecDeque::new(),
            errors: BTreeMap::new(),
        }
    }

    fn are_done(&self) -> bool {
        self.leaving.is_empty() && self.inserting.is_empty()
    }

    /// Begins what follows from a file. What an earlier one has begun goes on as far as it fits.
    async fn begin(&mut self, document: Document) {
        let Document { head, specs } = document;
        self.wanted = in_order(specs);
        let old = self.processes.in_force();
        self.leaving.renew(&old, &self.wanted);
        // Nobody waits any more for the start of what is about to be removed.
        let leaving = &self.leaving;
        self.inserting.retain(|name, _| !leaving.contains(name));
        if head != self.processes.head {
            let text = "what the file says of all processes has changed: that needs a new start";
            let number = self.number();
            self.errors.insert(number, text.into());
        }
        self.go_on().await;
    }

    /// Waits until something is done, and begins what follows.
    async fn next(&mut self) {
        let done = match self.done.pop_front() {
            Some(done) => done,
            None => match self.open.join_next().await {
                Some(Ok(done)) => done,
                // A panic of the group, or the end of the runtime.
                Some(Err(_)) => return,
                None => std::future::pending().await,
            },
        };
        match done {
            Done::Removed(name, number, ended) => {
                self.leaving.has_left(&name, number);
                // Other errors are those of processes that had to be killed: they have been told, and the processes are gone.
                if let Err(error @ GroupError::HasDependents { .. }) = ended {
                    self.errors.insert(number, NotChanged::boxed(name, error));
                }
                self.go_on().await;
            }
            Done::Inserted(name, number, ended) => {
                if self.inserting.get(&name) == Some(&number) {
                    self.inserting.remove(&name);
                    let error = ended.err().map(|error| NotChanged::boxed(name, error));
                    self.errors.extend(error.map(|error| (number, error)));
                }
            }
        }
    }

    /// Begins to remove what nobody depends on any more, and to insert what is missing when all that goes has left.
    async fn go_on(&mut self) {
        for name in self.leaving.take_free() {
            let (group, number) = (self.processes.group.clone(), self.number());
            self.leaving.begins(&name, number);
            self.open(async move {
                let removed = group.remove(&name).await;
                Done::Removed(name, number, removed)
            })
            .await;
        }
        if self.leaving.is_empty() {
            self.insert().await;
        }
    }

    /// Begins to insert what is missing.
    async fn insert(&mut self) {
        let there = self.processes.in_force();
        let there: BTreeSet<&str> = there.iter().map(|spec| &*spec.name).collect();
        for spec in std::mem::take(&mut self.wanted) {
            if there.contains(&*spec.name) {
                continue;
            }
            let (group, number) = (self.processes.group.clone(), self.number());
            let (name, member) = (spec.name.clone(), spec.member());
            self.inserting.insert(name.clone(), number);
            self.open(async move {
                let inserted = group.insert(name.clone(), member).await;
                Done::Inserted(name, number, inserted)
            })
            .await;
            let refused =
                matches!(self.done.back(), Some(Done::Inserted(_, n, Err(_))) if *n == number);
            if !refused {
                self.processes.lock().push(spec);
            }
        }
    }

    const fn number(&mut self) -> u64 {
        self.begun += 1;
        self.begun
    }

    /// Polls it once, so that the group has heard of it, and goes on with it beside the others.
    async fn open(&mut self, change: impl Future<Output = Done> + Send + 'static) {
        let mut change = Box::pin(change);
        match poll_fn(|cx| Poll::Ready(change.as_mut().poll(cx))).await {
            Poll::Ready(done) => self.done.push_back(done),
            Poll::Pending => drop(self.open.spawn(change)),
        }
    }
}

/// Returns the entries with dependencies first. There is no circle, since the file was read.
fn in_order(specs: Vec<Spec>) -> Vec<Spec> {
    let places: BTreeMap<&str, usize> = (0..)
        .zip(&specs)
        .map(|(at, spec)| (&*spec.name, at))
        .collect();
    let place = |name: &String| places.get(&**name).copied();
    let edges: Vec<Vec<usize>> = specs
        .iter()
        .map(|spec| spec.needs().filter_map(place).collect())
        .collect();
    let order = needs_first(&edges);
    let mut specs: Vec<_> = specs.into_iter().map(Some).collect();
    order
        .into_iter()
        .filter_map(|at| specs[at].take())
        .collect()
}
