//! `Postgres`: leases as rows of a table.
//!
//! 1. Each call is one statement with its parameters, without a prepared statement and without anything that a session keeps, so that
//!    a pooler may stand between.
//! 2. Versions and fences come from a sequence, which outlives the row. The clock of the server is not asked.
//! 3. A call that is given up takes its connection with it, and the server is asked to end it.

mod statements;
mod row;
mod heard;
mod hosts;
mod connection;
mod busy;
mod listen;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::timeout;
use tokio_postgres::tls::{MakeTlsConnect, NoTls};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Config, Row, Socket};

use self::busy::Busy;
use self::connection::{ANSWER, Connect, Connection, Parameters};
use self::listen::Hub;
use self::row::{record, signed};
use self::statements::{
    CHECK, CREATE, INSERT, LIST, READ, RELEASE, RENEW, THERE, UPDATE, forget, telling,
};
use super::claim::whole;
use super::{Change, Claim, LeaseStore, StoreError};
use crate::record::{Record, Version};

/// A store in `PostgreSQL`.
///
/// The table and the sequence are made by [`create`](Self::create), or by whoever runs the migrations:
///
/// ```sql
#[doc = include_str!("postgres/create.sql")]
/// ```
///
/// It listens on a second connection to what the server notifies of (channel `startstop_leases`). A pooler, as `PgBouncer`, hands
/// notifications to somebody else: behind one a replica that follows looks each `retry` instead, which is found out when it connects.
///
/// The server has to be the primary: a standby is not believed. With several hosts, as in
/// `postgres://app@10.0.0.1,10.0.0.2/app`, that one is asked which has answered last, and the next one if it does not, or is no
/// primary any more. So it is with several addresses of one host.
///
/// However many leases a process has there, sixteen of its calls are on their way at once at most, each on a connection of its own. All
/// but one of those are closed when no call waits for them any more.
///
/// # Examples
///
/// ```no_run
/// use startstop_core::service_fn;
/// use startstop_fleet::{Leader, Postgres};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = Postgres::connect("postgres://app@10.0.0.1/app").await?;
/// store.create().await?;
/// let leader = Leader::new("invoices", store, |_term| service_fn(async |cx| cx.cancelled().await));
/// # drop(leader);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Postgres {
    connect: Arc<dyn Connect>,
    /// The connections that no call has: one, and more only while calls wait for them.
    idle: Arc<Mutex<Vec<Connection>>>,
    /// A permit for each call that may be on its way at once.
    calls: Arc<Semaphore>,
    hub: Arc<Hub>,
}

/// How many calls are on their way at once: a server has connections for a hundred, and others need some.
const AT_ONCE: usize = 16;

