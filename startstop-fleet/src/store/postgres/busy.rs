//! The connection while a call has it, and the end of a call that is given up.
//!
//! The server does not notice that nobody waits any more: a statement that waits for a lock would keep one of its connections for as
//! long. So it is asked to end it. A pooler is not asked, for it may have given its connection to somebody else meanwhile.

use std::ops::Deref;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::{sleep, timeout};

use super::connection::Connection;
use super::listen::Hub;

/// How long the server may take to hear of it.
const LIMIT: Duration = Duration::from_secs(2);

/// When it is asked once more: a busy one may have heard of the end before the statement, and have begun it then.
const AGAIN: Duration = Duration::from_millis(500);

/// Until it is [taken back](Self::take_back) its call is not answered.
pub(super) struct Busy<'a> {
    connection: Option<Connection>,
    hub: &'a Hub,
}

impl<'a> Busy<'a> {
    pub(super) fn new(connection: Connection, hub: &'a Hub) -> Self {
        Self {
            connection: Some(connection),
            hub,
        }
    }

    pub(super) fn take_back(mut self) -> Connection {
        self.connection.take().expect("it is here until then")
    }
}

impl Deref for Busy<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection.as_ref().expect("it is here until then")
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        let runtime = Handle::try_current();
        if let (Ok(runtime), true) = (runtime, self.hub.can_listen()) {
            let (cancelled, again) = (connection.cancel(), connection.cancel());
            runtime.spawn(async move {
                timeout(LIMIT, cancelled).await.ok();
                drop(connection);
                sleep(AGAIN).await;
                timeout(LIMIT, again).await.ok();
            });
        }
    }
}
