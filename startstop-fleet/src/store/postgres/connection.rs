//! One connection: closed, and its call with it, when it is dropped.

use std::error::Error as _;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{AsyncMessage, Client, Config, Error, Row, Socket};

use super::heard::Heard;
use crate::store::StoreError;

type Connecting<'a> = Pin<Box<dyn Future<Output = Result<Connection, StoreError>> + Send + 'a>>;

pub(super) type Parameters<'a> = [(&'a (dyn ToSql + Sync), Type)];

/// A setting of the session that means nothing to the server: whether it is there tells who answers.
pub(super) const MARK: &str = "startstop.listener";

pub(super) trait Connect: Send + Sync {
    fn connect(&self) -> Connecting<'_>;

    /// Returns a connection of its own that hands on what is told there, and of which the server knows the mark if nothing
    /// stands between.
    fn listen<'a>(&'a self, mark: &'a str, heard: Arc<Heard>) -> Connecting<'a>;
}

pub(super) struct Connection {
    client: Client,
    /// Reads and writes for the client.
    driver: JoinHandle<()>,
}

struct Connector<T> {
    config: Config,
    tls: T,
}

pub(super) fn connector<T>(config: Config, tls: T) -> impl Connect
where
    T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
    T::Stream: Send,
    T::TlsConnect: Send,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    Connector { config, tls }
}

impl<T> Connect for Connector<T>
where
    T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
    T::Stream: Send,
    T::TlsConnect: Send,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    fn connect(&self) -> Connecting<'_> {
        Box::pin(async {
            let connected = self.config.connect(self.tls.clone()).await;
            let (client, connection) = connected.map_err(said)?;
            let driver = tokio::spawn(async move { drop(connection.await) });
            Ok(Connection { client, driver })
        })
    }

    fn listen<'a>(&'a self, mark: &'a str, heard: Arc<Heard>) -> Connecting<'a> {
        Box::pin(async move {
            let mut config = self.config.clone();
            let options = config.get_options().unwrap_or_default();
            config.options(format!("{options} -c {MARK}={mark}"));
            // The connection may be silent for long, so only keep-alive shows that the other end is gone.
            config
                .keepalives_idle(KEEPALIVE)
                .keepalives_interval(KEEPALIVE)
                .keepalives_retries(2);
            let connected = config.connect(self.tls.clone()).await;
            let (client, mut connection) = connected.map_err(said)?;
            let closing = Closing(heard);
            let driver = tokio::spawn(async move {
                let Closing(heard) = &closing;
                while let Some(Ok(message)) = poll_fn(|cx| connection.poll_message(cx)).await {
                    if let AsyncMessage::Notification(told) = message {
                        heard.tell(told.payload());
                    }
                }
            });
            Ok(Connection { client, driver })
        })
    }
}

const KEEPALIVE: Duration = Duration::from_secs(5);

/// Says that nothing is told any more, also when the runtime ends.
struct Closing(Arc<Heard>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Connection {
    pub(super) fn is_open(&self) -> bool {
        !self.client.is_closed()
    }

    pub(super) async fn query(
        &self,
        sql: &str,
        values: &Parameters<'_>,
    ) -> Result<Vec<Row>, StoreError> {
        let values: Vec<_> = values
            .iter()
            .map(|(value, kind)| (*value, kind.clone()))
            .collect();
        self.client.query_typed(sql, &values).await.map_err(said)
    }

    pub(super) async fn run(&self, sql: &str) -> Result<(), StoreError> {
        self.client.batch_execute(sql).await.map_err(said)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// A missing table or right does not come by waiting, nor does a user, a password or a database; for all else another try may do
/// better.
fn said(error: Error) -> StoreError {
    let text = error.as_db_error().map(|said| said.message().to_owned());
    let Some(text) = text else {
        return unsaid(error);
    };
    match error.code() {
        Some(&SqlState::UNDEFINED_TABLE) => {
            StoreError::refused(format!("{text}: `Postgres::create` makes what is missing"))
        }
        Some(
            &SqlState::INSUFFICIENT_PRIVILEGE
            | &SqlState::UNDEFINED_COLUMN
            | &SqlState::INVALID_PASSWORD
            | &SqlState::INVALID_AUTHORIZATION_SPECIFICATION
            | &SqlState::INVALID_CATALOG_NAME,
        ) => StoreError::refused(text),
        _ => StoreError::unavailable(error),
    }
}

/// The same for an error that no server has told.
fn unsaid(error: Error) -> StoreError {
    if let Some(what) = what_else(&error) {
        return StoreError::refused(format!("what answers is no PostgreSQL server: {what}"));
    }
    let what = error.source().map(ToString::to_string).unwrap_or_default();
    let text = format!("{error}: {what}");
    if NEVER.iter().any(|never| text.contains(never)) {
        return StoreError::refused(text);
    }
    StoreError::unavailable(error)
}

/// Texts of errors that no other try mends: nobody to ask, no password, or no way in that both know.
const NEVER: [&str; 4] = [
    "invalid configuration",
    "authentication error",
    "server does not support TLS",
    "no TLS implementation configured",
];

/// Returns what is wrong with an answer that is not of this protocol.
fn what_else(error: &Error) -> Option<String> {
    let text = error.to_string();
    if text.contains("unexpected message") || text.contains("parsing") {
        return Some(text);
    }
    let io: &io::Error = error.source()?.downcast_ref()?;
    let other = [
        io::ErrorKind::Other,
        io::ErrorKind::InvalidInput,
        io::ErrorKind::InvalidData,
    ];
    other.contains(&io.kind()).then(|| io.to_string())
}
