//! The smallest program with one service, for each of those that are built.

/// A program.
pub(crate) struct Hello {
    pub(crate) name: &'static str,
    /// The crates whose versions are those in the lock file, with their features.
    pub(crate) dependencies: &'static [(&'static str, &'static [&'static str])],
    pub(crate) main: &'static str,
}

impl Hello {
    /// Whether it is startstop, or what that is held against or built on.
    pub(crate) fn is_own(&self) -> bool {
        [FLOOR, PRESCRIBED, OWN].contains(&self.name)
    }
}

const TOKIO: (&str, &[&str]) = ("tokio", &["macros", "rt-multi-thread"]);

pub(crate) const FLOOR: &str = "tokio with macros";

/// A service by hand, on what the contract of startstop has it depend on.
pub(crate) const PRESCRIBED: &str = "the crates that startstop is to use, by hand";

pub(crate) const OWN: &str = "startstop";

/// Taken without their default features, as startstop takes them.
pub(crate) const PLAIN: [&str; 1] = ["signal-hook"];

pub(crate) const ALL: [Hello; 10] = [
    Hello {
        name: FLOOR,
        dependencies: &[TOKIO],
        main: include_str!("hello/tokio.rs"),
    },
    Hello {
        name: "async-trait and tokio",
        dependencies: &[TOKIO, ("async-trait", &[])],
        main: include_str!("hello/async_trait.rs"),
    },
    Hello {
        name: PRESCRIBED,
        dependencies: &[
            (
                "tokio",
                &["macros", "rt", "rt-multi-thread", "signal", "sync", "time"],
            ),
            ("tokio-util", &[]),
            ("async-trait", &[]),
            ("thiserror", &[]),
            ("pin-project-lite", &[]),
            ("signal-hook", &[]),
        ],
        main: include_str!("hello/prescribed.rs"),
    },
    Hello {
        name: OWN,
        dependencies: &[TOKIO, ("startstop-core", &[])],
        main: include_str!("hello/startstop.rs"),
    },
    Hello {
        name: "meltdown",
        dependencies: &[TOKIO, ("meltdown", &[])],
        main: include_str!("hello/meltdown.rs"),
    },
    Hello {
        name: "tokio-graceful",
        dependencies: &[TOKIO, ("tokio-graceful", &[])],
        main: include_str!("hello/tokio_graceful.rs"),
    },
    Hello {
        name: "tokio-graceful-shutdown",
        dependencies: &[TOKIO, ("tokio-graceful-shutdown", &[])],
        main: include_str!("hello/tokio_graceful_shutdown.rs"),
    },
    Hello {
        name: "task-supervisor",
        dependencies: &[TOKIO, ("task-supervisor", &[])],
        main: include_str!("hello/task_supervisor.rs"),
    },
    Hello {
        name: "ractor",
        dependencies: &[TOKIO, ("ractor", &[])],
        main: include_str!("hello/ractor.rs"),
    },
    Hello {
        name: "kameo",
        dependencies: &[TOKIO, ("kameo", &[])],
        main: include_str!("hello/kameo.rs"),
    },
];
