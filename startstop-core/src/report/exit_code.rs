//! An error that says with which code the program exits.

use std::error::Error;
use std::fmt;

use crate::report::panic::BoxError;

/// An error that chooses the exit code of the program: `run` and `main` (feature `signal`) exit with it
/// when the last failure has one in its source chain.
///
/// It is found through `anyhow`, `eyre`, `io::Error::other` and transparent wrappers as well. It reads as the error that it
/// wraps. A program that completes, or is stopped without a failure, exits with 0, also if failures were reported before.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "signal")] {
/// use std::process::ExitCode;
/// use startstop_core::{WithExitCode, once};
///
/// fn main() -> ExitCode {
///     // 78 is EX_CONFIG of sysexits.h: systemd's RestartPreventExitStatus= can name it.
///     let job = once(async |_cx| Err::<(), _>(WithExitCode::new("no such key: port", 78)));
///     startstop_core::main(job)
/// }
/// # assert_eq!(main(), ExitCode::from(78));
/// # }
/// ```
#[derive(Debug)]
pub struct WithExitCode {
    mark: ExitCodeMark,
}

/// Stands in the source chain behind a `WithExitCode`, for wrappers that show only the source of what
/// they wrap: `#[error(transparent)]`, `anyhow::Error` as a boxed error, `io::Error`.
#[derive(Debug)]
struct ExitCodeMark {
    error: BoxError,
    code: u8,
}

impl WithExitCode {
    /// Wraps an error.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::WithExitCode;
    /// let error = WithExitCode::new("the configuration is wrong", 78);
    /// assert_eq!(error.code(), 78);
    /// ```
    pub fn new(error: impl Into<BoxError>, code: u8) -> Self {
        Self {
            mark: ExitCodeMark {
                error: error.into(),
                code,
            },
        }
    }

    /// Returns the exit code.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::WithExitCode;
    /// assert_eq!(WithExitCode::new("no such key", 78).code(), 78);
    /// ```
    pub fn code(&self) -> u8 {
        self.mark.code
    }

    /// Returns the wrapped error.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::WithExitCode;
    /// assert_eq!(WithExitCode::new("no such key", 78).get_ref().to_string(), "no such key");
    /// ```
    pub fn get_ref(&self) -> &(dyn Error + Send + Sync + 'static) {
        &*self.mark.error
    }

    /// Unwraps the error.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::WithExitCode;
    /// assert_eq!(WithExitCode::new("no such key", 78).into_inner().to_string(), "no such key");
    /// ```
    pub fn into_inner(self) -> BoxError {
        self.mark.error
    }
}

/// Returns the exit code that the outermost [`WithExitCode`] in the source chain of `error` says.
#[cfg(feature = "signal")]
pub(crate) fn exit_code(error: &(dyn Error + 'static)) -> Option<u8> {
    let code = |error: &(dyn Error + 'static)| match error.downcast_ref::<WithExitCode>() {
        Some(outer) => Some(outer.mark.code),
        None => error.downcast_ref::<ExitCodeMark>().map(|mark| mark.code),
    };
    crate::report::causes::causes(error).find_map(code)
}

/// Returns whether this is the mark of a [`WithExitCode`], which says nothing of what went wrong.
pub(crate) fn is_mark(error: &(dyn Error + 'static)) -> bool {
    error.is::<ExitCodeMark>()
}

/// Returns what a [`WithExitCode`] wraps, where `error` is its mark.
pub(crate) fn wrapped<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let mark = error.downcast_ref::<ExitCodeMark>()?;
    Some(&*mark.error)
}

impl fmt::Display for WithExitCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.mark.error, f)
    }
}

impl Error for WithExitCode {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.mark)
    }
}

impl fmt::Display for ExitCodeMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the program exits with {}", self.code)
    }
}

impl Error for ExitCodeMark {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}
