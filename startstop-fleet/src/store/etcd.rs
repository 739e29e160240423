//! `Etcd`: leases as keys of etcd, by its JSON gateway.
//!
//! 1. A key is bound to a lease of etcd, which ends it: a key that is gone is free.
//! 2. The fence is the revision that created the key: it outlives the key, and no write into it changes it.
//! 3. A renewal keeps the lease alive, and only then looks at the key: a key that was deleted by hand has left its lease alive.
//! 4. All writes are transactions that compare first.
//! 5. Those who were told that a key is gone ask for one and the same lease to bind it to. Whoever gets it puts the key; of a thousand
//!    who want it the others cost one request each.

mod request;
mod kv;
mod lease;
mod endpoint;
mod login;
mod watch;
mod api;

use std::time::Duration;

use serde_json::{Value, json};

use self::api::EtcdApi;
use self::kv::{Kv, is_beside, parts, record, version};
use self::lease::EtcdLease;
use self::login::Login;
use self::request::{absent, created, encode, modified};
use self::watch::Watch;
use super::kept::Kept;
use super::{Change, Claim, LeaseStore, StoreError};
use crate::record::{Record, Version};

/// A store in etcd 3.4 or later.
///
/// It speaks the JSON gateway of etcd, which listens where etcd listens for clients. For `https`, turn on a TLS feature of `reqwest`
/// in your own manifest, or hand over a client with [`with_client`](Self::with_client).
///
/// The lease of a key ends by the clock of etcd's leader, in whole seconds, rounded up. etcd gives leases their whole time again when
/// it is restarted or its leader changes: a failover may then take one lease longer.
///
/// # Examples
///
/// ```no_run
/// use startstop_core::service_fn;
/// use startstop_fleet::{Etcd, Leader};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = Etcd::connect(["http://10.0.0.1:2379", "http://10.0.0.2:2379"]).await?;
/// let leader = Leader::new("invoices", store, |_term| service_fn(async |cx| cx.cancelled().await));
/// # drop(leader);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Etcd {
    api: EtcdApi,
    watches: Kept<Watch>,
}

/// The prefix of each name.
const PREFIX: &str = "startstop/";

/// A client of ours.
fn client() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(2))
        // A watch may be silent for long, so only keep-alive shows that the other end is gone.
        .tcp_keepalive(Duration::from_secs(5))
        .tcp_keepalive_interval(Duration::from_secs(5))
        .tcp_keepalive_retries(2)
}

/// How long an endpoint that takes connections may take to answer [`Etcd::connect`], and to begin a watch.
const ANSWER: Duration = Duration::from_secs(3);

impl Etcd {
    /// Connects to etcd by any of its endpoints.
    ///
    /// # Errors
    ///
    /// [`StoreError::Refused`] if there is no endpoint, if what answers is no etcd with this gateway, or if it does not know the
    /// name and the password; [`StoreError::Unavailable`] if none answers.
    ///
    /// # Examples
    ///
    /// See [`Etcd`].
    ///
    /// # Cancel safety
    ///
    /// It changes nothing.
    pub async fn connect<U: Into<String>>(
        endpoints: impl IntoIterator<Item = U>,
    ) -> Result<Self, StoreError> {
        let client = client().build().map_err(StoreError::unavailable)?;
        let mut store = Self::with_client(endpoints, client)?;
        store.api.choose_addresses();
        let status = store.api.any("/v3/maintenance/status", ANSWER).await?;
        if status["header"]["cluster_id"].is_null() {
            return Err(StoreError::refused("what answers is no etcd 3.4 or later"));
        }
        Ok(store)
    }

    /// Uses an HTTP client of one's own, with certificates say. It does not connect yet. Where the name of an endpoint has several
    /// addresses the client chooses; the one of [`connect`](Self::connect) takes another one after a call that was not answered.
    ///
    /// # Errors
    ///
    /// [`StoreError::Refused`] if there is no endpoint, or one is no address.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_fleet::Etcd;
    ///
    /// let client = reqwest::Client::new();
    /// assert!(Etcd::with_client(["http://127.0.0.1:2379"], client.clone()).is_ok());
    /// assert!(Etcd::with_client([""; 0], client).is_err());
    /// ```
    pub fn with_client<U: Into<String>>(
        endpoints: impl IntoIterator<Item = U>,
        client: reqwest::Client,
    ) -> Result<Self, StoreError> {
        let urls = endpoints
            .into_iter()
            .map(|url| endpoint::parse(&url.into()));
        let urls = urls.collect::<Result<Vec<_>, _>>()?;
        let Some((_, user)) = urls.first() else {
            return Err(StoreError::refused("etcd has no endpoint to connect to"));
        };
        let login = user
            .as_ref()
            .map(|(name, password)| Login::new(name, password));
        let endpoints = urls.into_iter().map(|(url, _)| url).collect();
        Ok(Self {
            api: EtcdApi::new(client, endpoints, login),
            watches: Kept::default(),
        })
    }

