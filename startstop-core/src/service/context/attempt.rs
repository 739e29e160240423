//! One attempt, as its contexts know it.

use std::sync::Arc;

use crate::engine::waiters::Topic;
use crate::engine::{Node, parts};
use crate::report::state::Phase;
use crate::rules::lifecycle::StopStage;
use crate::sync::CancellationToken;

/// One attempt of one runner, seen from one of its parts.
#[derive(Clone)]
pub(crate) struct Attempt {
    node: Arc<dyn Node>,
    epoch: u64,
}

/// The highest bit of an epoch tells the contexts of `shutdown` from those of `run`.
const SHUTDOWN: u64 = 1 << 63;

impl Attempt {
    pub(super) fn of_run(node: Arc<dyn Node>, epoch: u64) -> Self {
        Self { node, epoch }
    }

    pub(super) fn of_shutdown(node: Arc<dyn Node>, epoch: u64) -> Self {
        Self {
            node,
            epoch: epoch | SHUTDOWN,
        }
    }

    pub(crate) fn node(&self) -> &Arc<dyn Node> {
        &self.node
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.epoch & !SHUTDOWN
    }

    pub(crate) fn phase(&self) -> Phase {
        if self.epoch & SHUTDOWN == 0 {
            Phase::Run
        } else {
            Phase::Shutdown
        }
    }

    /// Returns the stop stage that means cancelled here.
    pub(super) fn cancel_stage(&self) -> StopStage {
        match self.phase() {
            Phase::Shutdown => StopStage::Aborted,
            Phase::Run | Phase::Task => StopStage::Cancelled,
        }
    }

    pub(super) fn cancel_topic(&self) -> Topic {
        match self.phase() {
            Phase::Shutdown => Topic::Deadline,
            Phase::Run | Phase::Task => Topic::Cancel,
        }
    }

    pub(super) fn has_reached(&self, stage: StopStage) -> bool {
        self.node.shared().stage(self.epoch()) >= stage
    }

    pub(super) fn token(&self) -> CancellationToken {
        let (shared, stage) = (self.node.shared(), self.cancel_stage());
        let token = parts::token(&mut shared.synced(), shared, self.epoch(), stage);
        match token {
            // A child, so that whoever gets it cannot cancel those of others.
            Some(token) => token.child_token(),
            None => {
                let token = CancellationToken::new();
                token.cancel();
                token
            }
        }
    }
}
