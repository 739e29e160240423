//! The plan of which process is to have which shard: pure, and the same for all who see the same.
//!
//! 1. Nobody gets more than ⌈shards / members⌉, nor less than ⌊shards / members⌋.
//! 2. Nobody gives up more than what it has above its share.

use std::cmp::Reverse;

/// Returns the member that is to have each shard, by its place in `members`; `owners` has those that have them now.
pub(super) fn plan(members: &[&str], owners: &[Option<usize>]) -> Vec<usize> {
    let mut has = count(members.len(), owners);
    let shares = shares(&has, owners.len());
    let members: Vec<Fitness> = members.iter().copied().map(Fitness::of).collect();
    let mut kept = keep(&members, owners, &shares);
    has = count(members.len(), &kept);
    for (shard, owner) in kept
        .iter_mut()
        .enumerate()
        .filter(|(_, owner)| owner.is_none())
    {
        let room = (0..members.len()).filter(|member| has[*member] < shares[*member]);
        let member = room.max_by_key(|member| members[*member].weight(shard));
        let member = member.expect("the shares are all shards together");
        has[member] += 1;
        *owner = Some(member);
    }
    kept.into_iter().flatten().collect()
}

/// Returns how many shards each is to have: those that have more than the least now get one more where the division leaves a rest. How
/// much more they have does not count: one that has given it up already would change places with one that is about to.
fn shares(has: &[usize], shards: usize) -> Vec<usize> {
    let (least, more) = (shards / has.len(), shards % has.len());
    let mut by_most: Vec<usize> = (0..has.len()).collect();
    by_most.sort_by_key(|member| Reverse(has[*member].min(least + 1)));
    let mut each = vec![least; has.len()];
    for member in by_most.into_iter().take(more) {
        each[member] += 1;
    }
    each
}

/// Takes what is too much from each, that which it is the least fit for first.
fn keep(members: &[Fitness], owners: &[Option<usize>], shares: &[usize]) -> Vec<Option<usize>> {
    let mut kept = owners.to_vec();
    let mut all = vec![Vec::new(); members.len()];
    for (shard, owner) in owners.iter().enumerate() {
        if let Some(owner) = owner {
            all[*owner].push(shard);
        }
    }
    for ((its, member), share) in all.iter_mut().zip(members).zip(shares) {
        if its.len() > *share {
            its.sort_by_cached_key(|shard| Reverse(member.weight(*shard)));
            for shard in &its[*share..] {
                kept[*shard] = None;
            }
        }
    }
    kept
}

fn count(members: usize, owners: &[Option<usize>]) -> Vec<usize> {
    let mut has = vec![0; members];
    for owner in owners.iter().flatten() {
        has[*owner] += 1;
    }
    has
}

/// How fit a member is for each shard: the same numbers on every machine and with every compiler.
#[derive(Debug, Clone, Copy)]
struct Fitness(u64);

impl Fitness {
    /// Returns that of the member of this name.
    fn of(member: &str) -> Self {
        let bytes = member.bytes().map(u64::from).chain([0]);
        Self(bytes.fold(0xcbf2_9ce4_8422_2325, fnv))
    }

    fn weight(self, shard: usize) -> u64 {
        let hash = fnv(self.0, shard as u64);
        // FNV mixes the last bytes badly, so mix as splitmix64 does.
        let hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        hash ^ (hash >> 31)
    }
}

const fn fnv(hash: u64, byte: u64) -> u64 {
    (hash ^ byte).wrapping_mul(0x0000_0100_0000_01b3)
}

#[cfg(test)]
mod tests {
    use super::plan;

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|member| format!("host-{member}")).collect()
    }

    fn planned(count: usize, owners: &[Option<usize>]) -> Vec<usize> {
        let names = names(count);
        let members: Vec<&str> = names.iter().map(String::as_str).collect();
        plan(&members, owners)
    }

    fn most(plan: &[usize]) -> usize {
        (0..=*plan.iter().max().unwrap())
            .map(|at| plan.iter().filter(|m| **m == at).count())
            .max()
            .unwrap()
    }

    fn moved(before: &[usize], after: &[usize]) -> usize {
        before
            .iter()
            .zip(after)
            .filter(|(before, after)| before != after)
            .count()
    }

    fn owned(plan: &[usize]) -> Vec<Option<usize>> {
        plan.iter().copied().map(Some).collect()
    }

    #[test]
    fn nobody_has_more_than_its_share() {
        for members in 1..=20 {
            for shards in [1, 7, 64, 1000] {
                let plan = planned(members, &vec![None; shards]);
                assert!(
                    most(&plan) <= shards.div_ceil(members),
                    "{shards} over {members}"
                );
            }
        }
    }

    #[test]
    fn a_join_moves_at_most_the_share_of_the_new_one() {
        for members in 1..20 {
            let before = planned(members, &[None; 64]);
            let after = planned(members + 1, &owned(&before));
            assert!(most(&after) <= 64_usize.div_ceil(members + 1));
            assert!(
                moved(&before, &after) <= 64_usize.div_ceil(members + 1),
                "{members}"
            );
            let joined = |(before, after): (&usize, &usize)| before == after || *after == members;
            assert!(before.iter().zip(&after).all(joined), "only to the new one");
        }
    }

    /// Each gives up what it has to in its own time, and the others plan anew meanwhile.
    #[test]
    fn a_join_goes_on_as_it_was_planned_whoever_gives_up_first() {
        for members in 1..20 {
            let before = planned(members, &[None; 64]);
            let after = planned(members + 1, &owned(&before));
            for first in 0..members {
                let mut moving: Vec<usize> =
                    (0..64).filter(|at| before[*at] != after[*at]).collect();
                moving.sort_by_key(|at| (before[*at] + members - first) % members);
                let mut owners = owned(&before);
                for shard in moving {
                    owners[shard] = None;
                    assert_eq!(planned(members + 1, &owners), after, "{members}, {first}");
                }
            }
        }
    }

    #[test]
    fn a_leave_moves_only_what_the_one_that_left_had() {
        for members in 2..=20 {
            let before = planned(members, &[None; 64]);
            let gone = members - 1;
            let left = before
                .iter()
                .map(|member| (*member != gone).then_some(*member));
            let left: Vec<_> = left.collect();
            let after = planned(members - 1, &left);
            let its = before.iter().filter(|member| **member == gone).count();
            assert_eq!(moved(&before, &after), its);
        }
    }

    #[test]
    fn what_is_in_balance_stays() {
        for members in 1..=20 {
            let before = planned(members, &[None; 64]);
            assert_eq!(planned(members, &owned(&before)), before);
        }
    }
}
