//! The end of a group: a signal, and KILL before the deadline.

use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use startstop_core::Context;
use tokio::time::{Instant, sleep, timeout};

use crate::error::ProcessError;
use crate::group::{self, Ending, ProcessGroup};
use crate::signal::Signal;

/// How often it is asked whether the deadline has come nearer: a hard stop overtakes a running grace.
const TICK: Duration = Duration::from_millis(20);

/// From how much before the deadline on nothing is waited for any more.
const LAST: Duration = Duration::from_millis(250);

/// How long the end of what was killed is waited for, where no deadline is nearer.
const KILLED: Duration = Duration::from_secs(1);

/// The time of a child that may put off the end of its stop itself, within that of its attempt.
pub(super) struct PutOff(Mutex<Instant>);

impl PutOff {
    /// Begins with so much time from now.
    pub(super) fn begin(time: Duration) -> Self {
        Self(Mutex::new(from_now(time)))
    }

    /// Gives it at least so much time from now.
    pub(super) fn extend(&self, time: Duration) {
        let mut until = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *until = from_now(time).max(*until);
    }

    fn until(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Some numbers of a child mean that it never ends.
fn from_now(time: Duration) -> Instant {
    Instant::now() + time.min(Duration::from_secs(86400 * 365))
}

/// When to kill, and when to give up.
struct Clock<'a> {
    cx: &'a Context,
    put_off: Option<&'a PutOff>,
    deadline: Option<Deadline>,
    killed: bool,
}

/// A deadline of the attempt.
#[derive(Clone, Copy)]
struct Deadline {
    at: Instant,
    kill_at: Instant,
}

impl Deadline {
    /// Returns when nothing is waited for any more.
    fn gives_up_at(self) -> Instant {
        self.at - LAST.min((self.at - self.kill_at) / 2)
    }
}

impl<'a> Clock<'a> {
    const fn new(cx: &'a Context, put_off: Option<&'a PutOff>) -> Self {
        Self {
            cx,
            put_off,
            deadline: None,
            killed: false,
        }
    }

    /// Takes on a deadline that has come or changed; without one there is no limit. One that was over before it was known,
    /// as in `stop_within(ZERO)`, is an abort: this waits for ever then, and the destructor of the group kills. A kill from here
    /// would be seen as a failure, or not, by chance.
    async fn take_deadline(&mut self) {
        let given = self.cx.deadline();
        if given == self.deadline.map(|deadline| deadline.at) {
            return;
        }
        let now = Instant::now();
        if given.is_some_and(|given| given <= now) {
            std::future::pending::<()>().await;
        }
        self.deadline = given.map(|at| Deadline {
            at,
            kill_at: at - before_the_end(at.saturating_duration_since(now)),
        });
    }

    /// Kills if it is time for it. Whether there is still time to wait.
    async fn tick(&mut self, group: &ProcessGroup) -> bool {
        self.take_deadline().await;
        let now = Instant::now();
        let own = self.put_off.map(PutOff::until);
        let kill_at = self.deadline.map(|deadline| deadline.kill_at);
        if !self.killed && (is_over(kill_at, now) || is_over(own, now)) {
            self.killed = true;
            group.signal_all(Signal::KILL);
        }
        let gives_up_at = self.deadline.map(Deadline::gives_up_at);
        let own = own.map(|until| until + KILLED);
        !self.killed || !(is_over(gives_up_at, now) || is_over(own, now))
    }
}

fn is_over(time: Option<Instant>, now: Instant) -> bool {
    time.is_some_and(|time| time <= now)
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
    put_off: Option<&PutOff>,
) -> Result<Ending, ProcessError> {
    let mut clock = Clock::new(cx, put_off);
    clock.take_deadline().await;
    if group.ending().ok().flatten().is_none() {
        group.signal_leader(signal);
        group.signal_leader(Signal::CONT);
    }
    let Some(ending) = leader_ended(&group, &mut clock).await else {
        return Err(left_behind(group).await);
    };
    if !is_empty(&group, signal, &mut clock).await {
        return Err(left_behind(group).await);
    }
    group.reap();
    Ok(ending)
}

/// Waits until the leader has ended, or until there is no more time to wait.
async fn leader_ended(group: &ProcessGroup, clock: &mut Clock<'_>) -> Option<Ending> {
    let mut ended = pin!(group.ended());
    loop {
        let in_time = clock.tick(group).await;
        match timeout(TICK, &mut ended).await {
            Ok(Ok(ending)) => return Some(ending),
            // It cannot be waited for, so it is looked at.
            Ok(Err(_)) => {
                ended.set(group.ended());
                sleep(TICK).await;
            }
            Err(_) if in_time => continue,
            Err(_) => {}
        }
        let ending = group.ending().ok().flatten();
        if ending.is_some() || !in_time {
            return ending;
        }
    }
}

async fn left_behind(group: ProcessGroup) -> ProcessError {
    let pids = group.alive().await.unwrap_or_else(|_| vec![group.id()]);
    group.abandon();
    ProcessError::LeftBehind { pids }
}

/// Ends who is left when the leader has ended. Whether nobody is any more.
async fn is_empty(group: &ProcessGroup, signal: Signal, clock: &mut Clock<'_>) -> bool {
    let mut alive = group.alive().await;
    if alive.as_ref().is_ok_and(Vec::is_empty) {
        return true;
    }
    group.signal_all(signal);
    group.signal_all(Signal::CONT);
    loop {
        let one = alive.ok().and_then(|alive| alive.first().copied());
        let in_time = one_ended(one, group, clock).await;
        alive = group.alive().await;
        match &alive {
            Ok(alive) if alive.is_empty() => return true,
            // Those who have been killed and cannot be seen are taken for gone.
            alive if !in_time => return alive.is_err(),
            _ => {}
        }
    }
}

/// Waits until one who was left has ended or left the group: until then nobody has to be looked for. Without a descriptor to wait on
/// it is time to look again after a tick. Whether there is still time to wait.
async fn one_ended(one: Option<u32>, group: &ProcessGroup, clock: &mut Clock<'_>) -> bool {
    let watched = one.and_then(|pid| group::watch_other(pid).ok());
    loop {
        let in_time = clock.tick(group).await;
        let ended = async {
            match &watched {
                Some(Some(watched)) => watched.readable().await.map(|mut it| it.retain_ready()),
                Some(None) => Ok(()),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            _ = ended => return in_time,
            () = sleep(TICK) => {}
        }
        // A process that was forked meanwhile has not got the signal.
        if clock.killed {
            group.signal_all(Signal::KILL);
        }
        let is_here = one.is_some_and(|pid| group.has(pid));
        if !in_time || watched.is_none() || !is_here {
            return in_time;
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
