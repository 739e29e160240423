//! How far a program has come, and what follows from a signal then: pure, the time is given.

use std::mem;
use std::time::Instant;

use super::count::Count;
use super::signals::Signal;
use crate::report::state::{Exit, State};

/// The choice for a service that does not yield: the process stays, or it exits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IfStuck {
    /// It goes on, and is told.
    Stays,
    /// It exits.
    Exits,
}

/// How far a program has come.
#[derive(Debug, Default)]
pub(super) struct ProgramStage {
    count: Count,
    last: Option<Signal>,
    /// There was something to stop when the first signal came.
    is_told: bool,
    life: Progress,
    reload: ReloadRequest,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Progress {
    #[default]
    Unstarted,
    Started,
    /// A stop was asked for.
    Stopping,
    /// The program has ended, or the process is being left.
    Over,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum ReloadRequest {
    #[default]
    No,
    /// The service has to be started before.
    Due,
    /// Somebody waits for the answer.
    Asked,
}

/// The step that follows from a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ProgramStep {
    Nothing,
    Reload,
    Stop,
    Abort,
    Leave,
}

impl ProgramStage {
    /// Returns what follows from a signal, of a service in this state; `None` if the program is over.
    pub(super) fn hear(
        &mut self,
        signal: Signal,
        state: State,
        if_stuck: IfStuck,
    ) -> Option<ProgramStep> {
        Some(match (self.life, signal) {
            (Progress::Over, _) => return None,
            (_, Signal::HangUp) if self.is_asked() => ProgramStep::Nothing,
            (Progress::Started | Progress::Stopping, Signal::HangUp) => ProgramStep::Reload,
            (Progress::Unstarted, Signal::HangUp) => {
                self.reload = ReloadRequest::Due;
                ProgramStep::Nothing
            }
            (_, Signal::Interrupt | Signal::Terminate) => self.count(signal, state, if_stuck),
        })
    }

    fn count(&mut self, signal: Signal, state: State, if_stuck: IfStuck) -> ProgramStep {
        let Some(number) = self.count.note(signal, Instant::now()) else {
            return ProgramStep::Nothing;
        };
        self.last = Some(signal);
        match (number, if_stuck) {
            (1, _) => {
                self.is_told = state != State::Stopped;
                ProgramStep::Stop
            }
            (2, _) => ProgramStep::Abort,
            (_, IfStuck::Stays) => ProgramStep::Nothing,
            (_, IfStuck::Exits) => ProgramStep::Leave,
        }
    }

    /// Turns a hang-up that no service has taken for a reload into a termination, unless the end was asked for meanwhile.
    pub(super) fn not_reloaded(&mut self, state: State, if_stuck: IfStuck) -> ProgramStep {
        if self.life == Progress::Over || self.is_asked() {
            return ProgramStep::Nothing;
        }
        self.count(Signal::Terminate, state, if_stuck)
    }

    /// Returns whether a signal has asked for the end.
    pub(super) fn is_asked(&self) -> bool {
        self.count.is_asked()
    }

    /// A signal that has asked for the end has its effect by what is done now.
    pub(super) fn tell(&mut self) {
        self.is_told = true;
    }

    /// The service has been started: what follows from the signals before that.
    pub(super) fn start(&mut self) -> ProgramStep {
        self.life = Progress::Started;
        if self.is_asked() {
            self.tell();
            return ProgramStep::Stop;
        }
        match mem::take(&mut self.reload) {
            ReloadRequest::Due => ProgramStep::Reload,
            ReloadRequest::No | ReloadRequest::Asked => ProgramStep::Nothing,
        }
    }

    /// A stop was asked for.
    pub(super) fn stop(&mut self) {
        if self.life != Progress::Over {
            self.life = Progress::Stopping;
        }
    }

    pub(super) fn is_stopping(&self) -> bool {
        matches!(self.life, Progress::Stopping | Progress::Over)
    }