    /// Says who we are, for an etcd that asks. The endpoints of [`connect`](Self::connect) may say so too:
    /// `http://name:password@10.0.0.1:2379`. One that does not ask is told nothing, and may begin to ask, or cease to, at any time.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_fleet::{Etcd, StoreError};
    ///
    /// # fn store(password: &str) -> Result<Etcd, StoreError> {
    /// let store = Etcd::with_client(["http://127.0.0.1:2379"], reqwest::Client::new())?;
    /// Ok(store.with_user("invoices", password))
    /// # }
    /// # assert!(store("secret").is_ok());
    /// ```
    #[must_use]
    pub fn with_user(mut self, name: &str, password: &str) -> Self {
        self.api.login = Some(Login::new(name, password));
        self
    }

    fn key(name: &str) -> String {
        encode(&format!("{PREFIX}{name}"))
    }

    async fn get(&self, name: &str) -> Result<Option<Kv>, StoreError> {
        let answer = self
            .api
            .call("/v3/kv/range", &json!({ "key": Self::key(name) }))
            .await?;
        Ok(Kv::all(&answer)?.into_iter().next())
    }

    /// Carries `then` out if `compare` holds, and returns the revision of the store.
    async fn txn(&self, compare: Value, then: Value) -> Result<u64, StoreError> {
        let body = json!({ "compare": [compare], "success": [then] });
        let answer = self.api.call("/v3/kv/txn", &body).await?;
        match answer["succeeded"].as_bool() {
            Some(true) => request::number(&answer["header"]["revision"]),
            _ => Err(StoreError::Conflict),
        }
    }

    /// Revokes a lease of etcd; if that fails, the lease runs out by itself.
    async fn revoke(&self, lease: i64) {
        let body = json!({ "ID": lease.to_string() });
        self.api.call("/v3/lease/revoke", &body).await.ok();
    }

    async fn keep_alive(&self, lease: i64) -> Result<(), StoreError> {
        let body = json!({ "ID": lease.to_string() });
        let answer = self.api.call("/v3/lease/keepalive", &body).await?;
        let left = &answer["result"]["TTL"];
        if left.is_null() || request::number(left)? == 0 {
            Err(StoreError::Conflict)
        } else {
            Ok(())
        }
    }

    /// Somebody has written the key anew without our lease: binds it to one again, and leaves the value as it is.
    async fn bind(&self, name: &str, kv: &Kv, lease: i64) -> Result<u64, StoreError> {
        let key = Self::key(name);
        let put = json!({ "key": key, "lease": lease.to_string(), "ignore_value": true });
        self.txn(modified(&key, kv.modified), json!({ "request_put": put }))
            .await
    }
}

