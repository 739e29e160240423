//! Requests, and deadlines that nobody is late for.

use super::{Effects, Input, Run, State, Step, StopStage, all_rules, reachable};

#[test]
fn to_ensure_that_it_runs_is_a_start_where_it_does_not() {
    for rules in all_rules() {
        reachable(rules, |before, input, effects, after| {
            if input != Input::Ensure {
                return;
            }
            let step = Step(before, input, effects, after, rules);
            if before.state == State::Running {
                assert!(before == after && effects == Effects::NONE, "{step}");
            } else {
                let mut started = *before;
                assert_eq!(
                    (started.step(Input::Start, rules), started),
                    (effects, *after),
                    "{step}"
                );
            }
        });
    }
}

#[test]
fn only_a_run_that_is_alive_is_late_or_silent() {
    for rules in all_rules() {
        reachable(rules, |before, input, effects, after| {
            if matches!(input, Input::StartDue | Input::Silent)
                && effects.has(Effects::RECORD_TIMEOUT)
            {
                assert!(
                    before.run != Run::Out,
                    "{}",
                    Step(before, input, effects, after, rules)
                );
            }
        });
    }
}

#[test]
fn what_is_aborted_already_ends_as_it_would_have() {
    for rules in all_rules() {
        reachable(rules, |before, input, effects, after| {
            if input == Input::Abort && before.stage == StopStage::Aborted && before.is_alive() {
                let step = Step(before, input, effects, after, rules);
                assert_eq!(before.exit(), after.exit(), "{step}");
            }
        });
    }
}
