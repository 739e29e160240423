//! The keys of `#[service(..)]`, and what each takes.

/// What kind of value a key takes.
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
    Policy,
    Readiness,
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
    key("bound", Kind::Bound),
    key("crate", Kind::Path),
];

/// The keys of `#[service_methods(..)]`.
pub(crate) const OF_METHODS: &[Key] = &[key("bound", Kind::Bound), key("crate", Kind::Path)];

/// The constructors of `RestartPolicy`.
pub(crate) const POLICIES: &[&str] = &["never", "on_failure", "always"];

/// The variants of `Readiness`, in lower case.
pub(crate) const READINESS: &[&str] = &["immediate", "explicit", "completion"];

/// The variants of `Readiness` as they are, in the same order.
pub(crate) const VARIANTS: &[&str] = &["Immediate", "Explicit", "Completion"];

impl Kind {
    /// What is accepted, for messages: `` `name` takes .. ``.
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
            Self::Policy => {
                "`never`, `on_failure`, `always` or an expression of type `RestartPolicy`"
            }
            Self::Readiness => {
                "`immediate`, `explicit`, `completion` or an expression of type `Readiness`"
            }
        }
    }
}

/// What may have been meant by a word that is not among the known ones.
pub(crate) fn closest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|&(distance, candidate)| distance <= candidate.len().div_ceil(3))
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

/// The number of letters to insert, drop, change or swap with the next.
fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut before = vec![0; to.len() + 1];
    let mut last: Vec<usize> = (0..=to.len()).collect();
    for i in 1..=from.len() {
        let mut row = vec![i; to.len() + 1];
        for j in 1..=to.len() {
            let change = last[j - 1] + usize::from(from[i - 1] != to[j - 1]);
            row[j] = change.min(last[j] + 1).min(row[j - 1] + 1);
            let swapped = i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1];
            if swapped {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[to.len()]
}

#[cfg(test)]
mod tests {
    use super::{OF_TYPE, closest};

    #[test]
    fn a_slip_finds_its_key() {
        for (word, meant) in [
            ("strat", Some("start")),
            ("stoptimeout", Some("stop_timeout")),
            ("stop_timout", Some("stop_timeout")),
            ("errors", Some("error")),
            ("restarts", Some("restart")),
            ("colour", None),
            ("x", None),
        ] {
            assert_eq!(closest(word, OF_TYPE.iter().map(|key| key.name)), meant, "{word}");
        }
    }
}
