//! A reload in progress.

use std::io;

use startstop_core::Reload;

use super::helper::Helper;
use super::{OnReload, Process};
use crate::group::{Ending, ProcessGroup};

/// At most one command at a time. A request whose command is not over at the end of the attempt is dropped
/// with it, which answers that the service has stopped.
#[derive(Default)]
pub(super) struct Reloading(Option<(Reload, Helper)>);

impl Reloading {
    pub(super) const fn is_idle(&self) -> bool {
        self.0.is_none()
    }

    /// Begins what a reload of the process is. A signal is answered by nobody: it is done when it is sent.
    pub(super) fn begin(&mut self, process: &Process, group: &ProcessGroup, request: Reload) {
        match &process.reload {
            Some(OnReload::Signal(signal)) => {
                group.signal_leader(*signal);
                request.done();
            }
            Some(OnReload::Command(words)) => match Helper::start_for(process, group.id(), words) {
                Ok(helper) => self.0 = Some((request, helper)),
                Err(error) => request.failed(format!("the reload command {words:?}: {error}")),
            },
            None => request.done(),
        }
    }

    /// Waits until the command has ended, for ever if there is none.
    pub(super) async fn ended(&self) -> io::Result<Ending> {
        match &self.0 {
            Some((_, helper)) => helper.ended().await,
            None => std::future::pending().await,
        }
    }

    /// Answers the request.
    pub(super) fn answer(&mut self, ended: io::Result<Ending>) {
        let Some((request, _helper)) = self.0.take() else {
            return;
        };
        match ended {
            Ok(Ending::Exited(0)) => request.done(),
            Ok(ending) => request.failed(format!("the reload command {ending}")),
            Err(error) => request.failed(error),
        }
    }
}
