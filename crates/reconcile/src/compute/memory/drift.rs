//! Whether guardrails are as they were applied.
//!
//! What was applied is recorded on the namespace: a number for what was wanted, and one for what the API server made of
//! it. Who takes over compares both with what is there, and writes nothing where they hold. A change by somebody else
//! shows in the watch. Without that watch (the account may lack the right) what is recorded is trusted between two walks.

use std::time::Duration;

use members::Kind;
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use crate::{backoff::backoff, requeue::Requeue};

/// How long what was applied is trusted to show in the watch. It is longer each time that somebody else undoes it: two
/// controllers that want different things must not fight at full speed.
const HOLD: Duration = Duration::from_secs(10);
const HOLD_MOST: Duration = Duration::from_secs(300);
/// After so long without a fight the next one begins anew.
const FORGIVE: Duration = Duration::from_secs(900);

/// A guardrail by kind and name, and a number for what it says: our object, or the spec that the API server has of it.
pub(in crate::compute) type Said<'a> = (Kind, &'a str, u64);

/// What is known of a cluster's guardrails.
#[derive(Debug, Default)]
pub(super) struct Drift {
    applied: Vec<Applied>,
    recorded: Option<String>,
}

/// One that was applied.
#[derive(Debug)]
struct Applied {
    kind: Kind,
    name: String,
    wanted: u64,
    /// `None`: without a watch nobody saw what it became.
    content: Option<u64>,
    /// `None`: by another process.
    at: Option<Instant>,
    /// How often somebody else has undone it.
    undone: u32,
}

impl Drift {
    /// Nothing is known any more.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Takes over what another process recorded, where it holds.
    pub(super) fn adopt(&mut self, recorded: Option<&str>, wanted: &[Said<'_>], seen: Option<&[Said<'_>]>) {
        if seen.is_some() {
            // What was believed unseen is compared now.
            self.applied.retain(|applied| applied.content.is_some());
        }
        let Some((text, (of_wanted, of_content))) = recorded.and_then(|text| Some((text, text.split_once('.')?))) else { return };
        if !self.applied.is_empty() || of_wanted != number(wanted) {
            return;
        }
        let contents: Option<Vec<_>> = wanted.iter().map(|&(kind, name, _)| Some((kind, name, find(seen?, kind, name)?))).collect();
        if seen.is_some() && contents.as_ref().is_none_or(|contents| of_content != number(contents)) {
            return;
        }
        let applied = |&(kind, name, wanted): &Said<'_>| {
            let content = seen.and_then(|seen| find(seen, kind, name));
            Applied { kind, name: name.to_owned(), wanted, content, at: None, undone: 0 }
        };
        self.applied = wanted.iter().map(applied).collect();
        self.recorded = Some(text.to_owned());
    }

    /// When to look at one again; `None`: it must be applied, because it was not, or not so, or is seen to be otherwise.
    pub(super) fn look_again(&self, (kind, name, wanted): Said<'_>, seen: Option<&[Said<'_>]>, now: Instant) -> Option<Requeue> {
        let applied = self.applied.iter().find(|applied| applied.is(kind, name) && applied.wanted == wanted)?;
        let Some(seen) = seen else { return Some(Requeue::ON_CHANGE) };
        let content = find(seen, kind, name);
        if content.is_some() && content == applied.content {
            return Some(Requeue::ON_CHANGE);
        }
        applied.hold(now).map(Requeue::after)
    }

    /// One was applied; `content` is what the API server made of it.
    pub(super) fn note_applied(&mut self, (kind, name, wanted): Said<'_>, content: u64, now: Instant) {
        let before = self.applied.iter().position(|applied| applied.is(kind, name)).map(|at| self.applied.swap_remove(at));
        let again = before.filter(|before| before.wanted == wanted && before.at.is_some_and(|at| now - at < FORGIVE));
        let undone = again.map_or(0, |before| before.undone.saturating_add(1));
        self.applied.push(Applied { kind, name: name.to_owned(), wanted, content: Some(content), at: Some(now), undone });
    }

    /// What is to be recorded on the namespace, if it is not yet.
    pub(super) fn unrecorded(&self, wanted: &[Said<'_>]) -> Option<String> {
        let content = |&(kind, name, wanted): &Said<'_>| {
            let applied = self.applied.iter().find(|applied| applied.is(kind, name) && applied.wanted == wanted)?;
            Some((applied.kind, applied.name.as_str(), applied.content?))
        };
        let contents: Vec<_> = wanted.iter().map(content).collect::<Option<_>>()?;
        Some(format!("{}.{}", number(wanted), number(&contents))).filter(|text| self.recorded.as_ref() != Some(text))
    }

    /// It was recorded.
    pub(super) fn note_recorded(&mut self, text: String) {
        self.recorded = Some(text);
    }
}

impl Applied {
    fn is(&self, kind: Kind, name: &str) -> bool {
        self.kind == kind && self.name == name
    }

