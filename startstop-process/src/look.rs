//! The members of a group that are alive, but for its leader, which has a descriptor. The system has no list of a group, so all
//! processes are looked at that lead none of ours: once for all groups that ask at the same time, for a thousand children may be told
//! to stop together.
//!
//! 1. A look begins after what it answers was asked.
//! 2. Each asks and looks, unless another one has looked for it: nobody waits for one whose future was dropped.
//! 3. Looks take at most a quarter of the time: where one takes long, for there are many processes, the next one is put off, so that
//!    more have asked until then. The first one after a while is not.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::task::yield_now;
use tokio::time::sleep;

use crate::proc_fs;
use crate::subreaper;

/// A group, and where its members are told; nothing if they cannot be seen, for want of descriptors say.
type Question = (u32, oneshot::Sender<Option<Vec<u32>>>);

static ASKED: Mutex<Asked> = Mutex::new(Asked {
    questions: Vec::new(),
    next: None,
});

struct Asked {
    questions: Vec<Question>,
    /// When the next look may begin.
    next: Option<Instant>,
}

/// A look is put off by this many times as much as the last one took, and by no more than the longest.
const TIMES: u32 = 3;
const LONGEST: Duration = Duration::from_millis(200);

/// Returns the members of a group that are alive.
pub(crate) async fn members(group: u32) -> io::Result<Vec<u32>> {
    let (sender, answer) = oneshot::channel();
    let next = {
        let mut asked = asked();
        asked.questions.push((group, sender));
        asked.next
    };
    match next.map(|next| next.saturating_duration_since(Instant::now())) {
        None | Some(Duration::ZERO) => yield_now().await,
        Some(wait) => sleep(wait).await,
    }
    answer_all();
    let unseen = || io::Error::other("the processes cannot be seen");
    answer.await.ok().flatten().ok_or_else(unseen)
}

/// Returns the members of a group that are alive, at once.
pub(crate) fn members_now(group: u32) -> io::Result<Vec<u32>> {
    let found = proc_fs::members(&BTreeSet::from([group]), subreaper::leads)?;
    Ok(of(group, &found))
}

fn answer_all() {
    let questions = std::mem::take(&mut asked().questions);
    if questions.is_empty() {
        return;
    }
    let (begin, groups) = (Instant::now(), questions.iter().map(|(group, _)| *group));
    let found = proc_fs::members(&groups.collect(), subreaper::leads).ok();
    let end = Instant::now();
    asked().next = Some(end + ((end - begin) * TIMES).min(LONGEST));
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
