//! The actions that a change of an engine leads to outside of its lock.
//!
//! Much of it is user code, or calls some: wakers, tokens, destructors, a subscriber. Each piece is behind a
//! `catch_panic` of its own, so that no panic keeps another waiter from its news. Such a panic
//! is not recorded: the state is stored by then, and who has seen that has seen why.
//!
//! It is made for every change, so what most changes do not need is behind one box.

mod cold;

use std::sync::{Arc, Weak};
use std::task::Waker;

use tokio::runtime::Handle;

use super::burst::{self, Woken};
use super::deadline::DeadlineTask;
use super::owners::{OwnerGuard, PartObserver};
use super::seldom::Seldom;
use super::{Job, Node, unresponsive};
use crate::engine::parent::Parent;
use crate::engine::waiters::{Answer, Wakes};
use crate::report::event::Evicted;
use crate::report::failure::Failure;
use crate::report::panic::{catch_panic, catch_panics};
#[cfg(feature = "tracing")]
use crate::report::trace::AttemptSpan;
use crate::report::trace::News;
use crate::sync::clock;

use cold::ColdActions;

/// The actions that are done after the lock is released: see invariant 2 of [`engine`](super).
#[derive(Default)]
pub(crate) struct Deferred {
    /// Now, once somebody has asked; all of one change happens at one time.
    now: u64,
    job: Option<Job>,
    /// It is the driver that changes the engine, and looks at what comes of that by itself.
    pub(crate) is_by_driver: bool,
    /// The driver has something to look at.
    pub(crate) driver: Option<Waker>,
    pub(crate) wakes: Wakes,
    pub(crate) news: News,
    /// Whether there is anything in what follows here, which most changes do not need.
    has_more: bool,
    /// The task of a deadline that is no longer there.
    cancelled: Option<DeadlineTask>,
    /// Values that nobody needs any more, and whose drop is user code.
    old_waker: Option<Waker>,
    old_failure: Option<Failure>,
    old_runtime: Option<Handle>,
    /// The observer of the service. A part of one owner, as most parts are, has one observer and one guard.
    observer: Option<PartObserver>,
    /// Released as the last.
    ended: Option<OwnerGuard>,
    cold: Seldom<ColdActions>,
}

impl Deferred {
    /// Returns the time of this change.
    pub(super) fn now(&mut self) -> u64 {
        if self.now == 0 {
            self.now = clock::now();
        }
        self.now
    }

    /// Returns whether nothing is woken or spawned, as far as it is known yet; what is rare counts as such.
    pub(super) fn is_quiet(&self) -> bool {
        let is_told = self.observer.is_some() || !self.cold.is_none();
        self.job.is_none() && self.driver.is_none() && self.wakes.is_empty() && !is_told
    }

    pub(super) fn cold(&mut self) -> &mut ColdActions {
        self.has_more = true;
        self.cold.make()
    }

    pub(super) fn job(&mut self, job: Job) {
        if let Some(job) = fill(&mut self.job, job) {
            self.cold().jobs.push(job);
        }
    }

    /// Lets go of a deadline task after the lock.
    pub(super) fn cancel(&mut self, task: DeadlineTask) {
        self.has_more = true;
        if let Some(task) = fill(&mut self.cancelled, task) {
            self.cold().cancelled.push(task);
        }
    }

    /// Drops a waker of the driver after the lock.
    #[inline]
    pub(super) fn drop_waker(&mut self, waker: Option<Waker>) {
        let Some(waker) = waker else { return };
        self.has_more = true;
        if let Some(waker) = fill(&mut self.old_waker, waker) {
            self.cold().wakers.push(waker);
        }
    }

    /// Drops the handle of a runtime after the lock.
    #[inline]
    pub(super) fn drop_runtime(&mut self, runtime: Option<Handle>) {
        let Some(runtime) = runtime else { return };
        self.has_more = true;
        if let Some(runtime) = fill(&mut self.old_runtime, runtime) {
            self.cold().runtimes.push(runtime);
        }
    }

