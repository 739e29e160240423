//! Members that are bound to others: they go down with them and come up after them.

use startstop_core::{
    Backoff, Context, Group, GroupBuilder, Member, OnFailure, RestartPolicy, Runner, Settings,
    State, service_fn,
};

use crate::support::groups::{Act, Journal, Probe, built, on, outcome, started, stopped};
use crate::support::{SECOND, idle, within};

/// It restarts by itself, after so many seconds.
pub(super) fn restarts_in(seconds: u32, probe: Probe) -> Probe {
    let policy = RestartPolicy::on_failure().backoff(Backoff::constant(seconds * SECOND));
    probe.settings(Settings::new().restart(policy))
}

pub(super) fn bound(to: &'static str, probe: Probe) -> Member {
    Member::new(probe).bound_to([to])
}

/// `db`, which restarts by itself after five seconds, `http` that is bound to it, `page` that is bound to that, and
/// `log` that only starts after `db`.
fn chain(journal: &Journal) -> GroupBuilder {
    Group::builder("app")
        .with("db", restarts_in(5, journal.probe("db")))
        .with("http", bound("db", journal.probe("http")))
        .with("page", bound("http", journal.probe("page")))
        .with("log", Member::new(journal.probe("log")).after(["db"]))
}

pub(super) async fn running(journal: &Journal) -> Runner<Group> {
    let app = started(chain(journal)).await;
    journal.take();
    app
}

fn restarts<const N: usize>(app: &Runner<Group>, names: [&str; N]) -> [u64; N] {
    names.map(|name| app.service().get(name).unwrap().status().restarts())
}

#[tokio::test(start_paused = true)]
async fn bound_members_start_after_what_they_are_bound_to_and_stop_before_it() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .with("http", bound("db", journal.probe("http")))
            .with("db", journal.probe("db").ready_in(2)),
    )
    .await;
    stopped(&app).await;
    assert_eq!(journal.moves(), ["+db", "+http", "-http", "-db"]);
}

#[tokio::test(start_paused = true)]
async fn a_restart_by_a_policy_takes_them_along_in_reverse() {
    let journal = Journal::new();
    let app = running(&journal).await;
    journal.tell("db", Act::Fail);
    idle().await;
    assert_eq!(journal.take(), ["-db", "~page", "-page", "~http", "-http"]);
    tokio::time::sleep(6 * SECOND).await;
    assert_eq!(journal.take(), ["+db", "+http", "+page"]);
    assert_eq!(restarts(&app, ["db", "http", "page", "log"]), [1, 1, 1, 0]);
    assert!(app.is_ready());
    stopped(&app).await;
}

