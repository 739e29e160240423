//! One check: called in a task of its own, and given up at its limit.

use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use startstop_core::BoxError;
use tokio::task::{JoinError, JoinHandle};
use tokio::time::{Instant, timeout, timeout_at};

type Answer = Result<(), String>;
/// What came of the call, or its task where it is late.
type Timely = Result<Result<Answer, JoinError>, JoinHandle<Answer>>;
type Call = dyn Fn() -> Pin<Box<dyn Future<Output = Answer> + Send>> + Send + Sync;

/// How long a call that was aborted may take to end before it counts as blocked.
const YIELD: Duration = Duration::from_millis(50);

/// A function that says whether something outside of the service is well.
pub(crate) struct Check {
    name: String,
    limit: Duration,
    call: Box<Call>,
    /// The call that was given up last: its task holds the other end until it ends.
    late: Mutex<Weak<()>>,
}

impl Check {
    pub(crate) fn new<F, Fut, E>(name: String, limit: Duration, check: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError> + 'static,
    {
        let call = move || -> Pin<Box<dyn Future<Output = Answer> + Send>> {
            let future = check();
            Box::pin(async move { future.await.map_err(|error| chain(&*error.into())) })
        };
        Self { name, limit, call: Box::new(call), late: Mutex::default() }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Begins a call at once; the future waits for the answer, at most until the limit.
    pub(crate) fn begin(self: &Arc<Self>) -> impl Future<Output = Answer> + use<> {
        let call = (!self.is_blocked()).then(|| self.spawn());
        let check = self.clone();
        async move {
            let Some((call, answer)) = call else {
                return Err("an earlier call still blocks its thread".to_owned());
            };
            match answer.await {
                Ok(answer) => answer.unwrap_or_else(|_| Err("panicked".to_owned())),
                Err(task) => check.give_up(&call, task).await,
            }
        }
    }

    fn is_blocked(&self) -> bool {
        self.late.lock().unwrap_or_else(PoisonError::into_inner).strong_count() > 0
    }

    /// Spawns a call. The deadline counts from now, not from when somebody looks.
    fn spawn(self: &Arc<Self>) -> (Weak<()>, impl Future<Output = Timely> + use<>) {
        let (check, alive) = (self.clone(), Arc::new(()));
        let call = Arc::downgrade(&alive);
        // The function is called in the task as well: it may block or panic.
        let mut task = tokio::spawn(async move {
            let answer = (check.call)().await;
            // Not before the call has ended, by itself or by an abort.
            drop(alive);
            answer
        });
        let limit = Instant::now() + self.limit;
        let answer = async move {
            let timely = timeout_at(limit, &mut task).await;
            timely.map_err(|_| task)
        };
        (call, answer)
    }

    async fn give_up(&self, call: &Weak<()>, task: JoinHandle<Answer>) -> Answer {
        self.late.lock().unwrap_or_else(PoisonError::into_inner).clone_from(call);
        task.abort();
        // So that what yields does not hold up the next call.
        drop(timeout(YIELD, task).await);
        Err(format!("no answer within {:?}", self.limit))
    }
}

/// An error with what it came from, in one line.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        append(&mut text, error);
        source = error.source();
    }
    text
}

fn append(text: &mut String, error: impl Display) {
    text.push_str(": ");
    text.push_str(&error.to_string());
}