    /// Tells them after the lock that the service has changed.
    pub(super) fn tell_observers(&mut self, first: &PartObserver, others: &[PartObserver]) {
        if self.observer.is_some() {
            return;
        }
        self.observer = Some(first.clone());
        self.has_more = true;
        if !others.is_empty() {
            self.cold().observers.extend_from_slice(others);
        }
    }

    /// Lets go of the owners after the lock, and after all else.
    pub(super) fn leave(&mut self, guard: OwnerGuard) {
        if guard.is_stuck() {
            self.cold().freed.push(guard);
            return;
        }
        self.has_more = true;
        if let Some(guard) = fill(&mut self.ended, guard) {
            self.cold().ended.push(guard);
        }
    }

    /// Drops a failure after the lock.
    #[inline]
    pub(super) fn drop_failure(&mut self, failure: Option<Failure>) {
        if let Some(failure) = failure {
            self.keep_failure(failure);
        }
    }

    /// Drops an answer after the lock.
    pub(super) fn drop_answer(&mut self, answer: Answer) {
        if let Answer::Failed(failure) = answer {
            self.keep_failure(failure);
        }
    }

    fn keep_failure(&mut self, failure: Failure) {
        self.has_more = true;
        if let Some(failure) = fill(&mut self.old_failure, failure) {
            self.cold().failures.push(failure);
        }
    }

    /// Drops an event after the lock.
    #[inline]
    pub(super) fn drop_event(&mut self, event: Evicted) {
        if let Some(event) = event {
            self.cold().events.push(event);
        }
    }

    /// Drops the span of an attempt after the lock.
    #[cfg(feature = "tracing")]
    pub(super) fn drop_span(&mut self, span: AttemptSpan) {
        self.cold().spans.push(span);
    }

    /// Drops a parent after the lock.
    pub(crate) fn drop_parent(&mut self, parent: Option<Arc<Parent>>) {
        if parent.is_some() {
            self.cold().parent = parent;
        }
    }

    /// Runs with the lock released.
    #[inline]
    pub(super) fn run(&mut self, node: &Arc<dyn Node>) {
        if burst::is_asked_in() {
            self.leave_to_burst(node);
        }
        if self.has_more {
            self.run_more(node);
            return;
        }
        if let Some(job) = self.job.take() {
            Arc::clone(node).launch(job);
        }
        self.wake_driver();
        self.emit(node);
        self.wakes.wake();
    }

    /// Leaves what can be left to the task of a burst, and says if the rest wakes anything.
    #[cold]
    fn leave_to_burst(&mut self, node: &Arc<dyn Node>) {
        let is_left = |job: &mut Job| burst::is_for(job);
        if let Some(job) = self.job.take_if(is_left) {
            burst::leave(Woken::New(Arc::clone(node), job));
        }
        let on = self
            .driver
            .as_ref()
            .and_then(|_| node.shared().synced().runtime_now());
        let is_left = on.is_some_and(burst::is_on);
        if let Some(driver) = self.driver.take_if(|_| is_left) {
            burst::leave(Woken::Driver(driver));
        }
        let looks = matches!(self.job, None | Some(Job::Look));
        if self.has_more || !looks || self.driver.is_some() || !self.wakes.is_empty() {
            burst::wakes();
        }
    }

    fn run_more(&mut self, node: &Arc<dyn Node>) {
        self.launch(node);
        self.free_owners();
        self.wake_driver();
        self.emit(node);
        self.wakes.wake();
        self.tell_unresponsive(node);
        self.clear();
    }

    /// Returns whether it is to be told that the service was given up.
    pub(super) fn is_unresponsive(&self) -> bool {
        self.cold.get().is_some_and(|cold| cold.is_unresponsive)
    }

    /// Returns whether anything is to be spawned.
    pub(super) fn has_jobs(&self) -> bool {
        self.job.is_some() || self.cold.get().is_some_and(|cold| !cold.jobs.is_empty())
    }

    /// Takes what is to be spawned with the service.
    pub(super) fn take_jobs_with_node(&mut self) -> Vec<Job> {
        let cold = self
            .cold
            .get_mut()
            .into_iter()
            .flat_map(|cold| std::mem::take(&mut cold.jobs));
        let jobs = self.job.take().into_iter().chain(cold);
        let (with_node, apart) = jobs.partition(Job::takes_node);
        for job in apart {
            self.job(job);
        }
        with_node
    }

