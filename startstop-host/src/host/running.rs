//! The program from its beginning on: the service, and the parts of the host beside it.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use startstop_core::{Runner, Service};
use tokio::runtime::Handle;

use super::background::{Background, Parts};
use super::grace::{self, Limit};
use super::tasks::Tasks;
use super::{Host, tell};
#[cfg(all(unix, feature = "notify"))]
use crate::notify::Whose;
use crate::probes::Probes;
use crate::pulse::Pulse;

impl<S: Service> Host<S> {
    /// Begins the parts of the host; the service is to run on `runtime`. `None` if they cannot begin, which is told.
    pub(super) fn begin(mut self, runtime: &Handle) -> Option<Running<S>> {
        let pulse = Arc::new(Pulse::default());
        let probes = self
            .probes
            .clone()
            .on_runtime(Arc::clone(&pulse), runtime.clone());
        #[cfg(feature = "grpc-health")]
        if let Some(health) = &self.grpc_health {
            health.bind(probes.clone());
        }
        let mut tasks = Tasks::new(runtime.clone());
        grace::check(self.runner.grace_period(), self.limit());
        let refused = Arc::<AtomicBool>::default();
        let background = match Background::spawn(|| self.parts(&probes, &mut tasks, &refused)) {
            Ok(background) => background,
            Err(reason) => {
                tell(&reason);
                return None;
            }
        };
        if background.is_some() {
            let beating = Arc::clone(&pulse);
            tasks.spawn(async move { beating.run().await });
        }
        let parts = RunningParts {
            pulse,
            _tasks: tasks,
            background,
        };
        Some(Running {
            runner: self.runner,
            parts,
            verdict: HandoverVerdict(refused),
        })
    }

    #[cfg_attr(not(feature = "notify"), allow(clippy::unused_self))] // With the feature it reads the manager from `self`.
    fn limit(&self) -> Limit {
        #[cfg(all(unix, feature = "notify"))]
        if self.notify.extends() {
            return Limit::Prolonged;
        }
        Limit::Fixed
    }

    /// The process that the manager's watchdog is meant for.
    #[cfg(all(unix, feature = "notify"))]
    #[cfg_attr(not(feature = "handover"), allow(clippy::unused_self))]
    fn whose_watchdog(&self) -> Whose {
        #[cfg(feature = "handover")]
        if let Some(handover) = &self.handover {
            return handover.whose_watchdog();
        }
        Whose::Named
    }

    /// The parts of the host, by their names, or why they cannot begin. `tasks` belong to the runtime of the service.
    #[cfg_attr(
        not(any(feature = "admin", feature = "notify")),
        allow(clippy::unused_self, clippy::unnecessary_wraps)
    )] // Without features there are no parts.
    fn parts(
        &mut self,
        probes: &Probes,
        tasks: &mut Tasks,
        refused: &Arc<AtomicBool>,
    ) -> Result<Parts, String> {
        let mut parts = Parts::new();
        #[cfg(all(unix, feature = "notify"))]
        let manager = self.notify.open(self.whose_watchdog())?;
        #[cfg(feature = "admin")]
        match self.admin.part(probes) {
            Ok(admin) => parts.extend(admin.map(|admin| ("admin", admin.boxed()))),
            Err(reason) => {
                #[cfg(all(unix, feature = "notify"))]
                manager.refuse(&reason);
                return Err(reason);
            }
        }
        #[cfg(all(unix, feature = "handover"))]
        if let Some(handover) = self.handover.take() {
            #[cfg(feature = "notify")]
            let successors = handover.part(probes, refused, manager.unit());
            #[cfg(not(feature = "notify"))]
            let successors = handover.part(probes, refused);
            parts.push(("handover", successors.boxed()));
        }
        #[cfg(all(unix, feature = "notify"))]
        {
            if let Some(watchdog) = manager.watchdog() {
                tasks.spawn(watchdog.run(probes.clone()));
            }
            let notifier = manager.part(probes);
            parts.extend(notifier.map(|notifier| ("notify", notifier.boxed())));
        }
        let _ = (probes, tasks, refused, &mut parts);
        Ok(parts)
    }
}

/// A program whose parts have begun.
pub(super) struct Running<S: Service> {
    runner: Runner<S>,
    parts: RunningParts,
    verdict: HandoverVerdict,
}

impl<S: Service> Running<S> {
    /// Returns the service, of which nothing else keeps the value, and what is to end between its end and its drop.
    pub(super) fn split(self) -> (Runner<S>, RunningParts, HandoverVerdict) {
        (self.runner, self.parts, self.verdict)
    }
}

/// The parts of the host, which end when it is dropped.
pub(super) struct RunningParts {
    pulse: Arc<Pulse>,
    _tasks: Tasks,
    background: Option<Background>,
}

impl RunningParts {
    /// Ends the parts of the host, after the service has.
    pub(super) async fn end(self) {
        self.pulse.end();
        if let Some(background) = self.background {
            background.end().await;
        }
    }
}

/// Whether a predecessor has given this program up.
pub(super) struct HandoverVerdict(Arc<AtomicBool>);

impl HandoverVerdict {
    /// Returns the code of the program: one that has taken over nothing has failed, whatever its service says.
    pub(super) fn code(&self, code: ExitCode) -> ExitCode {
        if self.0.load(Ordering::Relaxed) {
            return ExitCode::FAILURE;
        }
        code
    }
}
