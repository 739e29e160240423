//! Panics as errors, and where a panic of user code is caught, so that it goes no further.

use std::any::Any;
use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Any error, boxed.
///
/// # Examples
///
/// ```
/// # use startstop_core::BoxError;
/// let error: BoxError = "disk full".into();
/// assert_eq!(error.to_string(), "disk full");
/// ```
pub type BoxError = Box<dyn Error + Send + Sync>;

/// A panic of a service, as the error of a [`Failure`](crate::Failure).
///
/// The message is that of `panic!`; a payload that is not a string (from
/// [`std::panic::panic_any`]) has none, and a fixed text stands for it.
///
/// # Examples
///
/// ```
/// use startstop_core::{Cause, PanicError, Runner, once};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let runner = Runner::new(once(async |_cx| {
///     if true {
///         panic!("out of cheese");
///     }
/// }));
/// let _ = runner.start().await;
///
/// let failure = runner.errors_last().unwrap();
/// assert_eq!(failure.cause(), Cause::Panic);
/// let panic = failure.error().downcast_ref::<PanicError>().unwrap();
/// assert_eq!(panic.message(), "out of cheese");
/// # }
/// ```
#[derive(Debug, Clone, thiserror::Error)]
#[error("panicked: {message}")]
pub struct PanicError {
    message: String,
}

impl PanicError {
    /// Takes the message out of a panic's payload; a payload whose own drop panics is contained.
    pub(crate) fn from_payload(payload: Box<dyn Any + Send>) -> Self {
        let message = match payload.downcast_ref::<&'static str>() {
            Some(text) => (*text).to_owned(),
            None => match payload.downcast_ref::<String>() {
                Some(text) => text.clone(),
                None => "a payload that is not a string".to_owned(),
            },
        };
        drop_quietly(payload);
        Self { message }
    }

    /// Returns the text of the panic.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{PanicError, Runner, once};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let runner = Runner::new(once(async |_cx| -> () { panic!("index out of bounds") }));
    /// runner.start().await.unwrap_err();
    /// let failure = runner.errors_last().unwrap();
    /// let panic = failure.error().downcast_ref::<PanicError>().unwrap();
    /// assert_eq!(panic.message(), "index out of bounds");
    /// # }
    /// ```
    pub fn message(&self) -> &str {
        &self.message
    }
}

/// Calls `f`; its panic is the error.
#[inline]
pub(crate) fn catch_panic<T>(f: impl FnOnce() -> T) -> Result<T, PanicError> {
    catch_unwind(AssertUnwindSafe(f)).map_err(PanicError::from_payload)
}

/// Gives each of them to `take`; the panic of one keeps it from none of the others.
pub(crate) fn catch_panics<T>(all: impl IntoIterator<Item = T>, mut take: impl FnMut(T)) {
    for one in all {
        drop(catch_panic(|| take(one)));
    }
}

/// Drops a value whose drop may panic, and a panic's payload whose drop may panic again.
fn drop_quietly(payload: Box<dyn Any + Send>) {
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        // Whoever panics in the drop of a panic's payload would do it for ever.
        std::mem::forget(second);
    }
}