    /// Spawns what is left for a service that may be gone.
    pub(super) fn launch_apart(&mut self, node: &Weak<dyn Node>) {
        let cold = self
            .cold
            .get_mut()
            .into_iter()
            .flat_map(|cold| cold.jobs.drain(..));
        self.job
            .take()
            .into_iter()
            .chain(cold)
            .for_each(|job| job.launch_apart(node));
    }

    /// Returns whether something is to be told under the name of the service.
    pub(super) fn has_news(&self) -> bool {
        !self.news.is_empty()
    }

    /// The same for a change after which nothing is spawned for the service.
    pub(super) fn run_without(&mut self, name: Option<&str>) {
        burst::wakes();
        self.tell();
        self.free_owners();
        self.wake_driver();
        std::mem::take(&mut self.news).emit(|| name.unwrap_or_default());
        self.wakes.wake();
        self.clear();
    }

    /// Carries out what cannot wait, and does not block unless a waker does.
    #[cfg(not(startstop_loom))]
    pub(super) fn run_urgent(&mut self) {
        self.tell();
        self.wake_driver();
        self.wakes.wake();
        self.call_observers(PartObserver::tell_at_deadline);
    }

    fn free_owners(&mut self) {
        if let Some(cold) = self.cold.get_mut() {
            catch_panics(cold.freed.drain(..), drop);
        }
    }

    #[inline]
    pub(super) fn tell(&mut self) {
        if let Some(cold) = self.cold.get_mut() {
            cold.tell();
        }
        if let Some(task) = self.cancelled.take() {
            task.cancel();
        }
    }

    fn launch(&mut self, node: &Arc<dyn Node>) {
        self.tell();
        if let Some(job) = self.job.take() {
            Arc::clone(node).launch(job);
        }
        if let Some(cold) = self.cold.get_mut() {
            cold.launch(node);
        }
    }

    #[inline]
    fn wake_driver(&mut self) {
        if let Some(driver) = self.driver.take() {
            drop(catch_panic(|| driver.wake()));
        }
    }

    fn emit(&mut self, node: &Arc<dyn Node>) {
        if self.has_news() {
            std::mem::take(&mut self.news).emit(|| node.shared().name());
        }
    }

    pub(super) fn tell_unresponsive(&mut self, node: &Arc<dyn Node>) {
        let is_unresponsive = |cold: &mut ColdActions| std::mem::take(&mut cold.is_unresponsive);
        if self.cold.get_mut().is_some_and(is_unresponsive) {
            unresponsive::tell(node.shared());
        }
    }

    fn call_observers(&mut self, tell: fn(&PartObserver)) {
        let Some(observer) = self.observer.take() else {
            return;
        };
        drop(catch_panic(|| tell(&observer)));
        if let Some(cold) = self.cold.get_mut() {
            catch_panics(cold.observers.drain(..), |observer| tell(&observer));
        }
    }

    /// All that is left.
    fn clear(&mut self) {
        if let Some(waker) = self.old_waker.take() {
            drop(catch_panic(|| drop(waker)));
        }
        if let Some(failure) = self.old_failure.take() {
            drop(catch_panic(|| drop(failure)));
        }
        if let Some(runtime) = self.old_runtime.take() {
            drop(catch_panic(|| drop(runtime)));
        }
        self.call_observers(PartObserver::tell);
        let cold = self.cold.get_mut().map(ColdActions::finish);
        self.cold.clear();
        // Last: the end of an owner may follow, and of what that is a part of: each place sees to it that this is no recursion.
        drop((self.ended.take(), cold));
    }

    /// Nothing is left to be dropped of what was carried out, and the look at each field for that would take as long as
    /// most of it.
    #[inline]
    pub(super) fn forget(self) {
        debug_assert!(!self.has_jobs() && self.is_quiet() && !self.has_news());
        std::mem::forget(self);
    }
}

/// Fills a place that is for one, which is what most changes have; what finds it taken is handed back.
fn fill<T>(place: &mut Option<T>, new: T) -> Option<T> {
    if place.is_some() {
        return Some(new);
    }
    *place = Some(new);
    None
}