impl Postgres {
    /// Connects without TLS; `url` is a URL or a list of `key=value`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Refused`] if the URL is none, if the server does not know the user, the password or the database, or if what
    /// answers is no `PostgreSQL` server; [`StoreError::Unavailable`] if it cannot be reached.
    ///
    /// # Examples
    ///
    /// See [`Postgres`].
    ///
    /// # Cancel safety
    ///
    /// It changes nothing.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        Self::connect_tls(url, NoTls).await
    }

    /// Connects with a TLS connector of `tokio-postgres`.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use startstop_fleet::{Postgres, StoreError};
    /// use tokio_postgres::NoTls; // or that of tokio-postgres-rustls, say
    ///
    /// # async fn connect() -> Result<Postgres, StoreError> {
    /// Postgres::connect_tls("postgres://app@10.0.0.1/app", NoTls).await
    /// # }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// It changes nothing.
    pub async fn connect_tls<T>(url: &str, tls: T) -> Result<Self, StoreError>
    where
        T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
        T::Stream: Send,
        T::TlsConnect: Send,
        <T::TlsConnect as tokio_postgres::tls::TlsConnect<Socket>>::Future: Send,
    {
        let wrong =
            |error| StoreError::refused(format!("no address of a PostgreSQL server: {error}"));
        let config: Config = url.parse().map_err(wrong)?;
        let connect = connection::connector(&config, tls);
        let first = first(&connect).await?;
        let hub = Hub::default();
        hub.try_listen(&connect).await;
        let idle = Arc::new(Mutex::new(vec![first]));
        Ok(Self {
            connect: Arc::new(connect),
            idle,
            calls: Arc::new(Semaphore::new(AT_ONCE)),
            hub: Arc::new(hub),
        })
    }

    /// Makes the table and the sequence, where they are missing. Each replica may call it at its start, all of them at once, and with no
    /// right to make anything once they are there.
    ///
    /// # Errors
    ///
    /// [`StoreError::Refused`] if the rights are missing; [`StoreError::Unavailable`] if the server cannot be reached.
    ///
    /// # Examples
    ///
    /// See [`Postgres`].
    ///
    /// # Cancel safety
    ///
    /// The statement may be carried out nevertheless.
    pub async fn create(&self) -> Result<(), StoreError> {
        let rows = self.rows(THERE, &[]).await?;
        let is_there = rows.first().map_or(Ok(false), |row| row.try_get("there"));
        if is_there.map_err(StoreError::unavailable)? {
            return Ok(());
        }
        self.with(async |connection| connection.run(CREATE).await)
            .await
    }

    async fn rows(&self, sql: &str, values: &Parameters<'_>) -> Result<Vec<Row>, StoreError> {
        self.with(async |connection| connection.query(sql, values).await)
            .await
    }

    /// Writes, if the row is as it is expected to be.
    async fn write(&self, sql: &str, values: &Parameters<'_>) -> Result<Record, StoreError> {
        let rows = self.rows(&telling(sql), values).await?;
        record(rows.first().ok_or(StoreError::Conflict)?)
    }

    /// Lends the connection to a call, which gives it back when it has ended in order.
    async fn with<T>(
        &self,
        call: impl AsyncFnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let _turn = self.calls.acquire().await;
        let mut unanswered = Unanswered(Some(&self.idle));
        let idle = self.idle().pop().filter(Connection::is_open);
        let connection = match idle {
            Some(connection) => connection,
            None => self.connect.connect().await?,
        };
        let asked = connection.ask();
        let busy = Busy::new(connection, &self.hub);
        let result = call(&busy).await;
        let connection = busy.take_back();
        if !matches!(result, Err(StoreError::Unavailable(_))) {
            asked.answered();
            self.hub.keep_to(connection.place());
            unanswered.0 = None;
            let mut idle = self.idle();
            if idle.is_empty() || self.calls.available_permits() == 0 {
                idle.push(connection);
            }
        }
        result
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Unless a call was answered, its server may be gone: then the next one does not begin with another connection to it.
struct Unanswered<'a>(Option<&'a Mutex<Vec<Connection>>>);

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        if let Some(idle) = self.0 {
            idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }
}

/// Connects for the first time. The addresses of all hosts share the time that this may take, for one that is frozen takes connections
/// and says nothing.
async fn first(connect: &impl Connect) -> Result<Connection, StoreError> {
    let count = timeout(ANSWER, connect.addresses()).await.unwrap_or(1);
    let share = ANSWER / u32::try_from(count).unwrap_or(u32::MAX);
    for _ in 0..count {
        if let Ok(connected) = timeout(share, connect.connect()).await {
            return connected;
        }
    }
    Err(StoreError::unavailable(format!(
        "no answer within {ANSWER:?}"
    )))
}

impl LeaseStore for Postgres {
    async fn check(&self, name: &str) -> Result<(), StoreError> {
        super::name::check(name)?;
        let rows = self.rows(CHECK, &[]).await?;
        let row = rows.first();
        let row = row.ok_or_else(|| StoreError::unavailable("no row"))?;
        if row.try_get("counts").map_err(StoreError::unavailable)? {
            return Ok(());
        }
        Err(StoreError::refused(
            "permission denied for sequence startstop_fence",
        ))
    }

