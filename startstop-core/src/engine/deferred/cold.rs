//! The actions that most changes do not need.

use std::sync::Arc;
use std::task::Waker;

use tokio::runtime::Handle;

use crate::engine::attached::AttachedAction;
use crate::engine::attempt_guard::AttemptGuard;
use crate::engine::deadline::DeadlineTask;
use crate::engine::owners::{OwnerGuard, PartObserver};
use crate::engine::parent::Parent;
use crate::engine::seldom::rare;
use crate::engine::{Ending, Job, Node};
use crate::report::error::Unresponsive;
use crate::report::event::Event;
use crate::report::failure::Failure;
use crate::report::panic::catch_panics;
#[cfg(feature = "tracing")]
use crate::report::trace::AttemptSpan;
use crate::sync::{AbortHandle, CancellationToken};

rare!(ColdActions);

/// The actions that most changes do not need.
#[derive(Default)]
pub(in crate::engine) struct ColdActions {
    pub(in crate::engine) tokens: Vec<Arc<CancellationToken>>,
    pub(in crate::engine) aborts: Vec<AbortHandle>,
    pub(in crate::engine) endings: Vec<Ending>,
    pub(in crate::engine) attached_actions: Vec<AttachedAction>,
    pub(super) jobs: Vec<Job>,
    pub(super) cancelled: Vec<DeadlineTask>,
    pub(in crate::engine) stuck: Vec<(Arc<AttemptGuard>, Unresponsive)>,
    pub(super) observers: Vec<PartObserver>,
    /// Values that nobody needs any more, and whose drop is user code, or takes another lock.
    pub(super) wakers: Vec<Waker>,
    pub(in crate::engine) failures: Vec<Failure>,
    pub(super) runtimes: Vec<Handle>,
    pub(super) events: Vec<Event>,
    #[cfg(feature = "tracing")]
    pub(super) spans: Vec<AttemptSpan>,
    pub(super) parent: Option<Arc<Parent>>,
    pub(in crate::engine) is_unresponsive: bool,
    pub(super) ended: Vec<OwnerGuard>,
    /// Those of owners that have given this part up: released before anybody is woken, so that whoever sees that it has ended after
    /// all finds its owner free of it.
    pub(super) freed: Vec<OwnerGuard>,
}

impl ColdActions {
    /// Runs the endings, cancels tokens, aborts tasks, and tells owners of stuck parts.
    pub(super) fn tell(&mut self) {
        catch_panics(self.endings.drain(..), |ending| (ending.0)());
        catch_panics(self.tokens.drain(..), |token| token.cancel());
        catch_panics(self.aborts.drain(..), |task| task.abort());
        catch_panics(self.attached_actions.drain(..), AttachedAction::run);
        self.cancelled.drain(..).for_each(DeadlineTask::cancel);
        catch_panics(self.stuck.drain(..), |(guard, unresponsive)| {
            guard.ran_out(&unresponsive);
        });
    }

    pub(super) fn launch(&mut self, node: &Arc<dyn Node>) {
        for job in self.jobs.drain(..) {
            Arc::clone(node).launch(job);
        }
    }

    /// Drops what nobody needs any more; who is to be let go of after that is handed back.
    pub(super) fn finish(&mut self) -> Vec<OwnerGuard> {
        catch_panics(self.wakers.drain(..), drop);
        catch_panics(self.failures.drain(..), drop);
        catch_panics(self.runtimes.drain(..), drop);
        catch_panics(self.events.drain(..), drop);
        std::mem::take(&mut self.ended)
    }
}