/// An attempt that follows at once, before the group has looked, is another one nevertheless.
#[tokio::test(start_paused = true)]
async fn a_restart_without_delay_takes_them_along() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .with("db", restarts_in(0, journal.probe("db")))
            .with("http", bound("db", journal.probe("http"))),
    )
    .await;
    for times in 1..4 {
        journal.take();
        journal.tell("db", Act::Fail);
        idle().await;
        let mut lines = journal.take();
        lines.sort();
        assert_eq!(lines, ["+db", "+http", "-db", "-http", "~http"]);
        assert_eq!(restarts(&app, ["db", "http"]), [times, times]);
    }
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_restart_by_its_handle_takes_them_along() {
    let journal = Journal::new();
    let app = running(&journal).await;
    within(app.service().get("db").unwrap().restart())
        .await
        .unwrap();
    idle().await;
    let lines = journal.moves();
    assert_eq!(
        lines.iter().filter(|line| line.starts_with('+')).count(),
        3,
        "{lines:?}"
    );
    assert_eq!(lines.last().map(String::as_str), Some("+page"));
    assert_eq!(restarts(&app, ["db", "http", "page", "log"]), [0, 1, 1, 0]);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_restart_by_the_group_takes_them_along() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .with("db", on(OnFailure::RestartMember, journal.probe("db")))
            .with("http", bound("db", journal.probe("http").stops_in(3)))
            .with("log", Member::new(journal.probe("log")).after(["db"])),
    )
    .await;
    journal.take();
    journal.tell("db", Act::Fail);
    tokio::time::sleep(5 * SECOND).await;
    assert_eq!(journal.moves(), ["-db", "+db", "-http", "+http"]);
    assert_eq!(restarts(&app, ["db", "http", "log"]), [1, 1, 0]);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_bound_member_of_a_restart_by_the_group_is_restarted_once() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .limit(1, 600 * SECOND)
            .with("db", on(OnFailure::RestartDependents, journal.probe("db")))
            .with("http", bound("db", journal.probe("http"))),
    )
    .await;
    journal.take();
    journal.tell("db", Act::Fail);
    idle().await;
    assert_eq!(journal.take(), ["-db", "~http", "-http", "+db", "+http"]);
    assert_eq!(restarts(&app, ["db", "http"]), [1, 1]);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn bound_members_are_in_no_limit() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .limit(0, 600 * SECOND)
            .with("db", journal.probe("db"))
            .with("http", bound("db", journal.probe("http"))),
    )
    .await;
    let db = app.service().get("db").unwrap();
    for times in 1..=20 {
        within(db.restart()).await.unwrap();
        idle().await;
        assert_eq!(restarts(&app, ["http"]), [times]);
    }
    assert!(app.is_ready());
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn while_it_is_stopped_by_hand_they_are_settled_like_it() {
    let journal = Journal::new();
    let app = running(&journal).await;
    let db = app.service().get("db").unwrap();
    within(db.stop()).await.unwrap();
    tokio::time::sleep(100 * SECOND).await;
    assert_eq!(journal.live(), 1, "the log goes on");
    assert!(app.is_running() && app.is_ready(), "{}", app.status());
    journal.take();
    within(db.start()).await.unwrap();
    idle().await;
    assert_eq!(journal.take(), ["+db", "+http", "+page"]);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_start_of_the_group_does_not_wait_for_those_behind_one_that_is_stopped_by_hand() {
    let journal = Journal::new();
    let app = built(
        Group::builder("app")
            .with("db", journal.probe("db").explicit())
            .with("http", bound("db", journal.probe("http")))
            .with("page", bound("http", journal.probe("page"))),
    );
    let call = crate::support::groups::start(&app).await;
    within(app.service().get("db").unwrap().stop())
        .await
        .unwrap();
    outcome(call).await.unwrap();
    assert_eq!(journal.count("+http"), 0);
    assert!(app.is_running());
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn bound_members_that_were_stopped_by_hand_or_have_completed_stay_so() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .with("db", restarts_in(5, journal.probe("db")))
            .with("hand", bound("db", journal.probe("hand")))
            .with(
                "job",
                bound("db", journal.probe("job").job().always(Act::Complete)),
            )
            .with("http", bound("db", journal.probe("http"))),
    )
    .await;
    within(app.service().get("hand").unwrap().stop())
        .await
        .unwrap();
    journal.tell("db", Act::Fail);
    tokio::time::sleep(10 * SECOND).await;
    let counts = ["+db", "+hand", "+job", "+http"].map(|line| journal.count(line));
    assert_eq!(counts, [2, 1, 1, 2]);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_bound_member_that_is_stopped_by_hand_on_its_way_down_stays_so() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .with("db", restarts_in(1, journal.probe("db")))
            .with("http", bound("db", journal.probe("http").stops_in(3)))
            .with("page", bound("http", journal.probe("page").stops_in(3))),
    )
    .await;
    journal.tell("db", Act::Fail);
    journal.until("~page").await;
    // `http` waits for its turn.
    let http = app.service().get("http").unwrap();
    within(http.stop()).await.unwrap();
    tokio::time::sleep(10 * SECOND).await;
    assert_eq!(http.state(), State::Stopped);
    assert_eq!(["+http", "+page"].map(|line| journal.count(line)), [1, 1]);
    assert!(app.is_ready());
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_completed_dependency_is_not_down_for_those_bound_to_it() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .with(
                "migrate",
                journal.probe("migrate").job().always(Act::Complete),
            )
            .with("seed", journal.probe("seed"))
            .with(
                "http",
                Member::new(journal.probe("http")).bound_to(["migrate", "seed"]),
            ),
    )
    .await;
    journal.tell("seed", Act::Complete);
    idle().await;
    assert_eq!((journal.count("+http"), journal.count("-http")), (1, 0));
    stopped(&app).await;
}

/// Nor while the tasks that it has left behind wind down.
#[tokio::test(start_paused = true)]
async fn a_dependency_that_has_ended_well_and_winds_down_is_not_down_for_those_bound_to_it() {
    let journal = Journal::new();
    let (end, ends) = tokio::sync::oneshot::channel::<()>();
    let ends = std::sync::Mutex::new(Some(ends));
    let seed = service_fn(move |cx: Context| {
        let ends = ends.lock().unwrap().take().expect("it runs once");
        let of_task = cx.clone();
        cx.spawn(async move {
            of_task.cancelled().await;
            tokio::time::sleep(3 * SECOND).await;
        });
        async move { drop(ends.await) }
    });
    let app = started(
        Group::builder("app")
            .with("seed", seed)
            .with("http", bound("seed", journal.probe("http"))),
    )
    .await;
    end.send(()).unwrap();
    idle().await;
    let seed = app.service().get("seed").unwrap();
    assert_eq!(seed.state(), State::Stopping);
    assert_eq!((journal.count("+http"), journal.count("-http")), (1, 0));
    within(seed.wait_for(State::Stopped)).await;
    assert!(app.is_ready());
    assert_eq!((journal.count("+http"), journal.count("-http")), (1, 0));
    stopped(&app).await;
}

/// It is none that has completed while it runs again.
#[tokio::test(start_paused = true)]
async fn a_completed_dependency_that_is_started_again_takes_them_along() {
    let journal = Journal::new();
    let job = journal.probe("migrate").job();
    let app = built(
        Group::builder("app")
            .with("migrate", job)
            .with("http", bound("migrate", journal.probe("http"))),
    );
    journal.tell("migrate", Act::Complete);
    within(app.start()).await.unwrap();
    let migrate = app.service().get("migrate").unwrap();
    journal.take();

    migrate.request_start();
    journal.until("-http").await;
    assert!(!app.is_ready());
    journal.tell("migrate", Act::Complete);
    journal.until("+http").await;

    migrate.request_start();
    journal.until("-http").await;
    within(migrate.stop()).await.unwrap();
    idle().await;
    assert!(app.is_ready(), "settled like what it is bound to");
    assert_eq!(journal.count("+http"), 2);
    stopped(&app).await;
}
