//! Whether the group is ready at this moment.

use std::borrow::Cow;

use super::{StopRequest, Supervisor};
use crate::rules::graph::Id;
use crate::service::context::attempt_guard::show_readiness;

/// How many members a reason names.
const NAMED: usize = 16;

impl Supervisor<'_> {
    /// Shows whether the group has started, and which members keep it from being ready at this moment.
    pub(super) fn show_readiness(&mut self) {
        let table = self.shared.table();
        let has_started = table.plan.has_started() || self.started;
        let (unsettled, count) = table.plan.unsettled(NAMED);
        drop(table);
        if count == 0 && has_started {
            self.restarts.is_ready();
        } else {
            self.restarts.is_not_ready();
        }
        if !has_started || self.told != StopRequest::Nothing {
            return;
        }
        let reason = self.named(&unsettled, count);
        if self.started && self.unready == reason {
            return;
        }
        self.started = true;
        show_readiness(self.cx, reason.clone().map(Cow::Owned));
        self.unready = reason;
    }

    /// The names of these members, and how many there are beside them; `None` if there are none.
    fn named(&self, ids: &[Id], count: usize) -> Option<String> {
        let table = self.shared.table();
        let names: Vec<&str> =
            ids.iter().filter_map(|id| Some(&*table.look_up(*id)?.name)).collect();
        let names = names.join(", ");
        match count {
            0 => None,
            count if count > ids.len() => Some(format!("{names} and {} more", count - ids.len())),
            _ => Some(names),
        }
    }
}
