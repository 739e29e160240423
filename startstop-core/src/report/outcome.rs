//! The outputs that functions of a service may have.

use crate::report::panic::BoxError;

/// The output of a closure that is used as a service, or of a task of it: `()`, or `Result<(), E>`
/// with an `E` that converts into a [`BoxError`].
///
/// Sealed: it is used in bounds and not called.
///
/// # Examples
///
/// ```
/// use startstop_core::{Outcome, Runner, once};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// async fn job() -> impl Outcome {
///     Err::<(), _>("disk full")
/// }
/// let runner = Runner::new(once(async |_cx| job().await));
/// runner.start().await.unwrap_err();
/// assert_eq!(runner.errors_last().unwrap().error().to_string(), "disk full");
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "a service's function yields `()` or `Result<(), E>`, not `{Self}`",
    label = "this function's future yields `{Self}`",
    note = "`E` is any error that converts into `Box<dyn std::error::Error + Send + Sync>`",
    note = "end the function with `;`, or with `Ok(())`"
)]
pub trait Outcome: sealed::SealedOutcome {
    #[doc(hidden)]
    fn into_result(self) -> Result<(), BoxError>;
}

impl Outcome for () {
    fn into_result(self) -> Result<(), BoxError> {
        Ok(())
    }
}

impl<E: Into<BoxError>> Outcome for Result<(), E> {
    fn into_result(self) -> Result<(), BoxError> {
        self.map_err(Into::into)
    }
}

/// A function that never returns, as `async |_cx| loop { .. }`, yields nothing either.
impl Outcome for sealed::Never {
    fn into_result(self) -> Result<(), BoxError> {
        self
    }
}

pub(crate) use sealed::Never;

mod sealed {
    /// The type of what a function returns: the way to name `!` on stable.
    pub trait Returns {
        type Output;
    }

    impl<R> Returns for fn() -> R {
        type Output = R;
    }

    pub(crate) type Never = <fn() -> ! as Returns>::Output;

    pub trait SealedOutcome {}
    impl SealedOutcome for Never {}
    impl SealedOutcome for () {}
    impl<E: Into<crate::report::panic::BoxError>> SealedOutcome for Result<(), E> {}
}
