//! The group's own task: it carries out what the plan says, and tells it what has become of it.
//!
//! The plan is asked again whenever a member's state has changed, so that what the handles of the
//! members do is seen like what the group does itself. [`open`] is its beginning, [`observe`] what it is told, [`act`] what it
//! says; [`changes`] are the members that leave, and [`end`] is what becomes of all at the end.

mod open;
mod member_snapshot;
mod changes;
mod observe;
mod act;
mod restart;
mod readiness;
mod reload;
mod late;
mod shares;
mod end;

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use tokio::time::Instant;

use self::reload::PassOn;
use self::restart::Restarts;
use self::shares::Shares;
use super::GroupShared;
use super::error::GroupError;
use super::member::MemberPart;
use super::table::ChangeWaiter;
use crate::engine::drain;
use crate::engine::task::wait_if_runtime_ends;
use crate::report::error::ReloadError;
use crate::report::failure::Failure;
use crate::report::panic::BoxError;
use crate::report::path::Path;
use crate::rules::graph::Id;
use crate::rules::plan::{Action, Closing};
use crate::runner::snapshot;
use crate::service::context::{Context, Reload};

/// Supervises the members until the group ends.
pub(super) async fn run(shared: &Arc<GroupShared>, cx: Context) -> Result<(), BoxError> {
    let mut supervisor = open::open(shared, &cx)?;
    // They wait as long as the loop goes on: to begin anew in each turn would cost more than all else in it.
    let mut cancelled = pin!(cx.cancelled());
    let mut draining = pin!(cx.draining());
    let mut reloaded = pin!(cx.reloaded());
    let mut passed_on = None;
    while supervisor.again || !supervisor.is_finished() || end::finds_more(&mut supervisor) {
        if supervisor.again {
            tokio::task::yield_now().await;
        }
        let share_end = shares::next_end(&mut supervisor);
        let told = (cancelled.as_mut(), draining.as_mut(), reloaded.as_mut());
        match supervisor.woken(told, &mut passed_on, share_end).await {
            Wakeup::Draining => supervisor.drain(),
            Wakeup::Cancelled => supervisor.close(),
            Wakeup::Reload(reload) => {
                reloaded.set(cx.reloaded());
                passed_on = Some(reload::pass_on(&supervisor, reload));
            }
            Wakeup::Reloaded(result) => {
                if let Some(pass) = passed_on.take() {
                    passed_on = pass.after(result, |id| supervisor.part(id));
                }
            }
            Wakeup::Changed => {
                if supervisor.has_lost_one() {
                    wait_if_runtime_ends().await;
                }
                supervisor.look_at_changed();
            }
            Wakeup::BackoffOver => restart::backoff_over(&mut supervisor),
            Wakeup::Shortened => shares::share_out_again(&mut supervisor),
            Wakeup::ShareOver => shares::end_those_over(&mut supervisor),
            Wakeup::Again => supervisor.run_actions(),
        }
    }
    end::end(supervisor)
}

enum Wakeup {
    Draining,
    Cancelled,
    Reload(Reload),
    /// A member has answered the reload.
    Reloaded(Result<(), ReloadError>),
    /// Members have changed.
    Changed,
    /// Those that a restart has taken down may come up again.
    BackoffOver,
    /// There is less time for the stop than there was.
    Shortened,
    /// A member has had its share of the time.
    ShareOver,
    Again,
}

/// The request that the group has heard.
#[derive(Clone, Copy, PartialEq, Eq)]
enum StopRequest {
    Nothing,
    ToDrain,
    ToStop,
}

/// How the supervisor finds out what to do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum FoundBy {
    /// By a look at the change queue alone.
    Glance,
    /// By a look at all that it may be told.
    Look,
}

/// The stages of insertion: members may come, or may not.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Doors {
    Open,
    /// A stop has begun, and who waited for an insertion was answered.
    Shut,
}

/// For how many members room is kept, in lists that are filled again and again.
const ROOM: usize = 16;

struct Supervisor<'a> {
    shared: &'a Arc<GroupShared>,
    cx: &'a Context,
    /// The path of the group, unless its context is detached; it stays the same while the group runs.
    path: Option<Path>,
    restarts: Restarts,
    told: StopRequest,
    /// The members have all been ready, or settled.
    started: bool,
    /// The members that were neither ready nor settled when it was shown last; `None` where all were.
    unready: Option<String>,
    /// Those that have changed, while they are looked at; else the room for them.
    changed: Vec<Id>,
    /// The same for what the plan says.
    actions: Vec<Action>,
    /// How it has found out last what to do.
    found: FoundBy,
    /// The plan has more to say, after the runtime had its turn.
    again: bool,
    doors: Doors,
    /// It has come to its end, rather than being dropped.
    ended: bool,
    /// The failure that ends the group.
    failure: Option<BoxError>,
    /// The last failure of a member that the group has gone on after.
    last: Option<Failure>,
    shares: Shares,
    /// Those that were taken off and are still to be dropped, when nothing borrows from them.
    gone: Vec<MemberPart>,
    /// The answers to who waits for that.
    replies: Vec<(ChangeWaiter, Result<(), GroupError>)>,
}

