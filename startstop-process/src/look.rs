//! The members of a group that are alive. The system has no list of a group, so all processes are looked at: once for all groups
//! that ask at the same time, for a thousand children may be told to stop together.
//!
//! 1. A look begins after what it answers was asked.
//! 2. Each asks and looks, unless another one has looked for it: nobody waits for one whose future was dropped.
//! 3. Where a look takes long, for there are many processes, the next one is put off by as much, so that more have asked until then.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::task::yield_now;
use tokio::time::sleep;

use crate::proc_fs;

/// A group, and where its members are told; nothing if they cannot be seen, for want of descriptors say.
type Question = (u32, oneshot::Sender<Option<Vec<u32>>>);

static ASKED: Mutex<Asked> = Mutex::new(Asked {
    questions: Vec::new(),
    took: Duration::ZERO,
});

struct Asked {
    questions: Vec<Question>,
    /// How long the last look took.
    took: Duration,
}

/// A look that takes less is not put off, one that takes more by no more than the second.
const SHORT: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_millis(50);

/// Returns the members of a group that are alive.
pub(crate) async fn members(group: u32) -> io::Result<Vec<u32>> {
    let (sender, answer) = oneshot::channel();
    let took = {
        let mut asked = asked();
        asked.questions.push((group, sender));
        asked.took
    };
    if took > SHORT {
        sleep(took.min(LONGEST)).await;
    } else {
        yield_now().await;
    }
    answer_all();
    let unseen = || io::Error::other("the processes cannot be seen");
    answer.await.ok().flatten().ok_or_else(unseen)
}

/// Returns the members of a group that are alive, at once.
pub(crate) fn members_now(group: u32) -> io::Result<Vec<u32>> {
    let found = proc_fs::members(&BTreeSet::from([group]))?;
    Ok(of(group, &found))
}

fn answer_all() {
    let questions = std::mem::take(&mut asked().questions);
    if questions.is_empty() {
        return;
    }
    let (begin, groups) = (Instant::now(), questions.iter().map(|(group, _)| *group));
    let found = proc_fs::members(&groups.collect()).ok();
    asked().took = begin.elapsed();
    for (group, sender) in questions {
        let members = found.as_ref().map(|found| of(group, found));
        // Nobody waits for an answer whose future was dropped.
        let _ = sender.send(members);
    }
}

fn of(group: u32, found: &BTreeMap<u32, Vec<u32>>) -> Vec<u32> {
    found.get(&group).cloned().unwrap_or_default()
}

fn asked() -> MutexGuard<'static, Asked> {
    ASKED.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use tokio::task::JoinSet;

    use super::{members, members_now};

    #[tokio::test]
    async fn all_who_ask_together_are_answered_and_one_who_gives_up_holds_up_nobody() {
        let us = std::process::id();
        let group = crate::proc_fs::Stat::of(us).unwrap().group;
        let mut asking = JoinSet::new();
        for n in 0..300 {
            let handle = asking.spawn(members(if n % 2 == 0 { group } else { u32::MAX }));
            if n % 3 == 0 {
                handle.abort();
            }
        }
        let mut answers = [0, 0];
        while let Some(ended) = asking.join_next().await {
            if let Ok(found) = ended {
                let found = found.unwrap();
                assert!(found.is_empty() || found.contains(&us), "{found:?}");
                answers[usize::from(found.is_empty())] += 1;
            }
        }
        assert_eq!(answers, [100, 100]);
        assert!(members_now(group).unwrap().contains(&us));
    }
}
