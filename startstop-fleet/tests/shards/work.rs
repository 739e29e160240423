//! Which services of shards work, and whether two of one shard ever did.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// Which services work now, by their shard, with the greatest fence so far.
#[derive(Default)]
pub(super) struct Work {
    pub(super) now: Mutex<HashMap<u32, u64>>,
    wrong: Mutex<Vec<String>>,
}

impl Work {
    /// It works until what this returns is dropped.
    pub(super) fn begin(self: &Arc<Self>, shard: u32, fence: u64) -> Working {
        if let Some(other) = self.now.lock().unwrap().insert(shard, fence) {
            self.wrong
                .lock()
                .unwrap()
                .push(format!("{shard}: {fence} beside {other}"));
        }
        Working(self.clone(), shard)
    }

    #[track_caller]
    pub(super) fn assert_sound(&self) {
        assert_eq!(*self.wrong.lock().unwrap(), [""; 0]);
    }
}

pub(super) struct Working(Arc<Work>, u32);

impl Drop for Working {
    fn drop(&mut self) {
        self.0.now.lock().unwrap().remove(&self.1);
    }
}
