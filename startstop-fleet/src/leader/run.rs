//! One run of a leader: carries out what the election decides and tells it what has happened.

mod calls;
mod term;

use std::future::{Future, pending};
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use startstop_core::{BoxError, Context, Permanent, Reload, ReloadError, Service};

use self::calls::Contact;
use super::led::Led;
use super::readiness::Readiness;
use super::{Leader, LeaderError, Role, Wish};
use crate::clock;
use crate::election::{Action, CallId, Election, Event};
use crate::identity::identity;
use crate::record::{Record, Version};
use crate::store::{Claim, LeaseStore, StoreError};

type PendingCall<'a> =
    Pin<Box<dyn Future<Output = (CallId, Result<Record, StoreError>)> + Send + 'a>>;
type Hint<'a> = Pin<Box<dyn Future<Output = Option<Record>> + Send + 'a>>;

pub(super) struct Run<'a, S: Service, L: LeaseStore> {
    leader: &'a Leader<S, L>,
    cx: Context,
    claim: Arc<Claim>,
    election: Election,
    call: Option<PendingCall<'a>>,
    /// The hint of the store while we follow, and the version that it was asked since.
    hint: Option<(Version, Hint<'a>)>,
    led: Option<Led>,
    /// That of the service, where it is passed on.
    readiness: Option<Readiness>,
    contact: Contact,
    heard_stop: bool,
    /// How it ends, or the panic of what was to be led.
    outcome: thread::Result<Result<(), LeaderError>>,
}

impl<'a, S: Service, L: LeaseStore> Run<'a, S, L> {
    pub(super) fn new(leader: &'a Leader<S, L>, cx: Context) -> Self {
        let identity = identity();
        let timing = leader.timing;
        let election = Election::new(identity.clone(), timing);
        let election = if leader.store.notifies() {
            election.notified()
        } else {
            election
        };
        Self {
            leader,
            cx,
            claim: Arc::new(Claim::new(identity, timing.lease)),
            election,
            call: None,
            hint: None,
            led: None,
            readiness: None,
            contact: Contact::default(),
            heard_stop: false,
            outcome: Ok(Ok(())),
        }
    }

    pub(super) async fn drive(mut self) -> Result<(), BoxError> {
        self.check().await?;
        let mut event = Event::Tick;
        loop {
            self.step(event).await?;
            if let Some(error) = self.leaves_behind() {
                return Err(error.into());
            }
            if self.election.is_finished() {
                return match std::mem::replace(&mut self.outcome, Ok(Ok(()))) {
                    // No other term has a longer lease.
                    Ok(Err(error @ LeaderError::Timing(_))) => Err(Permanent::new(error).into()),
                    Ok(outcome) => outcome.map_err(Into::into),
                    Err(panic) => resume_unwind(panic),
                };
            }
            event = self.next().await;
        }
    }

    /// Waits for the next thing that the election has to know.
    async fn next(&mut self) -> Event {
        loop {
            self.listen();
            let wake = self.election.wake_at();
            let left = wake.map_or(Duration::MAX, |at| at.saturating_sub(clock::now()));
            let Self {
                cx,
                leader,
                call,
                hint,
                led,
                readiness,
                contact,
                heard_stop,
                ..
            } = self;
            tokio::select! {
                biased;
                () = cx.cancelled(), if !*heard_stop => {
                    *heard_stop = true;
                    return Event::Stop;
                }
                () = leader.shared.resign.notified() => return Event::Resign,
                asked = cx.reloaded() => pass_on(cx, led.as_ref(), asked),
                () = ended(led.as_ref()) => return Event::Ended,
                () = unresponsive(led.as_ref()) => return Event::Unresponsive,
                (id, result) = optional(call.as_mut()) => {
                    *call = None;
                    return self.on_answer(id, result);
                }
                told = optional(hint.as_mut().map(|(_, hint)| hint)) => {
                    *hint = None;
                    if let Some(record) = &told {
                        contact.sees(record);
                    }
                    return Event::Changed(told);
                }
                ready = changed(readiness.as_mut(), led.as_ref()) => {
                    if ready {
                        cx.ready();
                    } else {
                        cx.not_ready("its service is not ready");
                    }
                }
                () = tokio::time::sleep(left) => return Event::Tick,
            }
        }
    }

