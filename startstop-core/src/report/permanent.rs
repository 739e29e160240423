//! An error that says that restarting is pointless.

use std::error::Error;
use std::fmt;

use crate::report::causes::causes;
use crate::report::panic::BoxError;

/// An error after which restarting is pointless: it ends the cycle at once, whatever the policy.
///
/// It is found in the source chain, also through `anyhow`, `eyre`, `io::Error::other` and
/// transparent wrappers. It reads as the error that it wraps.
///
/// It is for the policy of the service. A member of a group has failed then, and its [`OnFailure`](crate::OnFailure) says what
/// follows: one that restarts members starts it again.
///
/// # Examples
///
/// ```
/// use startstop_core::{Permanent, RestartPolicy, Runner, Settings, once};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// let job = once(async |_cx| Err::<(), _>(Permanent::new("the licence has expired")));
/// let settings = Settings::new().restart(RestartPolicy::on_failure());
/// let runner = Runner::with_settings(job, settings);
/// assert!(runner.start().await.is_err());
/// assert_eq!(runner.history().entries().len(), 1);
/// # }
/// ```
#[derive(Debug)]
pub struct Permanent {
    mark: PermanentMark,
}

/// Stands in the source chain behind a `Permanent`, for wrappers that show only the source of what
/// they wrap: `#[error(transparent)]`, `anyhow::Error` as a boxed error, `io::Error`.
#[derive(Debug)]
struct PermanentMark {
    error: BoxError,
}

impl Permanent {
    /// Wraps an error.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::Permanent;
    /// let error = Permanent::new("the configuration is wrong");
    /// assert_eq!(error.get_ref().to_string(), "the configuration is wrong");
    /// ```
    pub fn new(error: impl Into<BoxError>) -> Self {
        Self {
            mark: PermanentMark {
                error: error.into(),
            },
        }
    }

    /// Returns the wrapped error.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::Permanent;
    /// assert_eq!(Permanent::new("no licence").get_ref().to_string(), "no licence");
    /// ```
    pub fn get_ref(&self) -> &(dyn Error + Send + Sync + 'static) {
        &*self.mark.error
    }

    /// Unwraps the error.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::Permanent;
    /// assert_eq!(Permanent::new("no licence").into_inner().to_string(), "no licence");
    /// ```
    pub fn into_inner(self) -> BoxError {
        self.mark.error
    }

    /// Returns whether a `Permanent` is in the source chain of `error`.
    pub(crate) fn is_in(error: &(dyn Error + 'static)) -> bool {
        causes(error).any(|error| error.is::<Self>() || error.is::<PermanentMark>())
    }
}

/// Returns whether this is the mark of a [`Permanent`], which says nothing of what went wrong.
pub(crate) fn is_mark(error: &(dyn Error + 'static)) -> bool {
    error.is::<PermanentMark>()
}

/// Returns what a [`Permanent`] wraps, where `error` is its mark.
pub(crate) fn wrapped<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let mark = error.downcast_ref::<PermanentMark>()?;
    Some(&*mark.error)
}

impl fmt::Display for Permanent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.mark.error, f)
    }
}

impl Error for Permanent {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.mark)
    }
}

impl fmt::Display for PermanentMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("restarting is pointless")
    }
}

impl Error for PermanentMark {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}