    async fn read(&self, name: &str) -> Result<Record, StoreError> {
        let rows = self.rows(READ, &[(&name, Type::TEXT)]).await?;
        record(
            rows.first()
                .ok_or_else(|| StoreError::unavailable("no row"))?,
        )
    }

    async fn take(
        &self,
        name: &str,
        claim: &Claim,
        expected: &Version,
    ) -> Result<Record, StoreError> {
        let holder = claim.holder();
        let millis = |lease| whole(lease, Duration::from_millis(1));
        let millis = |lease| i64::try_from(millis(lease)).unwrap_or(i64::MAX);
        let lease = claim.lease().map(millis);
        let seen = signed(expected);
        let values: [(&(dyn ToSql + Sync), Type); 4] = [
            (&name, Type::TEXT),
            (&holder, Type::TEXT),
            (&lease, Type::INT8),
            (&seen, Type::INT8),
        ];
        if expected.is_absent() {
            return self.write(INSERT, &values[..3]).await;
        }
        self.write(UPDATE, &values).await
    }

    async fn renew(&self, name: &str, held: &Record) -> Result<Record, StoreError> {
        let seen = signed(held.version());
        self.write(RENEW, &[(&name, Type::TEXT), (&seen, Type::INT8)])
            .await
    }

    async fn release(&self, name: &str, held: &Record) -> Result<Record, StoreError> {
        let seen = signed(held.version());
        self.write(RELEASE, &[(&name, Type::TEXT), (&seen, Type::INT8)])
            .await
    }

    async fn forget(&self, name: &str, seen: &Record) -> Result<(), StoreError> {
        let version = signed(seen.version());
        self.rows(&forget(), &[(&name, Type::TEXT), (&version, Type::INT8)])
            .await
            .map(drop)
    }

    async fn list(&self, prefix: &str) -> Result<Vec<(String, Record)>, StoreError> {
        let rows = self.rows(LIST, &[(&prefix, Type::TEXT)]).await?;
        let named = |row: &Row| {
            let name = row.try_get("name").map_err(StoreError::unavailable)?;
            Ok((name, record(row)?))
        };
        rows.iter().map(named).collect()
    }

    /// By what the server tells, once it was looked since when it tells.
    async fn changed(&self, name: &str, seen: &Version) -> Result<Option<Record>, StoreError> {
        if !self.hub.can_listen() {
            return std::future::pending().await;
        }
        let listener = self.hub.listener(&*self.connect).await?;
        let heard = listener.heard();
        let mut changes = heard.follow(name);
        let known = match heard.known(name) {
            Some(known) => known,
            None => {
                let now = self.read(name).await?;
                heard.note(name, &now);
                now
            }
        };
        // A version older than the one seen says nothing. A newer one is told once, for somebody may have set the row back by hand.
        if signed(known.version()) > signed(seen) {
            heard.forget(name, known.version());
            return Ok(Some(known));
        }
        loop {
            match changes.recv().await {
                Ok(record) if record.version() != seen => return Ok(Some(record)),
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => return Ok(None),
                Err(RecvError::Closed) => {
                    return Err(StoreError::unavailable(
                        "the connection that listens is gone",
                    ));
                }
            }
        }
    }

    async fn watch(&self, prefix: &str, tell: impl Fn(Change) + Send + Sync) -> StoreError {
        if !self.hub.can_listen() {
            return StoreError::refused("the server does not tell of changes through a pooler");
        }
        let listener = match self.hub.listener(&*self.connect).await {
            Ok(listener) => listener,
            Err(error) => return error,
        };
        let mut changes = listener.heard().subscribe();
        tell(Change::Began);
        loop {
            match changes.recv().await {
                Ok(Some((name, record))) if name.starts_with(prefix) => {
                    tell(Change::Record(name, record));
                }
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => {
                    return StoreError::unavailable("the connection that listens is gone");
                }
            }
        }
    }

    fn notifies(&self) -> bool {
        self.hub.can_listen()
    }
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").finish_non_exhaustive()
    }
}
