//! Which members a replica should take on, and which it should hand over.
//!
//! Each replica decides for itself, from the same rows: nobody has more than a fair share for long, and nothing stays
//! with nobody. Taking on goes in portions, because each member taken on is listed anew; handing over goes one by one.

use std::collections::BTreeSet;

use types::MemberId;

/// At least so many are taken on at a time, and at least this part of a share: a few rounds take on everything.
const PORTION_LEAST: usize = 4;
const PORTION: usize = 4;

/// What a replica sees of the fleet.
#[derive(Debug, Default)]
pub(crate) struct Fleet {
    /// Members that are there.
    pub(crate) members: BTreeSet<MemberId>,
    /// Replicas that live, this one included.
    pub(crate) live: usize,
    /// Members that this one has.
    pub(crate) mine: BTreeSet<MemberId>,
    /// Members that nobody has, in the order in which they are to be tried.
    pub(crate) free: Vec<MemberId>,
}

/// What a replica should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Move {
    /// Take the member on, if it is still free then.
    Claim(MemberId),
    /// Hand it over to whoever takes it.
    Release(MemberId),
}

/// What to do now; to be asked again soon.
pub(crate) fn moves(fleet: &Fleet) -> Vec<Move> {
    let Fleet { members, live, mine, free } = fleet;
    let removed = mine.difference(members).map(|member| Move::Release(*member));
    let share = members.len().div_ceil((*live).max(1));
    let kept: Vec<_> = mine.intersection(members).collect();
    let over = kept.last().filter(|_| kept.len() > share).map(|member| Move::Release(**member));
    let room = share.saturating_sub(kept.len()).min(share.div_ceil(PORTION).max(PORTION_LEAST));
    let claims = free.iter().filter(|member| members.contains(member) && !mine.contains(member)).take(room).map(|member| Move::Claim(*member));
    removed.chain(over).chain(claims).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn ids(ids: impl IntoIterator<Item = i64>) -> Vec<MemberId> {
        ids.into_iter().map(MemberId).collect()
    }

    fn fleet(members: i64, live: usize, mine: &[i64], free: &[i64]) -> Fleet {
        let mine = ids(mine.iter().copied()).into_iter().collect();
        Fleet { members: ids(1..=members).into_iter().collect(), live, mine, free: ids(free.iter().copied()) }
    }

    #[test]
    fn a_replica_takes_up_to_its_share_and_gives_one_when_above_it() {
        let (claim, release) = (|id| Move::Claim(MemberId(id)), |id| Move::Release(MemberId(id)));
        for (members, live, mine, free, want) in [
            (0, 1, &[][..], &[][..], vec![]),
            (1, 1, &[], &[1], vec![claim(1)]),
            (1, 2, &[], &[1], vec![claim(1)]),
            (1, 2, &[1], &[], vec![]),
            (2, 2, &[1], &[2], vec![]),
            (3, 2, &[1], &[3, 2], vec![claim(3)]),
            (3, 2, &[1, 2, 3], &[], vec![release(3)]),
            (3, 2, &[1, 2], &[3], vec![]),
            (3, 0, &[], &[1], vec![claim(1)]),
            (2, 1, &[1, 7], &[2, 8], vec![release(7), claim(2)]),
            (2, 1, &[1], &[1, 2], vec![claim(2)]),
        ] {
            assert_eq!(moves(&fleet(members, live, mine, free)), want, "{members} members, {live} replicas, mine {mine:?}, free {free:?}");
        }
    }

    #[test]
    fn everything_is_taken_on_in_a_few_rounds_and_not_in_one() {
        let mut mine = BTreeSet::new();
        let mut rounds = 0;
        while mine.len() < 500 {
            let free = ids(1..=500).into_iter().filter(|id| !mine.contains(id)).collect();
            let seen = Fleet { members: ids(1..=500).into_iter().collect(), live: 1, mine: mine.clone(), free };
            let claims = moves(&seen);
            assert!(claims.len() <= 125, "{}", claims.len());
            mine.extend(claims.into_iter().map(|claim| if let Move::Claim(id) = claim { id } else { panic!("{claim:?}") }));
            rounds += 1;
        }
        assert!(rounds <= 4, "{rounds}");
    }

    /// Replicas that come and go settle on fair shares, and then nothing moves any more.
    #[test]
    fn replicas_settle_and_then_rest() {
        const MEMBERS: i64 = 23;
        let mut holders: BTreeMap<MemberId, usize> = BTreeMap::new();
        for live in [&[0][..], &[0, 1], &[0, 1, 2, 3], &[2, 3], &[3, 4, 5]] {
            holders.retain(|_, holder| live.contains(holder));
            for round in 0.. {
                assert!(round < 60, "they do not settle: {holders:?}");
                let mut moved = false;
                for replica in live {
                    let mine = holders.iter().filter(|(_, holder)| *holder == replica).map(|(id, _)| *id).collect();
                    let free = ids(1..=MEMBERS).into_iter().filter(|id| !holders.contains_key(id)).collect();
                    for step in moves(&Fleet { members: ids(1..=MEMBERS).into_iter().collect(), live: live.len(), mine, free }) {
                        moved = true;
                        match step {
                            Move::Claim(id) => assert_eq!(holders.insert(id, *replica), None),
                            Move::Release(id) => assert_eq!(holders.remove(&id), Some(*replica)),
                        }
                    }
                }
                if !moved {
                    break;
                }
            }
            assert_eq!(holders.len(), 23, "nothing stays with nobody");
            let share = holders.len().div_ceil(live.len());
            assert!(live.iter().all(|replica| holders.values().filter(|holder| *holder == replica).count() <= share));
        }
    }
}
