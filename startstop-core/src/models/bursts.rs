//! Additions to a burst, against the poll of its task: each is taken, or handed back.

use std::sync::Arc;

use loom::thread;

use super::model;
use crate::engine::burst::Left;

#[test]
fn what_is_left_to_a_burst_is_taken_once_or_handed_back() {
    model(None, || {
        let left = Arc::new(Left::new());
        let task = thread::spawn({
            let left = Arc::clone(&left);
            move || left.take()
        });
        let late: Vec<u32> = [1, 2]
            .into_iter()
            .filter_map(|one| left.add(one).err())
            .collect();
        let mut all = task.join().expect("no panic");
        assert!(left.take().is_empty(), "nothing is left behind");
        all.extend(late);
        assert_eq!(all, [1, 2]);
    });
}
