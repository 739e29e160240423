//! One connection that listens, for all leases of a store.
//!
//! A pooler hands notifications to somebody else, so it is listened only on a connection whose server knows what was said when it
//! was made.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::time::timeout;

use super::connection::{ANSWER, Connect, Connection, MARK, Place};
use super::heard::Heard;
use super::statements::CHANNEL;
use crate::store::StoreError;

/// The connection that listens, while there is one.
#[derive(Default)]
pub(super) struct Hub {
    can_listen: AtomicBool,
    listener: tokio::sync::Mutex<Option<Arc<Listener>>>,
}

pub(super) struct Listener {
    heard: Arc<Heard>,
    connection: Connection,
}

impl Hub {
    /// Finds out whether this server, or what stands before it, lets us listen.
    pub(super) async fn try_listen(&self, connect: &dyn Connect) {
        // Without an answer it is as behind a pooler.
        let began = timeout(ANSWER, begin(connect)).await;
        let listener = began.ok().and_then(Result::ok).flatten();
        self.can_listen.store(listener.is_some(), Ordering::Relaxed);
        *self.listener.lock().await = listener;
    }

    pub(super) fn can_listen(&self) -> bool {
        self.can_listen.load(Ordering::Relaxed)
    }

    /// Closes the connection that listens if calls are answered elsewhere: what is written there is not told here.
    pub(super) fn keep_to(&self, place: &Place) {
        if let Ok(mut listener) = self.listener.try_lock() {
            let elsewhere = listener.take_if(|listener| listener.connection.place() != place);
            if let Some(listener) = elsewhere {
                listener.heard.close();
            }
        }
    }

    /// Returns the connection that listens, made anew if it is gone.
    pub(super) async fn listener(
        &self,
        connect: &dyn Connect,
    ) -> Result<Arc<Listener>, StoreError> {
        let mut place = self.listener.lock().await;
        if let Some(listener) = place
            .as_ref()
            .filter(|listener| !listener.heard.is_closed())
        {
            return Ok(listener.clone());
        }
        let silent = |_| StoreError::unavailable(format!("no answer within {ANSWER:?}"));
        *place = timeout(ANSWER, begin(connect)).await.map_err(silent)??;
        let polled =
            || StoreError::unavailable("what stands before the server does not let us listen");
        place.clone().ok_or_else(polled)
    }
}

async fn begin(connect: &dyn Connect) -> Result<Option<Arc<Listener>>, StoreError> {
    let mark = format!("{:016x}", fastrand::u64(..));
    let heard = Arc::new(Heard::new());
    let connection = connect.listen(&mark, heard.clone()).await?;
    let listener = Listener { heard, connection };
    let rows = listener
        .connection
        .query(&format!("select current_setting('{MARK}', true)"), &[])
        .await?;
    let said: Option<String> = rows.first().and_then(|row| row.try_get(0).ok());
    if said.as_deref() != Some(&*mark) {
        return Ok(None);
    }
    listener
        .connection
        .run(&format!("listen {CHANNEL}"))
        .await?;
    Ok(Some(Arc::new(listener)))
}

impl Listener {
    pub(super) fn heard(&self) -> &Heard {
        &self.heard
    }
}
