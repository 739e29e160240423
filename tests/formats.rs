//! The text of each public value: `{:?}` shows it without foreign values, and getters return what was set.

use std::error::Error;
use std::fmt::Debug;
use std::time::Duration;

use startstop_core::{
    Backoff, Cause, Context, Exit, Group, Member, OnCompletion, OnFailure, Permanent, Readiness,
    RestartPolicy, Runner, Service, Settings, Slot, State, StopError, blocking_fn, every, once,
    service_fn, service_fn_with,
};
use tokio_util::sync::CancellationToken;

mod words;

const SECOND: Duration = Duration::from_secs(1);

fn shown(value: &impl Debug) -> String {
    format!("{value:?}")
}

async fn nothing(_cx: Context) {}

#[test]
fn services_of_functions_show_where_they_are_from() {
    for (text, kind) in [
        (shown(&service_fn(nothing)), "ServiceFn("),
        (
            shown(&service_fn(nothing).on_shutdown(nothing)),
            "ServicePair(",
        ),
        (
            shown(&service_fn_with(1, |_, cx| nothing(cx))),
            "ServiceFnWith(",
        ),
        (
            shown(&service_fn_with(1, |_, cx| nothing(cx)).on_shutdown(|_, cx| nothing(cx))),
            "ServicePairWith(",
        ),
        (shown(&once(nothing)), "Once("),
        (shown(&every(SECOND, nothing)), "Every(1s, "),
        (shown(&blocking_fn(|_| ())), "BlockingFn("),
        (shown(&service_fn(nothing).boxed()), "BoxService"),
        (shown(&Slot::<u8>::default()), "Slot"),
    ] {
        assert!(text.starts_with(kind), "{text}");
    }
}

#[test]
fn a_cause_is_a_word_that_pads() {
    assert_eq!(Cause::TimedOut.to_string(), "timed out");
    assert_eq!(format!("[{:>9}]", Cause::Panic), "[    panic]");
}

#[test]
fn a_group_shows_its_members() {
    let member = Member::new(service_fn(nothing))
        .after(["db"])
        .on_failure(OnFailure::Ignore);
    let text = shown(&member.on_completion(OnCompletion::StopGroup));
    assert!(
        ["db", "Ignore", "StopGroup"]
            .iter()
            .all(|part| text.contains(part)),
        "{text}"
    );
    let builder = Group::builder("app").with("db", service_fn(nothing));
    assert!(shown(&builder).contains("\"db\""));
    let text = shown(&builder.build().unwrap());
    assert!(
        ["app", "db"].iter().all(|part| text.contains(part)),
        "{text}"
    );
}

#[test]
fn a_policy_shows_what_was_asked_for() {
    let policy = RestartPolicy::always()
        .backoff(Backoff::constant(SECOND))
        .limit(3, SECOND);
    let text = shown(&policy.retry_if(|_| true));
    assert!(
        ["Always", "1s", "3", "retry_if: true"]
            .iter()
            .all(|part| text.contains(part)),
        "{text}"
    );
    assert_eq!(
        shown(&RestartPolicy::default()),
        shown(&RestartPolicy::never())
    );
}

#[test]
fn a_detached_context_shows_its_name_and_whether_it_is_cancelled() {
    let token = CancellationToken::new();
    let cx = Context::detached(token.clone());
    assert!(shown(&cx).contains("cancelled: false"));
    cx.request_stop();
    assert!(token.is_cancelled());
    assert!(shown(&cx).contains("cancelled: true"));
}

#[test]
fn a_permanent_error_hands_back_the_error_that_it_wraps() {
    let permanent = Permanent::new(std::io::Error::other("no such table"));
    assert_eq!(permanent.get_ref().to_string(), "no such table");
    let mark = permanent.source().unwrap();
    assert_eq!(mark.to_string(), "restarting is pointless");
    assert!(mark.source().is_none());
    assert_eq!(permanent.into_inner().to_string(), "no such table");
}

#[test]
fn the_getters_tell_what_was_set() {
    let unset = Settings::new();
    assert!(unset.get_abort_timeout().is_none() && unset.get_drain().is_none());
    assert!(unset.get_shutdown_always().is_none() && unset.get_watchdog().is_none());
    let set = unset
        .abort_timeout(SECOND)
        .drain(2 * SECOND)
        .shutdown_always(false)
        .history_capacity(7)
        .watchdog(3 * SECOND)
        .readiness(Readiness::Completion);
    assert_eq!(set.get_abort_timeout(), Some(SECOND));
    assert_eq!(set.get_drain(), Some(2 * SECOND));
    assert_eq!(set.get_shutdown_always(), Some(false));
    assert_eq!(set.get_history_capacity(), Some(7));
    assert_eq!(set.get_watchdog(), Some(3 * SECOND));
    assert_eq!(set.get_readiness(), Some(Readiness::Completion));
}

#[test]
fn an_exit_is_a_code_of_the_process() {
    use std::process::{ExitCode, Termination};
    for (exit, code) in [
        (Exit::Completed, 0),
        (Exit::Stopped, 0),
        (Exit::Failed, 1),
        (Exit::Unresponsive, 1),
    ] {
        assert_eq!(
            shown(&ExitCode::from(exit)),
            shown(&ExitCode::from(code)),
            "{exit}"
        );
        assert_eq!(
            shown(&exit.report()),
            shown(&ExitCode::from(code)),
            "{exit}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_status_tells_of_long_times_in_few_letters() {
    let runner = Runner::new(service_fn(async |cx: Context| cx.cancelled().await));
    runner.start().await.unwrap();
    for (wait, text) in [(5, "5s"), (37, "42s"), (3_600, "1h0m"), (86_400, "1d1h")] {
        tokio::time::sleep(wait * SECOND).await;
        assert!(
            runner.status().to_string().contains(text),
            "{}",
            runner.status()
        );
    }
    let status = runner.status();
    assert_eq!(status.uptime(), status.total_uptime());
    assert!(status.last_failure().is_none() && status.since() <= std::time::SystemTime::now());
    runner.stop().await.unwrap();
    assert_eq!(runner.status().uptime(), Duration::ZERO);
    assert!(runner.status().to_string().contains("stopped"));
    assert!(runner.status().total_uptime() > 90_000 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_member_that_does_not_yield_is_named_in_the_error() {
    let (release, held) = std::sync::mpsc::channel::<()>();
    let held = std::sync::Mutex::new(held);
    let deaf = blocking_fn(move |_| {
        let _ = held.lock().unwrap().recv();
    });
    let runner = Runner::with_settings(deaf, Settings::new().name("deaf"));
    runner.start().await.unwrap();
    let Err(error @ StopError::Unresponsive(_)) = runner.stop().await else {
        panic!("it is deaf")
    };
    let text = error.to_string();
    assert!(
        text.starts_with("service \"deaf\" does not yield: run stuck for "),
        "{text}"
    );
    assert!(shown(&error).contains(&text));
    let StopError::Unresponsive(stuck) = error else {
        panic!("it is deaf")
    };
    assert_eq!(shown(&stuck), text);
    drop(release);
    runner.wait_for(State::Stopped).await;
}
