//! Checks with one replica after the other.

use std::time::Duration;

use super::{LEASE, Seen, Stage, claim, conflict, expect, free, same};
use crate::store::{Claim, LeaseStore, StoreError};

pub(super) async fn missing_is_free<L: LeaseStore>(stage: &Stage<'_, L>) -> Result<(), Seen> {
    stage.one.check(&stage.name).await?;
    free(&stage.read().await?)
}

pub(super) async fn taken_is_read<L: LeaseStore>(stage: &Stage<'_, L>) -> Result<(), Seen> {
    let held = stage.held("a").await?;
    let right = held.holder() == Some("a") && held.fence() > 0;
    expect(right.then_some(()), || format!("{held:?}"))?;
    same(&stage.read().await?, &held)
}

/// Units that a store counts in are rounded up.
pub(super) async fn lasts<L: LeaseStore>(stage: &Stage<'_, L>) -> Result<(), Seen> {
    let claimed = LEASE + Duration::from_nanos(1);
    let free = stage.read().await?;
    let claim = Claim::new("a", claimed);
    let held = stage.one.take(&stage.name, &claim, free.version()).await?;
    let lasts = held.lease().is_none_or(|lease| lease >= claimed);
    expect(lasts.then_some(()), || format!("{held:?}, not {claimed:?}"))?;
    same(&stage.read().await?, &held)
}

pub(super) async fn renewal_keeps<L: LeaseStore>(stage: &Stage<'_, L>) -> Result<(), Seen> {
    let held = stage.held("a").await?;
    let mut renewed = held.clone();
    for _ in 0..3 {
        renewed = stage.one.renew(&stage.name, &renewed).await?;
        same(&renewed.clone().at_version(held.version().clone()), &held)?;
        same(&stage.read().await?, &renewed)?;
    }
    Ok(())
}

pub(super) async fn renewal_changes<L: LeaseStore>(stage: &Stage<'_, L>) -> Result<(), Seen> {
    let held = stage.held("a").await?;
    if held.lease().is_none() {
        return Ok(());
    }
    let renewed = stage.one.renew(&stage.name, &held).await?;
    let changed = renewed.version() != held.version();
    expect(changed.then_some(()), || {
        format!("{:?} stays", held.version())
    })?;
    conflict(stage.one.renew(&stage.name, &held).await)?;
    same(&stage.read().await?, &renewed)
}

pub(super) async fn released_is_free<L: LeaseStore>(stage: &Stage<'_, L>) -> Result<(), Seen> {
    let held = stage.held("a").await?;
    free(&stage.one.release(&stage.name, &held).await?)?;
    free(&stage.read().await?)
}

pub(super) async fn released_is_over<L: LeaseStore>(stage: &Stage<'_, L>) -> Result<(), Seen> {
    let held = stage.held("a").await?;
    stage.one.release(&stage.name, &held).await?;
    conflict(stage.one.renew(&stage.name, &held).await)?;
    conflict(stage.one.release(&stage.name, &held).await)?;
    let next = stage.held("b").await?;
    conflict(stage.one.renew(&stage.name, &held).await)?;
    conflict(stage.one.release(&stage.name, &held).await)?;
    same(&stage.read().await?, &next)
}

pub(super) async fn stale_take<L: LeaseStore>(stage: &Stage<'_, L>) -> Result<(), Seen> {
    let before = stage.read().await?;
    let held = stage.take("a", before.version()).await?;
    conflict(
        stage
            .two
            .take(&stage.name, &claim("b"), before.version())
            .await,
    )?;
    same(&stage.read().await?, &held)
}

pub(super) async fn taken_over<L: LeaseStore>(stage: &Stage<'_, L>) -> Result<(), Seen> {
    let held = stage.held("a").await?;
    let seen = stage.read().await?;
    let over = stage
        .two
        .take(&stage.name, &claim("b"), seen.version())
        .await?;
    conflict(stage.one.renew(&stage.name, &held).await)?;
    conflict(stage.one.release(&stage.name, &held).await)?;
    same(&stage.read().await?, &over)
}

pub(super) async fn taken_again<L: LeaseStore>(stage: &Stage<'_, L>) -> Result<(), Seen> {
    let held = stage.held("a").await?;
    let again = stage.take("a", held.version()).await?;
    let right = again.fence() > held.fence() && again.holder() == Some("a");
    expect(right.then_some(()), || format!("{again:?} after {held:?}"))?;
    conflict(stage.one.renew(&stage.name, &held).await)?;
    same(&stage.read().await?, &again)
}

pub(super) async fn forgotten<L: LeaseStore>(stage: &Stage<'_, L>) -> Result<(), Seen> {
    let held = stage.held("a").await?;
    stage.two.forget(&stage.name, &held).await.ok();
    same(&stage.read().await?, &held)?;
    let released = stage.one.release(&stage.name, &held).await?;
    let again = stage.take("b", released.version()).await?;
    stage.two.forget(&stage.name, &released).await.ok();
    same(&stage.read().await?, &again)?;
    let released = stage.one.release(&stage.name, &again).await?;
    match stage.two.forget(&stage.name, &released).await {
        // The credentials need not allow a delete.
        Ok(()) | Err(StoreError::Refused(_)) => free(&stage.read().await?),
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn no_name<L: LeaseStore>(stage: &Stage<'_, L>) -> Result<(), Seen> {
    match stage.one.check("").await {
        Err(StoreError::Refused(_)) => Ok(()),
        other => Err(Seen(format!("{other:?}"))),
    }
}
