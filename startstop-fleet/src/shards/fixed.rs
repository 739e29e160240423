//! Shards that are shared out by numbers alone: for a `StatefulSet`, whose pods have one each.

use std::time::Duration;

use startstop_core::__private::{Identity, Owner, Parts, Spans};
use startstop_core::{
    BoxError, Context, Group, GroupError, Member, Permanent, Readiness, Service, Settings, Status,
};
use thiserror::Error;

use super::Shards;
use crate::store::Memory;

/// Every `of`-th of `count` services, from `ordinal` on; see [`Shards::fixed`].
#[derive(Debug)]
pub struct FixedShards {
    name: String,
    group: Result<Group, ShardsError>,
}

/// Why fixed shards cannot be.
///
/// # Examples
///
/// ```
/// use startstop_core::{Runner, service_fn};
/// use startstop_fleet::Shards;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let idle = |_shard| service_fn(async |cx| cx.cancelled().await);
/// let runner = Runner::new(Shards::fixed("orders", 64, 3, 3, idle));
/// let error = runner.start().await.unwrap_err();
/// assert!(format!("{error:?}").contains("ordinal 3 is none of 3: they count from 0"));
/// # }
/// ```
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum ShardsError {
    /// The ordinal is too great.
    #[error("ordinal {ordinal} is none of {of}: they count from 0")]
    #[non_exhaustive]
    Ordinal {
        /// The ordinal.
        ordinal: u32,
        /// How many processes there are.
        of: u32,
    },
    /// They are no group.
    #[error("the shards are no group")]
    Group(#[source] GroupError),
}

/// The store is not used: it only tells which `fixed` is meant.
impl<S: Service> Shards<S, Memory> {
    /// Makes a group of every `of`-th of `count` services, from `ordinal` on, without any store: where something else sees to it that
    /// each ordinal is there once, as a `StatefulSet` of Kubernetes does.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, service_fn};
    /// use startstop_fleet::Shards;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let idle = |_shard| service_fn(async |cx| cx.cancelled().await);
    /// let runner = Runner::new(Shards::fixed("orders", 64, 1, 3, idle)); // 1, 4, 7 …
    /// runner.start().await.unwrap();
    /// assert_eq!(runner.status().children().len(), 21);
    /// runner.stop().await.unwrap();
    /// # }
    /// ```
    pub fn fixed(
        name: impl Into<String>,
        count: u32,
        ordinal: u32,
        of: u32,
        make: impl Fn(u32) -> S,
    ) -> FixedShards {
        let name = name.into();
        if ordinal >= of {
            return FixedShards {
                name,
                group: Err(ShardsError::Ordinal { ordinal, of }),
            };
        }
        let shards = (ordinal..count).step_by(of as usize);
        let builder = shards.fold(Group::builder(name.clone()), |builder, shard| {
            builder.with(shard.to_string(), Member::new(make(shard)))
        });
        let group = builder.build().map_err(ShardsError::Group);
        FixedShards { name, group }
    }
}

impl FixedShards {
    fn group(&self) -> Option<&Group> {
        self.group.as_ref().ok()
    }
}

impl Service for FixedShards {
    type Error = BoxError;

    async fn run(&self, cx: Context) -> Result<(), BoxError> {
        match &self.group {
            Ok(group) => group.run(cx).await,
            Err(error) => Err(Permanent::new(error.clone()).into()),
        }
    }

    async fn shutdown(&self, cx: Context) -> Result<(), BoxError> {
        match self.group() {
            Some(group) => group.shutdown(cx).await,
            None => Ok(()),
        }
    }

    fn settings(&self) -> Settings {
        // Wrong numbers fail the start; explicit readiness makes the start wait for that.
        let failing = || Settings::new().readiness(Readiness::Explicit);
        let settings = self.group().map_or_else(failing, Service::settings);
        settings.name(self.name.clone())
    }

    fn children(&self) -> Vec<Status> {
        self.group().map_or_else(Vec::new, Service::children)
    }

    fn grace(&self) -> Option<Duration> {
        self.group().and_then(Service::grace)
    }

    // Everything that is asked of a composite goes to the group.
    fn __grace(&self, parts: Spans<'_>) -> Option<Duration> {
        self.group().and_then(|group| group.__grace(parts))
    }

    fn __is_owner(&self) -> bool {
        self.group().is_some_and(Service::__is_owner)
    }

    fn __identity(&self) -> Option<Identity> {
        self.group().and_then(Service::__identity)
    }

    fn __parts(&self) -> Parts {
        self.group().map_or_else(Parts::default, Service::__parts)
    }

    fn __bind(&self, whole: Owner) {
        if let Some(group) = self.group() {
            group.__bind(whole);
        }
    }
}
