//! The keys of `#[service(..)]`, and what each takes.

/// The kind of value that a key takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Method,
    Type,
    Path,
    Bound,
    Text,
    Duration,
    Flag,
    Count,
    Maximum,
    Policy,
    Readiness,
    OnFailure,
    OnCompletion,
    Limit,
    Backoff,
    Member,
    After,
    BoundTo,
    /// A key without a value.
    Mark,
}

/// A key and the kind of its value.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
}

const fn key(name: &'static str, kind: Kind) -> Key {
    Key { name, kind }
}

/// The keys on a type that derives `Service`. A setting has the name of its setter.
pub(crate) const OF_TYPE: &[Key] = &[
    key("start", Kind::Method),
    key("stop", Kind::Method),
    key("error", Kind::Type),
    key("name", Kind::Text),
    key("readiness", Kind::Readiness),
    key("start_timeout", Kind::Duration),
    key("stop_timeout", Kind::Duration),
    key("abort_timeout", Kind::Duration),
    key("drain", Kind::Duration),
    key("shutdown_always", Kind::Flag),
    key("history_capacity", Kind::Count),
    key("restart", Kind::Policy),
    key("watchdog", Kind::Duration),
    key("limit", Kind::Limit),
    key("backoff", Kind::Backoff),
    key("bound", Kind::Bound),
    key("crate", Kind::Path),
];

/// The keys on a field of a struct.
pub(crate) const OF_FIELD: &[Key] = &[key("member", Kind::Member), key("after", Kind::After)];

/// The keys of `member(..)`. Each has the name of its setter.
pub(crate) const OF_MEMBER: &[Key] = &[
    key("on_failure", Kind::OnFailure),
    key("on_completion", Kind::OnCompletion),
    key("bound_to", Kind::BoundTo),
    key("transient", Kind::Mark),
];

/// The parts of `limit(..)`.
pub(crate) const MAX: Key = key("limit", Kind::Maximum);
pub(crate) const WINDOW: Key = key("limit", Kind::Duration);

/// The keys of `#[service_methods(..)]`.
pub(crate) const OF_METHODS: &[Key] = &[key("bound", Kind::Bound), key("crate", Kind::Path)];

/// The constructors of `RestartPolicy`.
pub(crate) const POLICIES: &[&str] = &["never", "on_failure", "always"];

/// An enum of the crate, whose variants are accepted by name.
pub(crate) struct Variants {
    pub(crate) of: &'static str,
    /// As attributes name them.
    pub(crate) snake: &'static [&'static str],
    /// As they are, in the same order.
    pub(crate) names: &'static [&'static str],
}

const READINESS: Variants = Variants {
    of: "Readiness",
    snake: &["immediate", "explicit", "completion"],
    names: &["Immediate", "Explicit", "Completion"],
};

const ON_FAILURE: Variants = Variants {
    of: "OnFailure",
    snake: &[
        "stop_group",
        "ignore",
        "restart_member",
        "restart_dependents",
        "restart_all",
    ],
    names: &[
        "StopGroup",
        "Ignore",
        "RestartMember",
        "RestartDependents",
        "RestartAll",
    ],
};

const ON_COMPLETION: Variants = Variants {
    of: "OnCompletion",
    snake: &["ignore", "stop_group", "fail"],
    names: &["Ignore", "StopGroup", "Fail"],
};

impl Kind {
    /// Returns whether a list in parentheses follows, instead of `=` and a value.
    pub(crate) fn is_list(self) -> bool {
        matches!(
            self,
            Self::Limit | Self::Member | Self::After | Self::BoundTo
        )
    }

    /// Returns the variants that are accepted by name.
    pub(crate) fn variants(self) -> Option<&'static Variants> {
        match self {
            Self::Readiness => Some(&READINESS),
            Self::OnFailure => Some(&ON_FAILURE),
            Self::OnCompletion => Some(&ON_COMPLETION),
            _ => None,
        }
    }

    /// Returns what is accepted, for messages: `` `name` takes .. ``.
    pub(crate) fn accepted(self) -> &'static str {
        match self {
            Self::Method => "the name of a method, such as `serve`",
            Self::Type => "a type, such as `std::io::Error`",
            Self::Path => "a path, such as `my_framework::startstop`",
            Self::Bound => "where predicates in a string, such as \"T: Store\"",
            Self::Text => "a string, or an expression that converts into `Cow<'static, str>`",
            Self::Duration => {
                "a string with a unit, such as \"250ms\", \"10s\", \"2m\" or \"1h\", or an expression of type `Duration`"
            }
            Self::Flag => "`true`, `false` or an expression of type `bool`",
            Self::Count => "a whole number, or an expression of type `usize`",
            Self::Maximum => "a whole number as its maximum, or an expression of type `u32`",
            Self::Policy => {
                "`never`, `on_failure`, `always` or an expression of type `RestartPolicy`"
            }
            Self::Readiness => {
                "`immediate`, `explicit`, `completion` or an expression of type `Readiness`"
            }
            Self::OnFailure => {
                "`stop_group`, `ignore`, `restart_member`, `restart_dependents`, `restart_all` or an expression of type `OnFailure`"
            }
            Self::OnCompletion => {
                "`ignore`, `stop_group`, `fail` or an expression of type `OnCompletion`"
            }
            Self::Backoff => {
                "an expression of type `Backoff`, such as `Backoff::constant(Duration::from_secs(5))`"
            }
            Self::Limit => "a maximum and a window: `limit(3, \"60s\")`",
            Self::Member => {
                "nothing, or a list of keys: `member(on_failure = .., on_completion = .., bound_to(..), transient)`"
            }
            Self::After => {
                "the members that it starts after: `after()`, `after(db)` or `after(db, cache)`"
            }
            Self::BoundTo => {
                "the members that it is bound to: `bound_to(db)` or `bound_to(db, cache)`"
            }
            Self::Mark => "no value",
        }
    }
}
