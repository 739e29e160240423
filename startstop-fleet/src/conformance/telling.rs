//! Names, lists, and what is told of a change.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::{Seen, Stage, claim, expect, free, same};
use crate::store::LeaseStore;

/// How long a store that notifies may take, on a busy machine.
const SOON: Duration = Duration::from_secs(30);

pub(super) async fn names<L: LeaseStore>(stage: &Stage<'_, L>) -> Result<(), Seen> {
    let held = stage.held("a").await?;
    for other in [format!("{}2", stage.name), format!("{}/x", stage.name)] {
        free(&stage.one.read(&other).await?)?;
    }
    same(&stage.read().await?, &held)
}

pub(super) async fn list<L: LeaseStore>(stage: &Stage<'_, L>) -> Result<(), Seen> {
    let names = ["a", "b", "c"].map(|end| format!("{}/{end}", stage.name));
    let mut held = Vec::new();
    for name in &names {
        let seen = stage.one.read(name).await?;
        held.push(stage.one.take(name, &claim("a"), seen.version()).await?);
    }
    let all = stage.two.list(&format!("{}/", stage.name)).await?;
    let all: Vec<_> = all
        .into_iter()
        .filter(|(_, record)| !record.is_free())
        .collect();
    let wanted: Vec<_> = names.iter().cloned().zip(held.iter().cloned()).collect();
    expect((all == wanted).then_some(()), || format!("{all:?}"))?;
    let one = stage.two.list(&names[1]).await?;
    let one: Vec<_> = one
        .into_iter()
        .filter(|(_, record)| !record.is_free())
        .collect();
    expect((one == wanted[1..2]).then_some(()), || format!("{one:?}"))?;
    for (name, held) in names.iter().zip(&held) {
        stage.one.release(name, held).await?;
    }
    Ok(())
}

pub(super) async fn changed_before<L: LeaseStore>(stage: &Stage<'_, L>) -> Result<(), Seen> {
    if !stage.two.notifies() {
        return Ok(());
    }
    let before = stage.read().await?;
    stage.take("a", before.version()).await?;
    let told = timeout(SOON, stage.two.changed(&stage.name, before.version())).await;
    match told {
        Ok(Ok(None)) => Ok(()),
        Ok(Ok(Some(record))) => same(&record, &stage.read().await?),
        Ok(Err(error)) => Err(error.into()),
        Err(_) => Err(Seen(format!("nothing within {SOON:?}"))),
    }
}

pub(super) async fn changed_while<L: LeaseStore>(stage: &Stage<'_, L>) -> Result<(), Seen> {
    if !stage.two.notifies() {
        return Ok(());
    }
    let held = stage.held("a").await?;
    let release = async {
        sleep(Duration::from_millis(200)).await;
        stage.one.release(&stage.name, &held).await
    };
    // A hint may come too early, so ask until the record is right.
    let told = async {
        loop {
            if let Some(record) = stage.two.changed(&stage.name, held.version()).await? {
                return free(&record);
            }
            if stage.read().await?.is_free() {
                return Ok(());
            }
        }
    };
    let (told, released) = tokio::join!(timeout(SOON, told), release);
    released?;
    told.unwrap_or_else(|_| Err(Seen(format!("nothing within {SOON:?}"))))
}
