//! The promises of a [`LeaseStore`], as checks to run over one.
//!
//! ```
//! use startstop_fleet::{Memory, conformance};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let store = Memory::new();
//! // Two ways to the same store, as two replicas have; and a name that nobody else uses.
//! let breaches = conformance::check(&store, &store.clone(), "conformance").await;
//! assert!(breaches.is_empty(), "{breaches:?}");
//! # }
//! ```

mod at_once;
mod fences;
mod single;
mod telling;
mod watching;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::record::{Record, Version};
use crate::store::{Claim, LeaseStore, StoreError};

/// The leases of the checks last longer than these take.
const LEASE: Duration = Duration::from_secs(120);

/// A rule that a store does not keep.
///
/// # Examples
///
/// See [`conformance`](self).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Breach {
    /// Which rule.
    pub rule: &'static str,
    /// The observation that contradicts it.
    pub seen: String,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.seen)
    }
}

/// Checks a store by two ways to it, `one` and `two`, and returns the rules that it breaks.
///
/// The names of the leases begin with `prefix` and a slash. None of them may exist before, and all are free
/// afterwards.
///
/// # Examples
///
/// See [`conformance`](self).
///
/// # Cancel safety
///
/// Leases may stay until they are over.
pub async fn check<L: LeaseStore>(one: &L, two: &L, prefix: &str) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for (number, (rule, check)) in rules::<L>().into_iter().enumerate() {
        let stage = Stage {
            one,
            two,
            name: format!("{prefix}/{number}/lease"),
        };
        let result = check(&stage).await;
        if let Err(seen) = result.map_err(|Seen(seen)| seen) {
            breaches.push(Breach { rule, seen });
        }
        stage.clear().await;
    }
    breaches
}

type Check<L> =
    for<'a> fn(&'a Stage<'a, L>) -> Pin<Box<dyn Future<Output = Result<(), Seen>> + Send + 'a>>;

fn rules<L: LeaseStore>() -> Vec<(&'static str, Check<L>)> {
    vec![
        ("a lease that nobody has taken is free", |stage| {
            Box::pin(single::missing_is_free(stage))
        }),
        ("a lease that was taken is read as it was given", |stage| {
            Box::pin(single::taken_is_read(stage))
        }),
        (
            "a lease lasts no shorter than it was claimed for",
            |stage| Box::pin(single::lasts(stage)),
        ),
        ("a renewal keeps holder and fence", |stage| {
            Box::pin(single::renewal_keeps(stage))
        }),
        (
            "a lease that our clock ends changes with each renewal",
            |stage| Box::pin(single::renewal_changes(stage)),
        ),
        ("a lease that was released is free", |stage| {
            Box::pin(single::released_is_free(stage))
        }),
        (
            "what was released is neither renewed nor released again",
            |stage| Box::pin(single::released_is_over(stage)),
        ),
        (
            "a take that expects another version is a conflict, and changes nothing",
            |stage| Box::pin(single::stale_take(stage)),
        ),
        ("what somebody else has taken is not renewed", |stage| {
            Box::pin(single::taken_over(stage))
        }),
        ("the holder itself takes again", |stage| {
            Box::pin(single::taken_again(stage))
        }),
        ("fences grow", |stage| Box::pin(fences::grow(stage))),
        ("one of many that take at once gets it", |stage| {
            Box::pin(at_once::takes(stage))
        }),
        ("one of many that renew at once is not undone", |stage| {
            Box::pin(at_once::renewal_and_take(stage))
        }),
        (
            "a call that is given up leaves the store as good as before",
            |stage| Box::pin(at_once::given_up(stage)),
        ),
        (
            "what is forgotten is free, and nothing else is forgotten",
            |stage| Box::pin(single::forgotten(stage)),
        ),
        ("a name that is empty is refused", |stage| {
            Box::pin(single::no_name(stage))
        }),
        ("names are told apart", |stage| {
            Box::pin(telling::names(stage))
        }),
        ("a list has the leases of its prefix", |stage| {
            Box::pin(telling::list(stage))
        }),
        ("what has changed before is told at once", |stage| {
            Box::pin(telling::changed_before(stage))
        }),
        ("a change is told while one waits", |stage| {
            Box::pin(telling::changed_while(stage))
        }),
        (
            "a watch tells of what is written under its prefix, in order, and of nothing else",
            |stage| Box::pin(watching::tells(stage)),
        ),
    ]
}

/// The stage of one check: two ways to the store, and a name of its own.
pub(super) struct Stage<'a, L> {
    one: &'a L,
    two: &'a L,
    name: String,
}

/// The observation that contradicts a promise.
pub(super) struct Seen(String);

impl From<StoreError> for Seen {
    fn from(error: StoreError) -> Self {
        Self(format!("{error}: {error:?}"))
    }
}

impl<L: LeaseStore> Stage<'_, L> {
    async fn read(&self) -> Result<Record, Seen> {
        Ok(self.two.read(&self.name).await?)
    }

    async fn take(&self, holder: &str, expected: &Version) -> Result<Record, Seen> {
        Ok(self.one.take(&self.name, &claim(holder), expected).await?)
    }

    /// Takes a lease that is free.
    async fn held(&self, holder: &str) -> Result<Record, Seen> {
        let seen = self.read().await?;
        self.take(holder, seen.version()).await
    }

    async fn clear(&self) {
        if let Ok(record) = self.one.read(&self.name).await {
            if !record.is_free() {
                self.one.release(&self.name, &record).await.ok();
            }
        }
    }
}

fn claim(holder: &str) -> Claim {
    Claim::new(holder, LEASE)
}

fn expect(holds: impl Into<Option<()>>, seen: impl FnOnce() -> String) -> Result<(), Seen> {
    holds.into().ok_or_else(|| Seen(seen()))
}

fn same(found: &Record, wanted: &Record) -> Result<(), Seen> {
    expect((found == wanted).then_some(()), || {
        format!("{found:?}, not {wanted:?}")
    })
}

fn free(record: &Record) -> Result<(), Seen> {
    expect(record.is_free().then_some(()), || format!("{record:?}"))
}

fn conflict(result: Result<Record, StoreError>) -> Result<(), Seen> {
    match result {
        Err(StoreError::Conflict) => Ok(()),
        other => Err(Seen(format!("{other:?}"))),
    }
}