    /// Somebody is about to wait for the answer of a reload: whether nobody does so yet.
    pub(super) fn ask_for_reload(&mut self) -> bool {
        mem::replace(&mut self.reload, ReloadRequest::Asked) != ReloadRequest::Asked
    }

    pub(super) fn is_answered(&mut self) {
        self.reload = ReloadRequest::No;
    }

    /// The program has ended, or the process is being left; whether it was not so before.
    pub(super) fn finish(&mut self) -> bool {
        mem::replace(&mut self.life, Progress::Over) != Progress::Over
    }

    /// Returns the signal that has asked for the end of what had ended already, with this exit.
    pub(super) fn missed(&self, exit: Exit) -> Option<Signal> {
        self.last
            .filter(|_| !self.is_told || exit == Exit::Completed)
    }
}

#[cfg(test)]
mod tests {
    use super::{Exit, IfStuck, ProgramStage, ProgramStep, Signal, State};

    fn heard(stage: &mut ProgramStage, signal: Signal) -> Option<ProgramStep> {
        stage.hear(signal, State::Running, IfStuck::Exits)
    }

    #[test]
    fn a_hangup_before_the_start_is_kept_for_it() {
        let mut stage = ProgramStage::default();
        assert_eq!(
            heard(&mut stage, Signal::HangUp),
            Some(ProgramStep::Nothing)
        );
        assert_eq!(stage.start(), ProgramStep::Reload);
        assert_eq!(heard(&mut stage, Signal::HangUp), Some(ProgramStep::Reload));
    }

    #[test]
    fn a_stop_before_the_start_is_kept_for_it() {
        let mut stage = ProgramStage::default();
        let step = stage.hear(Signal::Terminate, State::Stopped, IfStuck::Exits);
        assert_eq!(step, Some(ProgramStep::Stop));
        assert_eq!(stage.missed(Exit::Stopped), Some(Signal::Terminate));
        assert_eq!(stage.start(), ProgramStep::Stop);
        assert_eq!(stage.missed(Exit::Stopped), None);
    }

    #[test]
    fn a_signal_for_what_completes_by_itself_is_missed() {
        let mut stage = ProgramStage::default();
        stage.start();
        assert_eq!(
            heard(&mut stage, Signal::Interrupt),
            Some(ProgramStep::Stop)
        );
        assert_eq!(stage.missed(Exit::Completed), Some(Signal::Interrupt));
    }

    #[test]
    fn a_hangup_that_nobody_reloads_is_a_termination_until_the_end_is_asked_for() {
        let mut stage = ProgramStage::default();
        stage.start();
        assert_eq!(heard(&mut stage, Signal::HangUp), Some(ProgramStep::Reload));
        assert_eq!(
            stage.not_reloaded(State::Running, IfStuck::Exits),
            ProgramStep::Stop
        );
        // However late the answer is: it is no second termination.
        let mut stage = ProgramStage::default();
        stage.start();
        assert_eq!(heard(&mut stage, Signal::HangUp), Some(ProgramStep::Reload));
        assert_eq!(
            heard(&mut stage, Signal::Interrupt),
            Some(ProgramStep::Stop)
        );
        assert_eq!(
            stage.not_reloaded(State::Stopping, IfStuck::Exits),
            ProgramStep::Nothing
        );
    }

    #[test]
    fn three_signals_stop_abort_and_leave() {
        let mut stage = ProgramStage::default();
        stage.start();
        assert_eq!(
            heard(&mut stage, Signal::Terminate),
            Some(ProgramStep::Stop)
        );
        assert_eq!(
            heard(&mut stage, Signal::HangUp),
            Some(ProgramStep::Nothing)
        );
        assert_eq!(
            heard(&mut stage, Signal::Interrupt),
            Some(ProgramStep::Abort)
        );
        assert!(stage.finish());
        assert!(!stage.finish());
        assert_eq!(heard(&mut stage, Signal::Interrupt), None);
    }
}
