//! The fence of each term is greater than all before.

use super::{Seen, Stage, expect};
use crate::store::LeaseStore;

pub(super) async fn grow<L: LeaseStore>(stage: &Stage<'_, L>) -> Result<(), Seen> {
    let mut last = 0;
    for holder in ["a", "b", "a", "c"] {
        let held = stage.held(holder).await?;
        let fence = held.fence();
        expect((fence > last).then_some(()), || {
            format!("{fence} after {last}")
        })?;
        let fits = i64::try_from(fence).is_ok();
        expect(fits.then_some(()), || {
            format!("{fence} is greater than i64::MAX")
        })?;
        last = fence;
        let renewed = stage.one.renew(&stage.name, &held).await?;
        stage.one.release(&stage.name, &renewed).await?;
    }
    Ok(())
}
