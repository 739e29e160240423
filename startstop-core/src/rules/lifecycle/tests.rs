//! Walks every state that can be reached, with every input that can come there, and holds the
//! invariants of the lifecycle against each step.

mod deadlines;
mod mixtures;
mod requests;
mod settings;

use std::collections::HashSet;
use std::sync::{LazyLock, OnceLock};

use self::settings::all_rules;
use super::{
    Effects, End, Input, Lifecycle, Part, Rules, Run, RunEnd, ShutdownCall, StopStage, Timer,
    UserCode,
};
use crate::report::state::State;

/// As many of a kind of part as make a difference: none, one, more.
const PARTS: u32 = 2;

/// Returns the inputs that the engine may give in this state.
fn inputs(at: &Lifecycle) -> Vec<Input> {
    let mut inputs = vec![
        Input::Start,
        Input::Ensure,
        Input::Restart,
        Input::Stop,
        Input::Abort,
    ];
    inputs.extend([
        Input::Ready,
        Input::Lost,
        Input::StopDue,
        Input::StartDue,
        Input::AbortDue,
    ]);
    inputs.extend([Input::Drain, Input::StopNow]);
    inputs.extend([
        Input::Silent,
        Input::DrainOver,
        Input::Enter,
        Input::BackoffOver,
    ]);
    if at.is_run_alive() {
        inputs.push(Input::RunEnded(RunEnd::Dropped));
        if at.stage < StopStage::Aborted {
            inputs.extend([Input::RunEnded(RunEnd::Ok), Input::RunEnded(RunEnd::Failed)]);
        }
    }
    if at.shutdown_call == ShutdownCall::Due {
        inputs.push(Input::ShutdownCallTaken);
    }
    if at.shutdown_call == ShutdownCall::Live {
        inputs.push(Input::ShutdownCallEnded);
    }
    let called = at.shutdown_call == ShutdownCall::Live;
    let counts = [
        (Part::Task, at.tasks),
        (Part::Kept, at.kept),
        (Part::Held, at.held),
        (Part::HeldByShutdown, at.held_by_shutdown),
    ];
    for (part, count) in counts {
        if count > 0 {
            inputs.push(Input::Ended(part));
        }
        // Whether there are more makes no difference to what is held or stuck.
        let most = match part {
            Part::HeldByShutdown if !called => 0,
            Part::Held | Part::HeldByShutdown => 1,
            Part::Task | Part::Kept | Part::Stuck => PARTS,
        };
        if count < most && (at.is_open() || part == Part::Kept && at.is_run_alive()) {
            inputs.push(Input::Added(part));
        }
    }
    if at.tasks > 0 {
        inputs.push(Input::TaskFailed);
    }
    if at.kept > 0 && at.stuck == 0 {
        inputs.push(Input::RanOut);
    }
    if at.stuck > 0 {
        inputs.push(Input::Ended(Part::Stuck));
    }
    if at.user_code == UserCode::Called {
        inputs.push(Input::Closed);
    }
    if at.is_over() {
        inputs.extend([Input::Closing, Input::Finish]);
        if at.may_retry() {
            inputs.extend([Input::Retry, Input::Exhausted]);
        }
    }
    inputs
}

/// Returns whether the engine gives this input although the machine has no use for it in this state: a
/// `RunEnded(Dropped)` of a driver that nobody aborted comes after `Lost` only.
fn is_possible(at: &Lifecycle, input: Input) -> bool {
    match input {
        Input::RunEnded(RunEnd::Dropped) => at.stage == StopStage::Aborted || at.lost,
        _ => true,
    }
}

/// Returns the inputs that are possible, with what comes of them.
fn steps(before: &Lifecycle, rules: Rules) -> impl Iterator<Item = (Input, Effects, Lifecycle)> {
    let before = *before;
    let possible = inputs(&before)
        .into_iter()
        .filter(move |input| is_possible(&before, *input));
    possible.map(move |input| {
        let mut after = before;
        (input, after.step(input, rules), after)
    })
}

/// Returns all states that can be reached, which are found once for all tests.
fn states(rules: Rules) -> &'static [Lifecycle] {
    type Found = Vec<(Rules, OnceLock<Vec<Lifecycle>>)>;
    static FOUND: LazyLock<Found> =
        LazyLock::new(|| all_rules().map(|rules| (rules, OnceLock::new())).collect());
    let (_, found) = FOUND
        .iter()
        .find(|(other, _)| *other == rules)
        .expect("one of all rules");
    found.get_or_init(|| find_states(rules))
}

fn find_states(rules: Rules) -> Vec<Lifecycle> {
    let mut seen = HashSet::from([Lifecycle::default()]);
    let mut found = vec![Lifecycle::default()];
    let mut at = 0;
    while let Some(before) = found.get(at).copied() {
        let new = steps(&before, rules).map(|(_, _, after)| after);
        found.extend(new.filter(|after| seen.insert(*after)));
        at += 1;
    }
    found
}

/// Checks each step that can be made; from how many states.
fn reachable(rules: Rules, mut check: impl FnMut(&Lifecycle, Input, Effects, &Lifecycle)) -> usize {
    let states = states(rules);
    for before in states {
        for (input, effects, after) in steps(before, rules) {
            check(before, input, effects, &after);
        }
    }
    states.len()
}

/// A step, written out only when something is wrong with it.
struct Step<'a>(&'a Lifecycle, Input, Effects, &'a Lifecycle, Rules);

impl std::fmt::Display for Step<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self(before, input, effects, after, rules) = self;
        write!(
            f,
            "{before:?}\n{input:?} -> {effects:?}\n{after:?}\n{rules:?}"
        )
    }
}

