//! `Kubernetes`: leases of `coordination.k8s.io/v1`.
//!
//! 1. Every write bears the uid *and* the resource version of what was seen: without the uid one that was deleted comes back, and a
//!    merge patch compares nothing.
//! 2. What is not known is kept: an object is written as it was read, but for what is ours.
//! 3. A renewal changes `renewTime`, for a write without a change is none. Nobody compares that time with a clock.
//! 4. A lease is released by an empty holder, so that its transitions go on.

mod api;
mod clients;
mod object;
mod token;

use std::fmt;

use futures_util::StreamExt;
use kube::core::WatchEvent;

use self::api::{Api, LeaseEvent, LeaseWatch};
use self::clients::Clients;
use self::object::{Lease, check_namespace, rename};
use self::token::TokenFile;
use super::kept::Kept;
use super::{Change, Claim, LeaseStore, StoreError};
use crate::record::{Record, Version};

/// A store in the API of a Kubernetes cluster.
///
/// It needs the verbs `get`, `list`, `watch`, `create` and `update` on `leases` of its namespace: `docs/fleet.md` has a role
/// for it. A slash in the name of a lease is a dot in that of the object; other than that a name has lower-case letters, digits and
/// dashes.
///
/// The fence is made of the second in which the object was created, and of its transitions: one that is deleted and made again
/// within the same second, or by another server of the cluster whose clock is behind, may repeat a fence. Lease times are whole
/// seconds, rounded up.
///
/// # Examples
///
/// ```no_run
/// use startstop_core::service_fn;
/// use startstop_fleet::{Kubernetes, Leader};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = Kubernetes::connect().await?; // inside a pod, or by KUBECONFIG
/// let leader = Leader::new("invoices", store, |_term| service_fn(async |cx| cx.cancelled().await));
/// # drop(leader);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Kubernetes {
    api: Api,
    watches: Kept<LeaseWatch>,
}

impl Kubernetes {
    /// Connects as `kubectl` does: by the service account of the pod, or by `KUBECONFIG`; in the namespace that says.
    ///
    /// # Errors
    ///
    /// [`StoreError::Refused`] if there is neither.
    ///
    /// # Examples
    ///
    /// See [`Kubernetes`].
    ///
    /// # Cancel safety
    ///
    /// It changes nothing.
    pub async fn connect() -> Result<Self, StoreError> {
        let none = |error| StoreError::refused(format!("no cluster: {error}"));
        Self::with_config(kube::Config::infer().await.map_err(none)?)
    }

    /// Connects by a configuration of one's own, in its default namespace. A token file is read for each request, whatever stands
    /// behind the token; what it said last goes on where it cannot be read. The certificate of the authority is read once. Where the name of the server has several addresses, a call that was not answered is followed by one to
    /// another address, unless there is a proxy.
    ///
    /// # Errors
    ///
    /// [`StoreError::Refused`] if it is not one to connect with.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn connect() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut config = kube::Config::infer().await?;
    /// config.default_namespace = "billing".to_owned();
    /// let store = startstop_fleet::Kubernetes::with_config(config)?;
    /// # drop(store);
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_config(mut config: kube::Config) -> Result<Self, StoreError> {
        let token_file = config.auth_info.token_file.take();
        if token_file.is_some() {
            // As with `kubectl` the file comes before whatever else gives a token.
            (config.auth_info.token, config.auth_info.exec) = (None, None);
        }
        let namespace = config.default_namespace.clone();
        let clients = Clients::from_config(config);
        let clients =
            clients.map_err(|error| StoreError::refused(format!("no cluster: {error}")))?;
        let token_file = token_file.map(TokenFile::at);
        Ok(Self::with(Api::new(clients, &namespace, token_file)))
    }

    /// Uses a client of one's own, in a namespace. It works on the runtime that it was made on, and no longer than that.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn connect() -> Result<(), kube::Error> {
    /// let client = kube::Client::try_default().await?;
    /// let store = startstop_fleet::Kubernetes::with_client(client, "billing");
    /// # drop(store);
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_client(client: kube::Client, namespace: impl Into<String>) -> Self {
        Self::with(Api::new(Clients::of(client), &namespace.into(), None))
    }

    fn with(api: Api) -> Self {
        let watches = Kept::default();
        Self { api, watches }
    }

