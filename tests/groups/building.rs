//! Building a group: names, edges and what becomes a member.

use startstop_core::{
    Context, Group, GroupBuilder, GroupError, Member, Runner, Settings, once, service_fn,
};

use crate::support::groups::{Journal, built, quiet, started, stopped};
use crate::support::{SECOND, within};

fn cycle_of(builder: GroupBuilder) -> String {
    match builder.build() {
        Err(error @ GroupError::Cycle { .. }) => error.to_string(),
        other => panic!("no cycle: {other:?}"),
    }
}

#[test]
fn a_name_of_a_member_is_given_once() {
    let journal = Journal::new();
    let builder = Group::builder("app")
        .with("db", journal.probe("a"))
        .then("db", journal.probe("b"));
    let error = builder.build().unwrap_err();
    assert!(
        matches!(&error, GroupError::DuplicateName { name } if name == "db"),
        "{error}"
    );
}

#[test]
fn a_dependency_has_to_be_there() {
    let journal = Journal::new();
    let http = Member::new(journal.probe("http")).after(["db"]);
    let error = Group::builder("app")
        .with("http", http)
        .build()
        .unwrap_err();
    let GroupError::UnknownDependency { member, dependency } = error else {
        panic!("{error}")
    };
    assert_eq!((&*member, &*dependency), ("http", "db"));
}

#[test]
fn a_cycle_is_printed_as_a_path() {
    let journal = Journal::new();
    let builder = Group::builder("app")
        .with("x", Member::new(journal.probe("x")))
        .with("a", Member::new(journal.probe("a")).after(["x", "b"]))
        .with("b", Member::new(journal.probe("b")).after(["c"]))
        .with("c", Member::new(journal.probe("c")).after(["a"]));
    assert_eq!(
        cycle_of(builder),
        "the members depend on each other: a -> b -> c -> a"
    );
}

#[test]
fn a_member_that_depends_on_itself_is_a_cycle() {
    let journal = Journal::new();
    let builder = Group::builder("app").with("a", Member::new(journal.probe("a")).after(["a"]));
    assert_eq!(
        cycle_of(builder),
        "the members depend on each other: a -> a"
    );
}

#[test]
fn a_cycle_through_then_names_members_only() {
    let journal = Journal::new();
    let builder = Group::builder("app")
        .with("a", Member::new(journal.probe("a")).after(["c"]))
        .then("b", journal.probe("b"))
        .then("c", journal.probe("c"));
    let Err(GroupError::Cycle { path }) = builder.build() else {
        panic!("no cycle")
    };
    assert_eq!(path.first(), path.last());
    assert!(path.len() == 3 || path.len() == 4, "{path:?}");
    let depends = |pair: &[String]| {
        matches!(
            (&*pair[0], &*pair[1]),
            ("a", "c") | ("b" | "c", "a") | ("c", "b")
        )
    };
    assert!(path.windows(2).all(depends), "{path:?}");
}

