//! Whether the group is ready at this moment.

use super::Supervisor;

impl Supervisor<'_> {
    /// Shows whether the group has started, and whether it is ready.
    pub(super) fn show_readiness(&mut self) {
        let table = self.shared.table();
        let (has_started, (_, unsettled)) = (table.board.has_started(), table.board.unsettled(0));
        drop(table);
        if has_started && !std::mem::replace(&mut self.started, true) {
            self.cx.ready();
        }
        if unsettled == 0 {
            self.restarts.is_ready();
        } else {
            self.restarts.is_not_ready();
        }
    }
}