    /// How long it is left as it is seen.
    fn hold(&self, now: Instant) -> Option<Duration> {
        let until = self.at? + backoff(self.undone + 1, HOLD, HOLD_MOST);
        until.checked_duration_since(now).filter(|left| !left.is_zero())
    }
}

fn find(said: &[Said<'_>], kind: Kind, name: &str) -> Option<u64> {
    said.iter().find(|of| of.0 == kind && of.1 == name).map(|of| of.2)
}

/// A number for all of them, in any order, the same in every process and release.
fn number(said: &[Said<'_>]) -> String {
    let mut lines: Vec<_> = said.iter().map(|(kind, name, number)| format!("{}/{name}={number:x}\n", kind.as_str())).collect();
    lines.sort_unstable();
    let digest: [u8; 32] = Sha256::digest(lines.concat()).into();
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WANTED: [Said<'static>; 2] = [(Kind::ResourceQuota, "q", 1), (Kind::NetworkPolicy, "p", 2)];
    const SEEN: [Said<'static>; 3] = [(Kind::NetworkPolicy, "p", 20), (Kind::NetworkPolicy, "old", 99), (Kind::ResourceQuota, "q", 10)];

    fn overdue(drift: &Drift, wanted: &[Said<'_>], seen: Option<&[Said<'_>]>, now: Instant) -> Vec<String> {
        wanted.iter().filter(|of| drift.look_again(**of, seen, now).is_none()).map(|of| of.1.to_owned()).collect()
    }

    fn applied(now: Instant) -> Drift {
        let mut drift = Drift::default();
        drift.note_applied(WANTED[0], 10, now);
        drift.note_applied(WANTED[1], 20, now);
        drift
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_recorded_and_there_is_not_applied_again_by_whoever_comes() {
        let now = Instant::now();
        let text = applied(now).unrecorded(&WANTED).unwrap();
        for seen in [Some(&SEEN[..]), None] {
            let mut next = Drift::default();
            next.adopt(Some(&text), &WANTED, seen);
            assert!(overdue(&next, &WANTED, seen, now).is_empty() && next.unrecorded(&WANTED).is_none(), "{seen:?}");
        }
        let other = [(Kind::ResourceQuota, "q", 3), WANTED[1]];
        let changed = [(Kind::NetworkPolicy, "p", 21), SEEN[2]];
        let fewer = [SEEN[2]];
        let table = [
            (None, &WANTED, &SEEN[..], vec!["q", "p"]),
            (Some("nonsense"), &WANTED, &SEEN[..], vec!["q", "p"]),
            (Some(text.as_str()), &other, &SEEN[..], vec!["q", "p"]),
            (Some(text.as_str()), &WANTED, &changed[..], vec!["q", "p"]),
            (Some(text.as_str()), &WANTED, &fewer[..], vec!["q", "p"]),
        ];
        for (recorded, wanted, seen, names) in table {
            for before in [Some(seen), None] {
                let mut next = Drift::default();
                next.adopt(recorded, wanted, before);
                next.adopt(recorded, wanted, Some(seen));
                assert_eq!(overdue(&next, wanted, Some(seen), now), names, "{recorded:?} {before:?} {seen:?}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_is_otherwise_is_applied_again() {
        let now = Instant::now();
        let drift = applied(now);
        let later = now + FORGIVE;
        assert!(overdue(&drift, &WANTED, Some(&SEEN), later).is_empty());
        let larger = [(Kind::ResourceQuota, "q", 3), WANTED[1]];
        assert_eq!(overdue(&drift, &larger, Some(&SEEN), later), ["q"], "the cluster grew");
        let edited = [SEEN[2], (Kind::NetworkPolicy, "p", 21)];
        assert_eq!(overdue(&drift, &WANTED, Some(&edited), later), ["p"], "somebody edited it");
        assert_eq!(overdue(&drift, &WANTED, Some(&SEEN[2..]), later), ["p"], "somebody deleted it");
        assert!(overdue(&drift, &WANTED, None, later).is_empty(), "nobody looks");
    }

    #[tokio::test(start_paused = true)]
    async fn the_watch_is_given_time_to_show_it_and_a_fight_becomes_slower() {
        let now = Instant::now();
        let mut drift = applied(now);
        assert!(overdue(&drift, &WANTED, Some(&[]), now).is_empty(), "it does not show yet");
        assert!(drift.look_again(WANTED[0], Some(&[]), now).is_some_and(|requeue| requeue != Requeue::ON_CHANGE));
        let edited = [SEEN[2], (Kind::NetworkPolicy, "p", 21)];
        let mut at = now;
        let mut waits = Vec::new();
        for _ in 0..5 {
            let wait = drift.look_again(WANTED[1], Some(&edited), at).and_then(Requeue::wait).unwrap();
            waits.push(wait);
            at += wait;
            assert_eq!(overdue(&drift, &WANTED, Some(&edited), at + HOLD_MOST), ["p"]);
            drift.note_applied(WANTED[1], 20, at);
        }
        assert!(waits[4] > 4 * waits[0] && waits[4] <= HOLD_MOST, "{waits:?}");
    }
}