#[test]
fn a_member_that_comes_by_then_and_after_a_later_one_closes_a_cycle() {
    let journal = Journal::new();
    let builder = Group::builder("app")
        .with("a", journal.probe("a"))
        .then("b", Member::new(journal.probe("b")).after(["c"]))
        .then("c", journal.probe("c"));
    let text = cycle_of(builder);
    assert!(
        text.ends_with("b -> c -> b") || text.ends_with("c -> b -> c"),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_service_a_runner_a_member_a_group_and_a_box_are_members() {
    use startstop_core::Service;
    let journal = Journal::new();
    let shared = Runner::with_settings(journal.probe("b"), Settings::new().name("shared"));
    let inner = Group::builder("inner")
        .with("d", journal.probe("d"))
        .build()
        .unwrap();
    let app = started(
        Group::builder("app")
            .with("a", journal.probe("a"))
            .then("b", shared.clone())
            .then("c", Member::new(journal.probe("c")))
            .then("d", inner)
            .then("e", journal.probe("e").boxed()),
    )
    .await;
    assert!(shared.is_running());
    assert_eq!(journal.take(), ["+a", "+b", "+c", "+d", "+e"]);
    stopped(&app).await;
    assert_eq!(journal.moves(), ["-e", "-d", "-c", "-b", "-a"]);
    assert!(!shared.is_running());
}

#[tokio::test(start_paused = true)]
async fn with_then_and_after_add_up() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .then(
                "a",
                Member::new(journal.probe("a").ready_in(1)).after(["late"]),
            )
            .with("b", journal.probe("b").ready_in(1))
            .then(
                "c",
                Member::new(journal.probe("c").ready_in(1))
                    .after(["late"])
                    .after(["b"]),
            )
            .with("late", journal.probe("late").ready_in(9)),
    )
    .await;
    let lines = journal.take();
    assert_eq!(lines[2..], ["+a", "+c"]);
    assert!(
        lines.contains(&"+b".into()) && lines.contains(&"+late".into()),
        "{lines:?}"
    );
    stopped(&app).await;
}

#[test]
fn members_are_listed_as_they_were_added_and_found_by_name() {
    let journal = Journal::new();
    let group = Group::builder("app")
        .with("z", journal.probe("z"))
        .then("a", journal.probe("a"))
        .with(String::from("m"), once(async |_cx| ()))
        .build()
        .unwrap();
    assert_eq!(group.members(), ["z", "a", "m"]);
    assert_eq!(group.get("a").unwrap().name(), "a");
    assert!(group.get("app").is_none());
}

#[test]
fn a_group_bears_its_name_and_a_member_that_of_its_place() {
    let journal = Journal::new();
    let inner = Group::builder("inner").build().unwrap();
    let app = built(
        Group::builder("app")
            .with("part", inner)
            .with("x", journal.probe("y")),
    );
    assert_eq!(app.name(), "app");
    let group = app.service();
    assert_eq!(group.get("part").unwrap().name(), "part");
    assert_eq!(group.get("x").unwrap().name(), "x");
    let status = group.status();
    let names: Vec<&str> = status
        .children()
        .iter()
        .map(startstop_core::Status::name)
        .collect();
    assert_eq!((status.name(), names), ("app", vec!["part", "x"]));
}

/// Source: cortexproject/cortex 3125.
#[tokio::test(start_paused = true)]
async fn a_closure_with_settings_bears_the_name_of_its_member() {
    let breaks = service_fn(async |_cx: Context| {
        tokio::time::sleep(SECOND).await;
        Err::<(), _>("connection lost")
    });
    let named = Settings::new().name("other").stop_timeout(30 * SECOND);
    let app = started(
        Group::builder("app")
            .with("mail", quiet())
            .with("db", Member::new(breaks).settings(named)),
    )
    .await;
    within(app.wait()).await;
    let failure = app.service().get("db").unwrap().errors_last().unwrap();
    assert_eq!((failure.service(), failure.path()), ("db", "app/db"));
    let text = format!("{:?}", app.errors_last());
    assert!(text.contains("app/db"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn settings_of_a_member_come_before_those_of_its_service_but_not_of_a_shared_runner() {
    let deaf = || service_fn(async |_cx: Context| std::future::pending::<()>().await);
    let seconds = |seconds| Settings::new().stop_timeout(seconds * SECOND);
    let shared = Runner::with_settings(deaf(), seconds(3));
    for (member, takes) in [
        (
            Member::new(Runner::with_settings(deaf(), seconds(3))).settings(seconds(20)),
            3,
        ),
        (Member::new(shared).settings(seconds(20)), 3),
        (
            Member::new(deaf())
                .settings(seconds(7))
                .settings(seconds(9)),
            9,
        ),
    ] {
        let app = started(Group::builder("app").with("a", member)).await;
        let begun = tokio::time::Instant::now();
        within(app.stop()).await.unwrap_err();
        assert_eq!(begun.elapsed().as_secs(), takes);
    }
}