    /// Returns the record of an event and the lease that it is of; nothing if it is only a bookmark.
    fn told(&self, event: LeaseEvent) -> Result<Option<(String, Record)>, StoreError> {
        match event {
            WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                let lease = Lease(object);
                let record = lease.record();
                let name = lease.name();
                self.api.remember(&lease.object_name(), lease);
                Ok(Some((name, record)))
            }
            WatchEvent::Deleted(object) => {
                let lease = Lease(object);
                self.api.forget(&lease.object_name());
                Ok(Some((lease.name(), Record::free(Version::absent()))))
            }
            WatchEvent::Bookmark(_) => Ok(None),
            WatchEvent::Error(error) => Err(api::said(kube::Error::Api(error))),
        }
    }
}

impl LeaseStore for Kubernetes {
    /// Tries each verb, without any effect.
    async fn check(&self, name: &str) -> Result<(), StoreError> {
        let object = rename(name)?;
        check_namespace(&self.api.namespace)?;
        self.api.get(&object).await?;
        self.api.try_create(&object).await?;
        self.api.try_update(&object).await?;
        self.api.try_watch(&object).await
    }

    async fn read(&self, name: &str) -> Result<Record, StoreError> {
        let lease = self.api.get(&rename(name)?).await?;
        Ok(lease.map_or_else(|| Record::free(Version::absent()), |lease| lease.record()))
    }

    async fn take(
        &self,
        name: &str,
        claim: &Claim,
        expected: &Version,
    ) -> Result<Record, StoreError> {
        let name = rename(name)?;
        let taken = if expected.is_absent() {
            self.api.create(Lease::new(&name, claim)).await?
        } else {
            let mut lease = self.api.seen(&name, expected).await?;
            lease.take(claim)?;
            self.api.update(&name, lease).await?
        };
        self.watches.close(&name);
        Ok(taken.record())
    }

    async fn renew(&self, name: &str, held: &Record) -> Result<Record, StoreError> {
        let name = rename(name)?;
        let mut lease = self.api.seen(&name, held.version()).await?;
        if lease.record().holder() != held.holder() {
            return Err(StoreError::Conflict);
        }
        lease.renew();
        Ok(self.api.update(&name, lease).await?.record())
    }

    async fn release(&self, name: &str, held: &Record) -> Result<Record, StoreError> {
        let name = rename(name)?;
        let mut lease = self.api.seen(&name, held.version()).await?;
        if lease.record().holder() != held.holder() {
            return Err(StoreError::Conflict);
        }
        lease.release();
        Ok(self.api.update(&name, lease).await?.record())
    }

    async fn forget(&self, name: &str, seen: &Record) -> Result<(), StoreError> {
        let Some(version) = seen.is_free().then_some(seen.version()) else {
            return Ok(());
        };
        self.api.delete(&rename(name)?, version).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<(String, Record)>, StoreError> {
        let mut all: Vec<(String, Record)> = self
            .api
            .list()
            .await?
            .iter()
            .map(|lease| (lease.name(), lease.record()))
            .collect();
        all.retain(|(name, _)| name.starts_with(prefix));
        all.sort_by(|one, other| one.0.cmp(&other.0));
        Ok(all)
    }

    /// By a watch from the version on that was seen, which is kept over all changes.
    async fn changed(&self, name: &str, seen: &Version) -> Result<Option<Record>, StoreError> {
        let name = rename(name)?;
        let watch = match self.watches.take(&name, seen) {
            Some(watch) => watch,
            None => self.api.watch(&name, seen).await?,
        };
        let mut lent = self.watches.lend(&name, seen, watch);
        while let Some(event) = lent.watch().next().await {
            let told = event.map_err(api::said).and_then(|event| self.told(event));
            match told {
                Ok(Some((_, record))) if record.version() != seen => {
                    lent.told(record.version());
                    return Ok(Some(record));
                }
                Ok(_) => {}
                Err(error) => {
                    lent.fail();
                    return Err(error);
                }
            }
        }
        // The server ends each watch after a while. The next look finds what has changed meanwhile.
        lent.fail();
        Ok(None)
    }

    async fn watch(&self, prefix: &str, tell: impl Fn(Change) + Send + Sync) -> StoreError {
        let mut watch = match self.api.watch_all().await {
            Ok(watch) => watch,
            Err(error) => return error,
        };
        tell(Change::Began);
        while let Some(event) = watch.next().await {
            match event.map_err(api::said).and_then(|event| self.told(event)) {
                Ok(Some((name, record))) if name.starts_with(prefix) => {
                    tell(Change::Record(name, record));
                }
                Ok(_) => {}
                Err(error) => return error,
            }
        }
        StoreError::unavailable("the server has ended the watch")
    }

    fn notifies(&self) -> bool {
        true
    }
}

impl fmt::Debug for Kubernetes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kubernetes")
            .field("namespace", &self.api.namespace)
            .finish_non_exhaustive()
    }
}
