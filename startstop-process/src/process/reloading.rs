//! A reload in progress.

use startstop_core::{Context, Reload};

use super::helper::{Helper, Refusal};
use super::{OnReload, Process};
use crate::group::ProcessGroup;
use crate::output::Sink;

/// At most one command at a time. A request whose command is not over at the end of the attempt is dropped
/// with it, which answers that the service has stopped.
pub(super) struct Reloading {
    /// The destination of what a command says.
    sink: Option<Sink>,
    running: Option<(Reload, Helper)>,
}

impl Reloading {
    pub(super) const fn new(sink: Option<Sink>) -> Self {
        Self {
            sink,
            running: None,
        }
    }

    pub(super) const fn is_idle(&self) -> bool {
        self.running.is_none()
    }

    /// Begins what a reload of the process is. A signal is answered by nobody: it is done when it is sent.
    pub(super) fn begin(
        &mut self,
        process: &Process,
        cx: &Context,
        group: &ProcessGroup,
        request: Reload,
    ) {
        match &process.reload {
            Some(OnReload::Signal(signal)) => {
                group.signal_leader(*signal);
                request.done();
            }
            Some(OnReload::Command(words)) => {
                let sink = self.sink.clone();
                match Helper::start_for(process, cx, group.id(), words, sink) {
                    Ok(helper) => self.running = Some((request, helper)),
                    Err(error) => request.failed(format!("the reload command {words:?}: {error}")),
                }
            }
            None => request.done(),
        }
    }

    /// Waits until the command has ended, for ever if there is none.
    pub(super) async fn ended(&self) -> Result<(), Refusal> {
        match &self.running {
            Some((_, helper)) => helper.ended().await,
            None => std::future::pending().await,
        }
    }

    /// Answers the request.
    pub(super) fn answer(&mut self, ended: Result<(), Refusal>) {
        let Some((request, _helper)) = self.running.take() else {
            return;
        };
        match ended {
            Ok(()) => request.done(),
            Err(refusal) => request.failed(format!("the reload command {refusal}")),
        }
    }
}
