//! Checks of a watch.

use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;

use super::{Seen, Stage, claim, expect};
use crate::record::Record;
use crate::store::{Change, LeaseStore, StoreError};

/// How long a store may take, on a busy machine.
const SOON: Duration = Duration::from_secs(30);

/// A store that refuses to watch is listed instead. What was written right after the beginning may be told as what there is.
pub(super) async fn tells<L: LeaseStore>(stage: &Stage<'_, L>) -> Result<(), Seen> {
    let (send, told) = unbounded_channel();
    let prefix = format!("{}/", stage.name);
    let watch = stage
        .two
        .watch(&prefix, move |change| drop(send.send(change)));
    tokio::select! {
        biased;
        error = watch => match error {
            StoreError::Refused(_) => Ok(()),
            error => Err(error.into()),
        },
        told = timeout(SOON, write(stage, told)) => {
            told.unwrap_or_else(|_| Err(Seen(format!("not all of it within {SOON:?}"))))
        }
    }
}

async fn write<L: LeaseStore>(
    stage: &Stage<'_, L>,
    mut told: UnboundedReceiver<Change>,
) -> Result<(), Seen> {
    let first = told.recv().await;
    expect((first == Some(Change::Began)).then_some(()), || {
        format!("{first:?} came first")
    })?;
    let (inside, outside) = (format!("{}/a", stage.name), format!("{}-a", stage.name));
    let mut written = Vec::new();
    for name in [&outside, &inside] {
        let seen = stage.one.read(name).await?;
        let held = stage.one.take(name, &claim("a"), seen.version()).await?;
        let released = stage.one.release(name, &held).await?;
        written = vec![held, released];
    }
    let seen = stage.one.read(&inside).await?;
    let last = stage.one.take(&inside, &claim("b"), seen.version()).await?;
    written.push(last.clone());
    let mut left = written.into_iter();
    loop {
        let found = next(&mut told, &inside).await?;
        // A free record may be told with another version.
        let same = |wanted: Record| found == wanted || (found.is_free() && wanted.is_free());
        expect(left.any(same).then_some(()), || {
            format!("{found:?}, out of turn")
        })?;
        if found == last {
            break;
        }
    }
    stage.one.release(&inside, &last).await?;
    Ok(())
}

async fn next(told: &mut UnboundedReceiver<Change>, name: &str) -> Result<Record, Seen> {
    match told.recv().await {
        Some(Change::Record(found, record)) if found == name => Ok(record),
        other => Err(Seen(format!("{other:?}, not {name}"))),
    }
}
