//! Deadlines: who has one, and when it counts.

use super::{Effects, Input, State, Step, StopStage, Timer, UserCode, all_rules, reachable};

#[test]
fn what_ends_has_a_deadline_or_is_over() {
    for rules in all_rules() {
        reachable(rules, |before, input, effects, after| {
            let step = Step(before, input, effects, after, rules);
            if after.timer() != before.timer() && after.timer() != Timer::None {
                // For the end of an attempt there is a deadline where the driver is told of it.
                let announced = effects.has(Effects::TIMER)
                    || after.timer() == Timer::Settle && effects.has(Effects::WAKE_DRIVER);
                assert!(announced, "a new deadline is announced\n{step}");
            }
            if after.state == State::Stopping && after.timer() == Timer::None {
                let excused = after.unresponsive || after.kept > 0 || after.is_over();
                assert!(excused, "no deadline\n{step}");
            }
        });
    }
}

#[test]
fn a_deadline_that_comes_late_changes_nothing() {
    for rules in all_rules() {
        reachable(rules, |before, input, effects, after| {
            let stopping = before.state == State::Stopping && before.is_alive()
                || before.user_code == UserCode::Called;
            let aborted = before.stage == StopStage::Aborted;
            let in_time = match input {
                Input::StopDue => stopping && !aborted,
                Input::AbortDue => stopping && aborted && !before.unresponsive && before.kept == 0,
                _ => return,
            };
            let step = Step(before, input, effects, after, rules);
            assert_eq!(
                before != after || effects != Effects::NONE,
                in_time,
                "{step}"
            );
        });
    }
}

#[test]
fn a_whole_has_no_time_of_its_own_for_what_is_stuck() {
    for rules in all_rules() {
        reachable(rules, |before, input, effects, after| {
            let step = Step(before, input, effects, after, rules);
            let only_stuck = after.is_only_stuck() && after.state == State::Stopping;
            assert!(!only_stuck || after.unresponsive, "{step}");
        });
    }
}

#[test]
fn what_is_called_at_the_end_of_an_attempt_has_a_deadline() {
    for rules in all_rules() {
        reachable(rules, |before, input, effects, after| {
            let step = Step(before, input, effects, after, rules);
            if after.user_code == UserCode::Called && !after.unresponsive {
                assert!(
                    matches!(after.timer(), Timer::Stop | Timer::Abort),
                    "{step}"
                );
                assert!(!after.is_over(), "it is not settled meanwhile\n{step}");
            }
        });
    }
}