    async fn step(&mut self, event: Event) -> Result<(), BoxError> {
        if let Some(error) = self.contact.trouble.take() {
            self.on_trouble(error)?;
        }
        let mut event = Some(event);
        while let Some(next) = event.take() {
            let now = clock::now();
            if matches!(next, Event::Ended) {
                // The end of a term that is over, as after a freeze, is no end by itself: then the leader follows again.
                self.advance(now, Event::Tick).await;
            }
            match next {
                Event::Ended if !self.on_ended() => break,
                Event::Unresponsive => self.on_unresponsive(),
                _ => {}
            }
            if !self.advance(now, next).await {
                event = Some(Event::Ended);
            }
        }
        self.describe();
        Ok(())
    }

    /// Tells the election what has happened, and does what follows; false if a service that was to be led is not there.
    async fn advance(&mut self, now: Duration, event: Event) -> bool {
        let mut is_there = true;
        for action in self.election.step(now, event) {
            is_there &= self.act(action).await;
        }
        is_there
    }

    /// Tells the status who leads, as far as it is known here.
    fn describe(&mut self) {
        let record = self.followed();
        let role = self.leader.role;
        let text = match (&self.led, record.and_then(Record::holder)) {
            (Some(led), _) => led.detail(role),
            (None, _) if role == Role::Member => "no member: its lease is not held".to_owned(),
            (None, Some(holder)) => {
                let fence = record.map_or(0, Record::fence);
                format!("follower of {holder}, fence {fence}")
            }
            (None, None) => "nobody leads".to_owned(),
        };
        self.cx.detail(text);
        self.count();
    }

    /// Returns the record of the term that somebody leads in, we or another one: not of one of ours that has ended and is not
    /// given back.
    fn followed(&self) -> Option<&Record> {
        let is_over =
            |record: &Record| self.led.is_none() && record.holder() == Some(self.claim.holder());
        self.election.record().filter(|record| !is_over(record))
    }

    /// The same as numbers, for metrics.
    #[expect(clippy::cast_precision_loss, reason = "numbers of metrics are inexact")]
    fn count(&self) {
        let fence = self.followed().map_or(0, Record::fence);
        let since = self.led.as_ref().map_or(0.0, Led::since);
        self.cx
            .gauge("leading", f64::from(u8::from(self.led.is_some())));
        self.cx.gauge("leading_since_seconds", since);
        self.cx.gauge("fence", fence as f64);
    }

    /// Carries out an action; false if a service that was to be led is not there.
    async fn act(&mut self, action: Action) -> bool {
        match action {
            Action::Call { id, call, limit } => self.call(id, call, limit),
            Action::Lead { fence, valid_until } => return self.lead(fence, valid_until),
            Action::Extend { valid_until } => {
                if let Some(led) = &self.led {
                    led.extend(valid_until);
                }
            }
            Action::StopService { cause, valid_until } => self.stop(cause, valid_until).await,
            Action::Overrun => self.overrun(),
        }
        true
    }
}

/// If it is dropped while it leads, its runner asks for a stop, the guard stays, and nothing more is run in the term.
impl<S: Service, L: LeaseStore> Drop for Run<'_, S, L> {
    fn drop(&mut self) {
        if let Some(led) = &self.led {
            led.term.end();
        }
        self.forget_led();
    }
}

/// Passes a reload request on to the led service, which is a part of us. A follower has nothing to reload, which is no
/// reason to take a SIGHUP for a termination: so it is not left to the core, for which a service that has nothing attached
/// supports no reload.
fn pass_on(cx: &Context, led: Option<&Led>, asked: Reload) {
    let Some(led) = led else { return asked.done() };
    let runner = led.runner.clone();
    cx.spawn(async move {
        match runner.reload().await {
            Ok(()) | Err(ReloadError::NotSupported | ReloadError::Stopped) => asked.done(),
            Err(error) => asked.failed(error),
        }
    });
}

async fn optional<F: Future + Unpin>(future: Option<F>) -> F::Output {
    match future {
        Some(future) => future.await,
        None => pending().await,
    }
}

async fn ended(led: Option<&Led>) {
    match led {
        Some(led) => led.ended().await,
        None => pending().await,
    }
}

async fn unresponsive(led: Option<&Led>) {
    match led {
        Some(led) => led.unresponsive().await,
        None => pending().await,
    }
}

/// Waits for another readiness of the service, for ever if there is none or it is not passed on.
async fn changed(readiness: Option<&mut Readiness>, led: Option<&Led>) -> bool {
    match (readiness, led) {
        (Some(readiness), Some(led)) => readiness.changed(&led.runner).await,
        _ => pending().await,
    }
}
