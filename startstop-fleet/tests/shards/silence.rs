//! A watch that is open and tells nothing.

use std::sync::Arc;

use startstop_fleet::Memory;

use super::{Work, process, quiet};
use crate::support::Cable;

#[tokio::test]
async fn a_watch_that_tells_nothing_any_more_is_made_anew() {
    let (store, work) = (Memory::new(), Arc::new(Work::default()));
    let cable = Cable::new(&store);
    let a = process(cable.clone(), &work).await;
    let b = process(Cable::new(&store), &work).await;
    quiet(&[&a, &b]).await;
    cable.mute();
    b.stop().await.unwrap();
    quiet(&[&a]).await;
    a.stop().await.unwrap();
    work.assert_sound();
}
