//! Errors whose text or source panics, and those whose sources lead back to themselves: the service ends, and all of it can be read.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use startstop_core::{
    Backoff, BoxError, Context, Events, Exit, Group, Member, Permanent, Readiness, RestartPolicy,
    Runner, Service, Settings, StartError, Status, WithExitCode, service_fn,
};

use crate::support::within;

/// An error that does what no error should.
#[derive(Debug, Clone, Copy)]
enum Odd {
    TextPanics,
    TextFails,
    SourcePanics,
    CausedByItself,
}

impl fmt::Display for Odd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TextPanics => panic!("of a text"),
            Self::TextFails => Err(fmt::Error),
            Self::SourcePanics | Self::CausedByItself => f.write_str("odd"),
        }
    }
}

impl Error for Odd {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::TextPanics | Self::TextFails => None,
            Self::SourcePanics => panic!("of a source"),
            Self::CausedByItself => Some(self),
        }
    }
}

const ALL: [Odd; 4] = [
    Odd::TextPanics,
    Odd::TextFails,
    Odd::SourcePanics,
    Odd::CausedByItself,
];

/// A service that reports the error and fails with it.
fn failing(
    error: fn(Odd) -> BoxError,
    odd: Odd,
    settings: Settings,
) -> (Runner<impl startstop_core::Service + use<>>, Events) {
    let service = service_fn(move |cx: Context| async move {
        cx.report(odd);
        Err::<(), BoxError>(error(odd))
    });
    let runner = Runner::with_settings(service, settings);
    let events = runner.events();
    (runner, events)
}

#[tokio::test(start_paused = true)]
async fn a_service_ends_with_any_error_and_all_of_it_is_written() {
    let kinds: [fn(Odd) -> BoxError; 3] = [
        BoxError::from,
        |odd| Permanent::new(odd).into(),
        |odd| WithExitCode::new(odd, 3).into(),
    ];
    for (odd, kind) in ALL
        .into_iter()
        .flat_map(|odd| kinds.map(|kind| (odd, kind)))
    {
        let (runner, mut events) = failing(kind, odd, Settings::new().name("odd"));
        let _ = within(runner.start()).await;
        assert_eq!(within(runner.wait()).await, Exit::Failed, "{odd:?}");
        let failure = runner.errors_last().expect("it has failed");
        let text = format!("{failure:?}");
        assert!(text.starts_with("service \"odd\" failed in run"), "{text}");
        assert!(failure.find::<Odd>().is_some(), "{odd:?}");
        assert!(failure.find::<fmt::Error>().is_none(), "{odd:?}");
        let line = runner.status().to_string();
        assert!(line.starts_with("odd"), "{line}");
        let told: Vec<String> = std::iter::from_fn(|| events.try_next())
            .map(|event| event.to_string())
            .collect();
        assert!(
            told.iter().any(|line| line.contains("failed in run: ")),
            "{told:?}"
        );
    }
}

/// The search for an error that stops the restarts ends, and finds none.
#[tokio::test(start_paused = true)]
async fn a_policy_restarts_after_any_error() {
    for odd in ALL {
        let policy = RestartPolicy::on_failure().backoff(Backoff::none());
        let policy = policy.limit(2, std::time::Duration::from_secs(60));
        let (runner, _events) = failing(BoxError::from, odd, Settings::new().restart(policy));
        let _ = within(runner.start()).await;
        assert_eq!(within(runner.wait()).await, Exit::Failed, "{odd:?}");
        assert_eq!(runner.status().attempts(), 3, "{odd:?}");
    }
}

/// It fails again and again, and tells of its children by a panic.
struct Late(Odd);

impl Service for Late {
    type Error = Odd;

    async fn run(&self, _: Context) -> Result<(), Odd> {
        Err(self.0)
    }

    fn children(&self) -> Vec<Status> {
        match self.0 {
            Odd::SourcePanics => panic!("of the children"),
            _ => Vec::new(),
        }
    }
}

/// The group asks twice what keeps a member from being ready: at the deadline, and where it is aborted in its stop.
#[tokio::test(start_paused = true)]
async fn a_group_that_is_late_ends_with_any_error_of_its_members() {
    for odd in ALL {
        let policy = RestartPolicy::on_failure().backoff(Backoff::constant(Duration::MAX));
        let settings = Settings::new()
            .readiness(Readiness::Explicit)
            .restart(policy);
        let late = Member::new(Late(odd)).settings(settings);
        let group = Group::builder("app")
            .settings(Settings::new().start_timeout(Duration::from_secs(1)))
            .with("late", late)
            .build();
        let app = Runner::new(group.expect("one member"));
        let error = within(app.start()).await.expect_err("it is late");
        assert!(matches!(error, StartError::TimedOut), "{odd:?}: {error}");
        let failure = app.errors_last().expect("it has failed");
        let text = failure.error().to_string();
        assert!(text.contains("late is backoff"), "{odd:?}: {text}");
        let end = match odd {
            Odd::TextPanics | Odd::TextFails => "its text panicked",
            Odd::SourcePanics => "late is backoff",
            Odd::CausedByItself => "odd",
        };
        assert!(text.ends_with(end), "{odd:?}: {text}");
    }
}
