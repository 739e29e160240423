//! The end of a group: a signal, and KILL before the deadline.

use std::time::Duration;

use startstop_core::Context;
use tokio::time::{Instant, sleep};

use crate::error::ProcessError;
use crate::group::{Ending, ProcessGroup};
use crate::signal::Signal;

/// How often it is asked whether the deadline has come nearer: a hard stop overtakes a running grace.
const TICK: Duration = Duration::from_millis(20);

/// From how much before the deadline on nothing is waited for any more.
const LAST: Duration = Duration::from_millis(250);

/// When to kill, and when to give up.
struct Clock<'a> {
    cx: &'a Context,
    /// The deadline where the context knows none.
    otherwise: Instant,
    deadline: Option<Instant>,
    kill_at: Instant,
    killed: bool,
}

impl<'a> Clock<'a> {
    fn new(cx: &'a Context, otherwise: Duration) -> Self {
        let otherwise = Instant::now() + otherwise.min(Duration::from_secs(86400 * 365));
        Self {
            cx,
            otherwise,
            deadline: None,
            kill_at: otherwise,
            killed: false,
        }
    }

    /// Returns the deadline, and takes on one that has come or changed. One that was over before it was known, as in `stop_within(ZERO)`, is an
    /// abort: this waits for ever then, and the destructor of the group kills. A kill from here would be seen as a failure,
    /// or not, by chance.
    async fn take_deadline(&mut self) -> Instant {
        let given = self.cx.deadline();
        let deadline = given.unwrap_or(self.otherwise);
        if self.deadline == Some(deadline) {
            return deadline;
        }
        let now = Instant::now();
        if given.is_some_and(|given| given <= now) {
            std::future::pending::<()>().await;
        }
        self.deadline = Some(deadline);
        self.kill_at = deadline - before_the_end(deadline.saturating_duration_since(now));
        deadline
    }

    /// Kills if it is time for it. Whether there is still time to wait.
    async fn tick(&mut self, group: &ProcessGroup) -> bool {
        let deadline = self.take_deadline().await;
        let now = Instant::now();
        if now >= self.kill_at && !self.killed {
            self.killed = true;
            group.signal_all(Signal::KILL);
        }
        let last = LAST.min((deadline.saturating_duration_since(self.kill_at)) / 2);
        now + last < deadline || !self.killed
    }
}

/// Returns how long before a deadline a group is killed, so that its end is still seen.
fn before_the_end(left: Duration) -> Duration {
    (left / 5).min(Duration::from_secs(1))
}

/// Ends a group: its leader first, then who is left.
pub(super) async fn end(
    group: ProcessGroup,
    signal: Signal,
    cx: &Context,
    otherwise: Duration,
) -> Result<Ending, ProcessError> {
    let mut clock = Clock::new(cx, otherwise);
    clock.take_deadline().await;
    if group.ending().ok().flatten().is_none() {
        group.signal_leader(signal);
        group.signal_leader(Signal::CONT);
    }
    let ending = loop {
        let in_time = clock.tick(&group).await;
        tokio::select! {
            biased;
            ending = group.ended() => match ending {
                Ok(ending) => break ending,
                // Without a descriptor to wait on, ask again and again.
                Err(_) => sleep(TICK).await,
            },
            () = sleep(TICK) => {}
        }
        if let Ok(Some(ending)) = group.ending() {
            break ending;
        }
        if !in_time {
            return Err(left_behind(group));
        }
    };
    if !is_empty(&group, signal, &mut clock).await {
        return Err(left_behind(group));
    }
    group.reap();
    Ok(ending)
}

fn left_behind(group: ProcessGroup) -> ProcessError {
    let pids = group.alive();
    group.abandon();
    ProcessError::LeftBehind { pids }
}

/// Ends who is left when the leader has ended. Whether nobody is any more.
async fn is_empty(group: &ProcessGroup, signal: Signal, clock: &mut Clock<'_>) -> bool {
    if group.alive().is_empty() {
        return true;
    }
    group.signal_all(signal);
    group.signal_all(Signal::CONT);
    loop {
        let in_time = clock.tick(group).await;
        tokio::select! {
            biased;
            _ = group.one_ended() => {}
            () = sleep(TICK) => {}
        }
        if group.alive().is_empty() {
            return true;
        }
        if !in_time {
            return false;
        }
        // A process that was forked meanwhile has not got the signal.
        if clock.killed {
            group.signal_all(Signal::KILL);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, before_the_end};

    #[test]
    fn the_kill_comes_a_fifth_of_the_time_and_at_most_a_second_before_the_deadline() {
        let seconds = Duration::from_secs;
        assert_eq!(before_the_end(seconds(2)), Duration::from_millis(400));
        assert_eq!(
            [5, 6, 90].map(|time| before_the_end(seconds(time))),
            [seconds(1); 3]
        );
        assert_eq!(before_the_end(Duration::ZERO), Duration::ZERO);
    }
}
