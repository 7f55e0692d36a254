//! Calls that would wait in vain are not made: per API group, for reads and writes apart.
//!
//! After a few calls in a row without an answer the next ones fail at once, for a while; then one goes through and
//! tells whether the group is back. KubeVirt whose webhook hangs so costs one call's patience at a time, not each
//! worker's. Watches go by: they have pauses of their own.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use rand::Rng as _;

/// So many calls in a row without an answer open it.
const FAILURES_MAX: u32 = 3;
/// How long it is open at first, and at most.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LAST_PAUSE: Duration = Duration::from_secs(30);
/// A probe that was dropped without a word does not keep the next from going.
const PROBE_LASTS: Duration = Duration::from_secs(15);

/// What is broken, or not, on its own: an API group (the core group's is empty), read or written.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Circuit {
    pub(crate) group: String,
    pub(crate) writes: bool,
}

impl Circuit {
    /// Of a call's path: `/apis/GROUP/VERSION/...`.
    pub(crate) fn of(path: &str, writes: bool) -> Self {
        let group = path.strip_prefix("/apis/").and_then(|rest| rest.split('/').next());
        Self { group: group.unwrap_or_default().to_owned(), writes }
    }
}

/// One per member.
#[derive(Default)]
pub(crate) struct Breaker(Mutex<HashMap<Circuit, Gate>>);

impl Breaker {
    /// Whether a call may be made; else for how long none will be.
    pub(crate) fn admit(&self, circuit: &Circuit) -> Result<(), Duration> {
        match self.0.lock().unwrap_or_else(PoisonError::into_inner).get_mut(circuit) {
            Some(gate) => gate.admit(Instant::now()),
            None => Ok(()),
        }
    }

    /// After each call that was made: whether there was an answer. Returns the pause when this one opened it.
    pub(crate) fn note(&self, circuit: &Circuit, answered: bool) -> Option<Duration> {
        let mut gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if answered {
            gates.remove(circuit);
            return None;
        }
        let gate = gates.entry(circuit.clone()).or_default();
        gate.note_silence(Instant::now(), rand::rng().random_range(0.8..1.2))
    }

    /// For how long no call to a group will be made, whether to read or to write; `None`: they go through.
    pub(crate) fn open_for(&self, group: &str) -> Option<Duration> {
        let gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        gates.iter().filter(|(circuit, _)| circuit.group == group).filter_map(|(_, gate)| gate.open_for(now)).max()
    }
}

#[derive(Debug, Default)]
struct Gate {
    silences: u32,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    pause: Duration,
    /// When a probe may go.
    until: Instant,
    /// Whether one is under way.
    probing: bool,
}

impl Gate {
    fn open_for(&self, now: Instant) -> Option<Duration> {
        self.open.as_ref().and_then(|open| open.until.checked_duration_since(now)).filter(|left| !left.is_zero())
    }

    fn admit(&mut self, now: Instant) -> Result<(), Duration> {
        if let Some(left) = self.open_for(now) {
            return Err(left);
        }
        if let Some(open) = &mut self.open {
            // This one is the probe; the others wait for what it finds.
            (open.until, open.probing) = (now + PROBE_LASTS, true);
        }
        Ok(())
    }

    fn note_silence(&mut self, now: Instant, jitter: f64) -> Option<Duration> {
        self.silences = self.silences.saturating_add(1);
        let pause = match &self.open {
            // Calls that were under way when it opened say nothing new.
            Some(open) if !open.probing => return None,
            Some(open) => (open.pause * 2).min(LAST_PAUSE),
            None if self.silences >= FAILURES_MAX => FIRST_PAUSE,
            None => return None,
        };
        let left = pause.mul_f64(jitter);
        self.open = Some(Open { pause, until: now + left, probing: false });
        Some(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn groups_are_told_by_their_paths() {
        let group = |path: &str| Circuit::of(path, false).group;
        assert_eq!([group("/api/v1/pods"), group("/version")], ["", ""]);
        assert_eq!(group("/apis/kubevirt.io/v1/namespaces/a/virtualmachines"), "kubevirt.io");
        assert_ne!(Circuit::of("/api/v1/pods", true), Circuit::of("/api/v1/pods", false));
    }

    #[test]
    fn three_silences_open_it_and_one_probe_goes_through() {
        let (mut gate, start) = (Gate::default(), Instant::now());
        for _ in 0..2 {
            assert_eq!((gate.admit(start), gate.note_silence(start, 1.0)), (Ok(()), None));
        }
        assert_eq!(gate.note_silence(start, 1.0), Some(SECOND));
        assert_eq!(gate.admit(start), Err(SECOND));
        let later = start + SECOND;
        assert_eq!(gate.admit(later), Ok(()), "the probe");
        assert_eq!(gate.admit(later), Err(PROBE_LASTS), "the others wait for it");
        assert_eq!(gate.note_silence(later, 1.0), Some(2 * SECOND), "it failed: a longer pause");
        assert_eq!(gate.admit(later + PROBE_LASTS), Ok(()));
        assert_eq!(gate.admit(later + 3 * PROBE_LASTS), Ok(()), "a probe that was dropped is followed by another");
    }

    #[test]
    fn the_pause_has_an_end() {
        let (mut gate, now) = (Gate::default(), Instant::now());
        let mut pauses = Vec::new();
        for step in 0..20 {
            let _ = gate.admit(now + step * 2 * LAST_PAUSE);
            pauses.extend(gate.note_silence(now + step * 2 * LAST_PAUSE, 1.2));
        }
        assert_eq!(pauses.iter().max(), Some(&(LAST_PAUSE * 6 / 5)));
    }

    #[test]
    fn those_that_were_under_way_when_it_opened_do_not_lengthen_it() {
        let (mut gate, now) = (Gate::default(), Instant::now());
        let pauses: Vec<_> = (0..8).filter_map(|_| gate.note_silence(now, 1.0)).collect();
        assert_eq!(pauses, [SECOND]);
        assert_eq!(gate.admit(now), Err(SECOND));
    }

    #[test]
    fn an_answer_closes_it_for_that_circuit() {
        let breaker = Breaker::default();
        let (vms, pods) = (Circuit::of("/apis/kubevirt.io/v1/x", true), Circuit::of("/api/v1/pods", true));
        for _ in 0..3 {
            breaker.note(&vms, false);
        }
        assert!(breaker.admit(&vms).is_err() && breaker.admit(&pods).is_ok());
        assert!(breaker.open_for("kubevirt.io").is_some() && breaker.open_for("").is_none());
        breaker.note(&vms, true);
        assert!(breaker.admit(&vms).is_ok() && breaker.open_for("kubevirt.io").is_none());
    }
}
