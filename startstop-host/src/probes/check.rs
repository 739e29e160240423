//! One check: called in a task of its own, and given up at its limit.

use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use startstop_core::Outcome;
use tokio::runtime::Handle;
use tokio::task::{JoinError, JoinHandle};
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout_at};

use crate::error_text::causes;

type Answer = Result<(), String>;
/// The answer, unless it was late.
type Timely = Result<Answer, Elapsed>;
type Function = dyn Fn() -> Pin<Box<dyn Future<Output = Answer> + Send>> + Send + Sync;

/// A limit beyond which none is meant.
const LONGEST: Duration = Duration::from_secs(365 * 86400);

/// How long after its limit a call may take to yield before it counts as blocked.
const YIELD: Duration = Duration::from_millis(50);

/// A function that says whether something outside of the service is well.
pub(crate) struct Check {
    name: String,
    limit: Duration,
    call: Box<Function>,
    /// The oldest call that has not ended, if any has not.
    oldest: Mutex<Option<Call>>,
}

impl Check {
    pub(crate) fn new<F, Fut>(name: String, limit: Duration, check: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output: Outcome> + Send + 'static,
    {
        let call = move || -> Pin<Box<dyn Future<Output = Answer> + Send>> {
            let future = check();
            Box::pin(async move { future.await.into_result().map_err(|error| chain(&*error)) })
        };
        Self {
            name,
            limit: limit.min(LONGEST),
            call: Box::new(call),
            oldest: Mutex::default(),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Begins a call at once, on `runtime` or that of the caller; the future waits for the answer. The limit holds
    /// without it too.
    pub(crate) fn begin(
        self: &Arc<Self>,
        runtime: Option<&Handle>,
    ) -> impl Future<Output = Answer> + use<> {
        let limit = Instant::now() + self.limit;
        let task = (!self.is_blocked()).then(|| self.spawn(limit, runtime));
        let late = format!("no answer within {:?}", self.limit);
        async move {
            let Some(task) = task else {
                return Err("an earlier call still blocks its thread".to_owned());
            };
            match timeout_at(limit + YIELD, task).await {
                Ok(Ok(Ok(answer))) => answer,
                Ok(Err(error)) => Err(lost(&error)),
                Ok(Ok(Err(_))) | Err(_) => Err(late),
            }
        }
    }

    fn is_blocked(&self) -> bool {
        let oldest = self.oldest.lock().unwrap_or_else(PoisonError::into_inner);
        oldest
            .as_ref()
            .is_some_and(|call| call.is_alive() && Instant::now() >= call.limit + YIELD)
    }

    fn spawn(self: &Arc<Self>, limit: Instant, runtime: Option<&Handle>) -> JoinHandle<Timely> {
        let (check, alive) = (self.clone(), Arc::new(()));
        self.note(Call {
            alive: Arc::downgrade(&alive),
            limit,
        });
        let call = async move {
            // The call is made within the task too, because the function itself may block or panic.
            let answer = timeout_at(limit, async { (check.call)().await }).await;
            // Dropped only now, so that the call counts as running until it has ended.
            drop(alive);
            answer
        };
        match runtime {
            Some(runtime) => runtime.spawn(call),
            None => tokio::spawn(call),
        }
    }

    /// Keeps the oldest call: if that one has its limit behind it, so it is with the check.
    fn note(&self, call: Call) {
        let mut oldest = self.oldest.lock().unwrap_or_else(PoisonError::into_inner);
        if !oldest.as_ref().is_some_and(Call::is_alive) {
            *oldest = Some(call);
        }
    }
}

/// A call that may still go on.
struct Call {
    alive: Weak<()>,
    limit: Instant,
}

impl Call {
    fn is_alive(&self) -> bool {
        self.alive.strong_count() > 0
    }
}

fn lost(error: &JoinError) -> String {
    if error.is_panic() {
        "panicked"
    } else {
        "the runtime of the service has ended"
    }
    .to_owned()
}

/// Returns an error with what it came from, in one line.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    for error in causes(error).skip(1) {
        append(&mut text, error);
    }
    text
}

fn append(text: &mut String, error: impl Display) {
    text.push_str(": ");
    text.push_str(&error.to_string());
}