#[allow(clippy::unnested_or_patterns)] // One line a rule.
fn follows(before: State, after: State) -> bool {
    use State::{Backoff, Running, Starting, Stopped, Stopping};
    before == after
        || matches!(
            (before, after),
            (Stopped, Starting)
                | (Starting | Running | Backoff, Stopping)
                | (Starting, Running)
                | (Stopping | Starting | Running, Stopped | Backoff)
                | (Backoff, Starting)
                // Through `Stopped`, in one step: the old cycle ends and the next begins.
                | (Stopping, Starting)
        )
}

#[test]
fn every_reachable_step_keeps_the_invariants() {
    for rules in all_rules() {
        let states = reachable(rules, |before, input, effects, after| {
            let step = Step(before, input, effects, after, rules);
            assert!(follows(before.state, after.state), "state order\n{step}");
            if effects.has(Effects::BEGIN_ATTEMPT) {
                assert!(
                    !after.is_alive() && !before.is_alive(),
                    "invariant 1\n{step}"
                );
                assert_eq!(after.state, State::Starting, "invariant 1\n{step}");
            }
            if effects.has(Effects::ENDED) {
                assert!(
                    !before.is_alive() && before.is_over(),
                    "invariant 2\n{step}"
                );
            }
            assert_eq!(
                effects.has(Effects::ENDED),
                before.state != State::Stopped
                    && (after.state == State::Stopped || effects.has(Effects::BEGIN_CYCLE)),
                "invariant 2\n{step}"
            );
            if matches!(input, Input::Stop | Input::StopNow | Input::Abort) {
                assert!(
                    !after.has_next() && !after.is_awaited(),
                    "invariant 3\n{step}"
                );
                assert!(
                    after.state == State::Stopped || !after.may_retry(),
                    "invariant 3\n{step}"
                );
                assert!(
                    matches!(after.state, State::Stopped | State::Stopping),
                    "invariant 3\n{step}"
                );
            }
            if effects.has(Effects::STARTED) {
                assert!(
                    !after.has_next(),
                    "a start of the next cycle is not answered\n{step}"
                );
            }
            if effects.has(Effects::CALL_SHUTDOWN) {
                assert_eq!(
                    before.shutdown_call,
                    ShutdownCall::Idle,
                    "invariant 4\n{step}"
                );
                assert_eq!(
                    after.shutdown_call,
                    ShutdownCall::Due,
                    "invariant 4\n{step}"
                );
            }
            assert!(
                !after.lost || after.shutdown_call != ShutdownCall::Due,
                "nobody is left to call it\n{step}"
            );
            if after.unresponsive {
                assert!(
                    !after.has_next() && !after.is_awaited() && !after.may_retry(),
                    "invariant 5\n{step}"
                );
            }
            assert!(
                !after.is_awaited() || !after.ready || after.has_next(),
                "invariant 6\n{step}"
            );
        });
        assert!(states > 50, "{states} states");
    }
}

#[test]
fn whoever_ends_the_attempt_says_so() {
    for rules in all_rules() {
        reachable(rules, |before, input, effects, after| {
            let newly_over = !before.is_over() && after.is_over();
            if newly_over && !matches!(input, Input::Retry | Input::Finish) {
                assert!(
                    effects.has(Effects::WAKE_DRIVER),
                    "{before:?}\n{input:?} {effects:?}\n{after:?}"
                );
            }
        });
    }
}

#[test]
fn a_stop_always_leads_to_stopped() {
    for rules in all_rules() {
        for before in states(rules) {
            let mut at = *before;
            at.step(Input::Stop, rules);
            for _ in 0..20 {
                let input = match () {
                    () if at.state == State::Stopped => break,
                    () if at.shutdown_call == ShutdownCall::Due => Input::ShutdownCallTaken,
                    () if at.is_run_alive() => {
                        let aborted = at.stage == StopStage::Aborted || at.lost;
                        Input::RunEnded(if aborted { RunEnd::Dropped } else { RunEnd::Ok })
                    }
                    () if at.shutdown_call == ShutdownCall::Live => Input::ShutdownCallEnded,
                    () if at.tasks > 0 => Input::Ended(Part::Task),
                    () if at.kept > 0 => Input::Ended(Part::Kept),
                    () if at.held > 0 => Input::Ended(Part::Held),
                    () if at.held_by_shutdown > 0 => Input::Ended(Part::HeldByShutdown),
                    () if at.stuck > 0 => Input::Ended(Part::Stuck),
                    () if at.user_code == UserCode::Called => Input::Closed,
                    () => Input::Finish,
                };
                at.step(input, rules);
            }
            assert_eq!(at, Lifecycle::default(), "after {before:?}");
        }
    }
}

#[test]
fn a_running_service_is_entered_and_has_no_end() {
    for rules in all_rules() {
        reachable(rules, |_, _, _, after| {
            if after.state == State::Running && after.end == End::None {
                assert!(after.is_run_alive() && after.ready && after.stage <= StopStage::Draining);
            }
            if after.state == State::Backoff {
                assert!(!after.is_alive());
            }
        });
    }
}

#[test]
fn an_attempt_counts_as_ready_once() {
    for rules in all_rules() {
        reachable(rules, |before, input, effects, after| {
            let newly_ready = !before.ready && after.ready;
            let step = Step(before, input, effects, after, rules);
            // A start that comes between the end of a job and its settlement is answered as those before it.
            let joins = matches!(input, Input::Start | Input::Ensure)
                && (before.state, before.ready) == (State::Starting, true);
            assert_eq!(
                effects.has(Effects::STARTED),
                newly_ready || joins,
                "{step}"
            );
        });
    }
}