impl LeaseStore for Etcd {
    /// A transaction whose condition never holds: etcd looks at the rights for all of it nevertheless.
    async fn check(&self, name: &str) -> Result<(), StoreError> {
        super::name::check(name)?;
        let key = Self::key(name);
        let put = json!({ "request_put": { "key": key, "value": encode("never") } });
        match self.txn(modified(&key, i64::MAX as u64), put).await {
            Err(StoreError::Conflict) | Ok(_) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn read(&self, name: &str) -> Result<Record, StoreError> {
        Ok(record(self.get(name).await?.as_ref()))
    }

    async fn take(
        &self,
        name: &str,
        claim: &Claim,
        expected: &Version,
    ) -> Result<Record, StoreError> {
        let key = Self::key(name);
        if let Some((seen, _)) = parts(expected) {
            // The fence is the revision that created the key, so a new fence needs a new key.
            let delete = json!({ "request_delete_range": { "key": key } });
            self.txn(modified(&key, seen), delete).await?;
        }
        let ours = self.lease_for(name, claim, expected).await?;
        let mark = ours.mark();
        let put = json!({
            "key": key, "lease": ours.id().to_string(), "value": encode(&format!("{mark}{}", claim.holder())),
        });
        match self.txn(absent(&key), json!({ "request_put": put })).await {
            Ok(revision) => {
                self.watches.close(name);
                let version = version(revision, ours.id(), mark);
                Ok(Record::held(claim.holder(), revision, version))
            }
            Err(error) => {
                if let (StoreError::Conflict, EtcdLease::Own(lease)) = (&error, ours) {
                    self.revoke(lease).await;
                }
                Err(error)
            }
        }
    }

    async fn renew(&self, name: &str, held: &Record) -> Result<Record, StoreError> {
        let (_, lease) = parts(held.version()).ok_or(StoreError::Conflict)?;
        let kept = match lease {
            0 => Err(StoreError::Conflict),
            lease => self.keep_alive(lease).await,
        };
        let kv = self
            .get(name)
            .await?
            .filter(|kv| kv.created == held.fence());
        let ours = |kv: &Kv| record(Some(kv)).holder() == held.holder();
        let kv = kv.filter(ours).ok_or(StoreError::Conflict)?;
        match (kv.lease, kept) {
            (bound, Ok(())) if bound == lease => Ok(record(Some(&kv))),
            (0, Ok(())) => {
                let revision = self.bind(name, &kv, lease).await?;
                Ok(record(Some(&Kv {
                    lease,
                    modified: revision,
                    ..kv
                })))
            }
            (_, kept) => kept.and(Err(StoreError::Conflict)),
        }
    }

    async fn release(&self, name: &str, held: &Record) -> Result<Record, StoreError> {
        let (_, lease) = parts(held.version()).ok_or(StoreError::Conflict)?;
        let key = Self::key(name);
        let delete = json!({ "request_delete_range": { "key": key } });
        self.txn(created(&key, held.fence()), delete).await?;
        // Records under the same lease go with it.
        if lease != 0 && !is_beside(held.version()) {
            self.revoke(lease).await;
        }
        Ok(Record::free(Version::absent()))
    }

    async fn list(&self, prefix: &str) -> Result<Vec<(String, Record)>, StoreError> {
        let (from, to) = request::range(&format!("{PREFIX}{prefix}"));
        let body = json!({ "key": from, "range_end": to });
        let answer = self.api.call("/v3/kv/range", &body).await?;
        let named = |kv: &Kv| Some((kv.key.strip_prefix(PREFIX)?.to_owned(), record(Some(kv))));
        Ok(Kv::all(&answer)?.iter().filter_map(named).collect())
    }

    /// By a watch of etcd, which begins before the record is read again, so that nothing is missed between the two, and is kept.
    async fn changed(&self, name: &str, seen: &Version) -> Result<Option<Record>, StoreError> {
        let watch = match self.watches.take(name, seen) {
            Some(watch) => watch,
            None => {
                self.api
                    .watch(json!({ "key": Self::key(name) }), ANSWER)
                    .await?
            }
        };
        let is_new = watch.is_new();
        let mut lent = self.watches.lend(name, seen, watch);
        if is_new {
            let now = self.read(name).await?;
            lent.watch().was_compared();
            if now.version() != seen {
                lent.told(now.version());
                return Ok(Some(now));
            }
        }
        loop {
            match lent.watch().next().await {
                Ok(told) => {
                    let now = record(lent.watch().newest(told).await?.kv.as_ref());
                    if now.version() != lent.version() {
                        lent.told(now.version());
                        return Ok(Some(now));
                    }
                }
                Err(error) => {
                    lent.fail();
                    return Err(error);
                }
            }
        }
    }

    async fn watch(&self, prefix: &str, tell: impl Fn(Change) + Send + Sync) -> StoreError {
        let (from, to) = request::range(&format!("{PREFIX}{prefix}"));
        let mut watch = match self
            .api
            .watch(json!({ "key": from, "range_end": to }), ANSWER)
            .await
        {
            Ok(watch) => watch,
            Err(error) => return error,
        };
        tell(Change::Began);
        loop {
            match watch.next().await {
                Ok(told) => {
                    if let Some(name) = told.key.strip_prefix(PREFIX) {
                        tell(Change::Record(name.to_owned(), record(told.kv.as_ref())));
                    }
                }
                Err(error) => return error,
            }
        }
    }

    fn notifies(&self) -> bool {
        true
    }
}
