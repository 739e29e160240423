//! The errors of a call.

use startstop_core::BoxError;
use thiserror::Error;

/// An error of a call that a store could not carry out.
///
/// # Examples
///
/// ```
/// use startstop_fleet::StoreError;
///
/// let error = StoreError::refused("no right to update leases");
/// assert_eq!(error.to_string(), "no right to update leases");
/// assert_eq!(StoreError::unavailable("timed out").to_string(), "the store cannot be reached");
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The record is not as the caller has seen it. Nothing was changed.
    #[error("the record has changed")]
    Conflict,
    /// No try will do better: a missing right or table, a bad name.
    #[error("{0}")]
    Refused(String),
    /// The store did not answer, or not with a yes or no: the call may have taken effect, or may still do.
    #[error("the store cannot be reached")]
    Unavailable(#[source] BoxError),
}

impl StoreError {
    /// Makes a [`Refused`](Self::Refused).
    pub fn refused(why: impl Into<String>) -> Self {
        Self::Refused(why.into())
    }

    /// Makes an [`Unavailable`](Self::Unavailable).
    pub fn unavailable(error: impl Into<BoxError>) -> Self {
        Self::Unavailable(error.into())
    }
}

/// Tells whether an HTTP client has failed because what came was no HTTP: then it is a server of another kind.
#[cfg(any(feature = "etcd", feature = "kubernetes"))]
pub(super) fn is_no_http(error: &(dyn std::error::Error + 'static)) -> bool {
    says(error, "invalid HTTP") || says(error, "unexpected message")
}

/// Tells whether an HTTP client has failed because it was built without TLS.
#[cfg(feature = "etcd")]
pub(super) fn has_no_tls(error: &(dyn std::error::Error + 'static)) -> bool {
    says(error, "scheme is not http")
}

#[cfg(any(feature = "etcd", feature = "kubernetes"))]
fn says(error: &(dyn std::error::Error + 'static), what: &str) -> bool {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let mut causes = causes.take(LONGEST);
    causes.any(|cause| cause.to_string().contains(what))
}

/// How many errors of a chain are looked at: one of a client of the user's that leads back to itself has no end.
#[cfg(any(feature = "etcd", feature = "kubernetes"))]
const LONGEST: usize = 1_000;

#[cfg(all(test, any(feature = "etcd", feature = "kubernetes")))]
mod tests {
    use std::error::Error;

    use super::is_no_http;

    #[derive(Debug)]
    struct Itself;

    impl std::fmt::Display for Itself {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("it")
        }
    }

    impl Error for Itself {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(self)
        }
    }

    #[test]
    fn a_chain_that_leads_back_to_itself_has_an_end() {
        assert!(!is_no_http(&Itself));
        let other = std::io::Error::other("invalid HTTP version parsed");
        assert!(is_no_http(&other));
    }
}
