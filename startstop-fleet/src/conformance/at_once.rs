//! Checks with many callers at once.

use std::future::{Future, ready};
use std::pin::pin;

use super::{Seen, Stage, claim, expect, same};
use crate::record::{Record, Version};
use crate::store::{LeaseStore, StoreError};

pub(super) async fn takes<L: LeaseStore>(stage: &Stage<'_, L>) -> Result<(), Seen> {
    for _ in 0..10 {
        let expected = stage.read().await?.version().clone();
        let take = |store, holder| take(stage, store, holder, &expected);
        let (a, b, c, d) = tokio::join!(
            take(stage.one, "a"),
            take(stage.two, "b"),
            take(stage.one, "c"),
            take(stage.two, "d"),
        );
        let all = [a, b, c, d];
        let text = format!("{all:?}");
        let others = all
            .iter()
            .filter(|result| matches!(result, Err(StoreError::Conflict)));
        let others = others.count();
        let mut winners = all.into_iter().filter_map(Result::ok);
        let (Some(winner), None, 3) = (winners.next(), winners.next(), others) else {
            return Err(Seen(text));
        };
        same(&stage.read().await?, &winner)?;
        stage.one.release(&stage.name, &winner).await?;
    }
    Ok(())
}

async fn take<L: LeaseStore>(
    stage: &Stage<'_, L>,
    store: &L,
    holder: &str,
    expected: &Version,
) -> Result<Record, StoreError> {
    store.take(&stage.name, &claim(holder), expected).await
}

/// Either of them may win; but what is there afterwards is what the last winner was given.
pub(super) async fn renewal_and_take<L: LeaseStore>(stage: &Stage<'_, L>) -> Result<(), Seen> {
    for _ in 0..10 {
        let held = stage.held("a").await?;
        let (renewed, taken) = tokio::join!(
            stage.one.renew(&stage.name, &held),
            take(stage, stage.two, "b", held.version()),
        );
        let now = stage.read().await?;
        match (renewed, taken) {
            (_, Ok(taken)) => same(&now, &taken)?,
            (Ok(renewed), Err(StoreError::Conflict)) => same(&now, &renewed)?,
            other => return Err(Seen(format!("{other:?}"))),
        }
        stage.one.release(&stage.name, &now).await?;
    }
    Ok(())
}

pub(super) async fn given_up<L: LeaseStore>(stage: &Stage<'_, L>) -> Result<(), Seen> {
    let before = stage.read().await?;
    for _ in 0..10 {
        let claim = claim("dropped");
        give_up(stage.one.take(&stage.name, &claim, before.version())).await;
        give_up(stage.one.read(&stage.name)).await;
    }
    // A take that was given up may take effect now, later or never.
    for _ in 0..100 {
        let seen = stage.read().await?;
        if let Ok(held) = stage.take("a", seen.version()).await {
            expect((held.holder() == Some("a")).then_some(()), || {
                format!("{held:?}")
            })?;
            return same(&stage.read().await?, &held);
        }
    }
    Err(Seen("it cannot be taken any more".to_owned()))
}

/// Polls it once.
async fn give_up<F: Future>(call: F) {
    let call = pin!(call);
    tokio::select! {
        biased;
        _ = call => {}
        () = ready(()) => {}
    }
}
