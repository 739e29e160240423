//! A job: a service that is ready when it is done.

use std::fmt;
use std::future::Future;

use crate::report::outcome::Outcome;
use crate::report::panic::BoxError;
use crate::report::state::Readiness;
use crate::service::Service;
use crate::service::context::Context;
use crate::service::func::{FunctionEnd, named_after};
use crate::settings::Settings;

/// Makes a job of a function: a service whose readiness is
/// [`Completion`](Readiness::Completion), so that `start()` returns when it is done.
///
/// Use it for a step that others wait for, such as a migration: in a group, what depends on it starts when it is done. For
/// work that repeats use [`every`](crate::every).
///
/// # Examples
///
/// ```
/// use startstop_core::{Exit, Runner, once};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let migrate = Runner::new(once(async |_cx| println!("creating tables")));
/// migrate.start().await.unwrap();
/// assert!(migrate.is_ready());
/// assert_eq!(migrate.wait().await, Exit::Completed);
/// # }
/// ```
pub fn once<J, F>(job: J) -> Once<J>
where
    J: Fn(Context) -> F + Send + Sync + 'static,
    F: Future<Output: Outcome> + Send,
{
    Once { job }
}

/// A job made by [`once`].
#[derive(Clone)]
pub struct Once<J> {
    job: J,
}

impl<J, F> Service for Once<J>
where
    J: Fn(Context) -> F + Send + Sync + 'static,
    F: Future<Output: Outcome> + Send,
{
    type Error = BoxError;

    fn run(&self, cx: Context) -> impl Future<Output = Result<(), BoxError>> + Send {
        FunctionEnd {
            future: (self.job)(cx),
        }
    }

    fn __boxed_run(&self, cx: Context) -> impl Future<Output = Result<(), BoxError>> + Send {
        FunctionEnd {
            future: Box::pin((self.job)(cx)),
        }
    }

    fn settings(&self) -> Settings {
        named_after::<J>().readiness(Readiness::Completion)
    }
}

impl<J> fmt::Debug for Once<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Once({})", crate::service::name::of_function::<J>())
    }
}
