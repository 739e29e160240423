//! One connection: closed, and its call with it, when it is dropped.

use std::future::Future;
use std::pin::Pin;

use tokio::task::JoinHandle;
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{Client, Config, Error, Row, Socket};

use super::Parameters;
use crate::store::StoreError;

type Connecting<'a> = Pin<Box<dyn Future<Output = Result<Connection, StoreError>> + Send + 'a>>;

pub(super) trait Connect: Send + Sync {
    fn connect(&self) -> Connecting<'_>;
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
            let (client, connection) = connected.map_err(StoreError::unavailable)?;
            let driver = tokio::spawn(async move { drop(connection.await) });
            Ok(Connection { client, driver })
        })
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
        let values: Vec<_> = values.iter().map(|(value, kind)| (*value, kind.clone())).collect();
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

/// A missing table or right does not come by waiting; for all else another try may do better.
fn said(error: Error) -> StoreError {
    let text = error.as_db_error().map(|said| said.message().to_owned());
    match (error.code(), text) {
        (Some(&SqlState::UNDEFINED_TABLE), Some(text)) => {
            StoreError::refused(format!("{text}: `Postgres::create` makes what is missing"))
        }
        (Some(&SqlState::INSUFFICIENT_PRIVILEGE | &SqlState::UNDEFINED_COLUMN), Some(text)) => {
            StoreError::refused(text)
        }
        _ => StoreError::unavailable(error),
    }
}