impl Supervisor<'_> {
    /// Waits until there is something to do.
    async fn woken(
        &mut self,
        (mut cancelled, mut draining, mut reloaded): (
            Pin<&mut impl Future<Output = ()>>,
            Pin<&mut impl Future<Output = ()>>,
            Pin<&mut impl Future<Output = Reload>>,
        ),
        passed_on: &mut Option<PassOn>,
        share_end: Option<Instant>,
    ) -> Wakeup {
        let mut share = pin!(share_over(share_end));
        poll_fn(|task| {
            if self.finds_changes_at_a_glance() {
                return Poll::Ready(Wakeup::Changed);
            }
            if self.told != StopRequest::ToStop && cancelled.as_mut().poll(task).is_ready() {
                return Poll::Ready(Wakeup::Cancelled);
            }
            if self.told == StopRequest::Nothing && draining.as_mut().poll(task).is_ready() {
                return Poll::Ready(Wakeup::Draining);
            }
            if self.told == StopRequest::ToStop && self.shares.is_shortened(self.cx.deadline()) {
                return Poll::Ready(Wakeup::Shortened);
            }
            if share.as_mut().poll(task).is_ready() {
                return Poll::Ready(Wakeup::ShareOver);
            }
            match passed_on {
                Some(pass) => {
                    if let Poll::Ready(result) = pass.poll(task) {
                        return Poll::Ready(Wakeup::Reloaded(result));
                    }
                }
                None => {
                    if let Poll::Ready(reload) = reloaded.as_mut().poll(task) {
                        return Poll::Ready(Wakeup::Reload(reload));
                    }
                }
            }
            if self.restarts.poll(task).is_ready() {
                return Poll::Ready(Wakeup::BackoffOver);
            }
            if self.shared.change_queue.poll(&mut self.changed, task) {
                return Poll::Ready(Wakeup::Changed);
            }
            if self.again {
                Poll::Ready(Wakeup::Again)
            } else {
                Poll::Pending
            }
        })
        .await
    }

    /// Takes the members that have changed, where the group has not been told anything since; each second time all else is
    /// looked at first.
    fn finds_changes_at_a_glance(&mut self) -> bool {
        let is_told = match self.told {
            StopRequest::Nothing => self.cx.is_told_to_end(),
            StopRequest::ToDrain => true,
            StopRequest::ToStop => false,
        };
        let may_glance = self.found == FoundBy::Look && !is_told;
        let finds = may_glance && self.shared.change_queue.take(&mut self.changed);
        self.found = if finds {
            FoundBy::Glance
        } else {
            FoundBy::Look
        };
        finds
    }

    fn is_finished(&self) -> bool {
        self.shared.table().plan.is_finished()
    }

    /// A stop of the group has begun, and its members go on for now.
    fn drain(&mut self) {
        self.look_at_ended();
        self.told = StopRequest::ToDrain;
        let up = {
            let mut table = self.shared.table();
            table.plan.drain();
            table.plan.draining()
        };
        // Those that have come up since the whole of it was told.
        let up: Vec<MemberPart> = up.into_iter().filter_map(|id| self.part(id)).collect();
        for part in up {
            drain::tell(part.node());
        }
        self.cancel_starts();
        self.run_actions();
    }

    /// The group is told to stop.
    fn close(&mut self) {
        self.look_at_ended();
        self.told = StopRequest::ToStop;
        late::record(self);
        self.shared.table().plan.close(Closing::Told);
        // The members may have been told before, by a stop of the group's own that had no end.
        shares::share_out_again(self);
        self.cancel_starts();
        self.run_actions();
    }

    fn has_lost_one(&self) -> bool {
        let table = self.shared.table();
        let mut entries = self.changed.iter().filter_map(|id| table.look_up(*id));
        entries.any(|entry| snapshot::was_aborted(&**entry.part.node()))
    }

    fn look_at_changed(&mut self) {
        let mut changed = std::mem::take(&mut self.changed);
        self.look_at(&changed);
        changed.clear();
        changed.shrink_to(ROOM);
        self.changed = changed;
    }

    fn look_at(&mut self, changed: &[Id]) {
        for id in changed {
            self.look_at_one(*id);
        }
        self.run_actions();
    }

    fn part(&self, id: Id) -> Option<MemberPart> {
        self.shared
            .table()
            .look_up(id)
            .map(|entry| entry.part.clone())
    }
}

/// Waits until the next share is over, for ever if there is none.
async fn share_over(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
