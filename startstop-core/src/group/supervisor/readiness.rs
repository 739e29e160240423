//! The readiness of the group at this moment.

use std::borrow::Cow;

use super::{StopRequest, Supervisor};
use crate::report::text;
use crate::service::context::attempt_guard::show_readiness;

/// Shows whether the group has started, and which members keep it from being ready at this moment.
pub(super) fn show(supervisor: &mut Supervisor<'_>) {
    if supervisor.told == StopRequest::ToStop {
        // Nothing is shown any more, and nothing restarts.
        return;
    }
    let table = supervisor.shared.table();
    let has_started = table.plan.has_started() || supervisor.started;
    let count = table.plan.unsettled_count();
    drop(table);
    if count == 0 && has_started {
        supervisor.restarts.is_ready();
    } else {
        supervisor.restarts.is_not_ready();
    }
    if !has_started || supervisor.told != StopRequest::Nothing {
        return;
    }
    let reason = named(supervisor);
    if supervisor.started && supervisor.unready == reason {
        return;
    }
    supervisor.started = true;
    show_readiness(supervisor.cx, reason.clone().map(Cow::Owned));
    supervisor.unready = reason;
}

/// Returns the names of those members, and how many there are beside them; `None` if there are none.
fn named(supervisor: &Supervisor<'_>) -> Option<String> {
    let table = supervisor.shared.table();
    let (ids, count) = (
        table.plan.unsettled(text::NAMED),
        table.plan.unsettled_count(),
    );
    let names = ids.iter().filter_map(|id| Some(&*table.look_up(*id)?.name));
    text::list(names, count)
}
