//! Calls that would wait in vain are not made: per API group, for reads and writes apart.
//!
//! After a few calls in a row without an answer the next ones fail at once, for a while; then one goes through and
//! tells whether the group is back. KubeVirt whose webhook hangs so costs one call's patience at a time, not each
//! worker's. Watches go by: they have pauses of their own.

use std::{
    collections::HashMap,
    pin::pin,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use rand::Rng as _;
use tokio::sync::Notify;

/// So many calls in a row without an answer open it.
const FAILURES_MAX: u32 = 3;
/// How long it is open at first, and at most.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LAST_PAUSE: Duration = Duration::from_secs(30);

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
pub(crate) struct Breaker {
    gates: Mutex<HashMap<Circuit, Gate>>,
    /// A probe has ended.
    probed: Notify,
}

/// What a gate says to a call.
#[derive(Debug, PartialEq, Eq)]
enum Admission {
    /// Go. Whether it is the probe.
    Go { probe: bool },
    /// A probe is under way: wait for what it finds.
    Wait,
    /// Not for so long.
    No(Duration),
}

impl Breaker {
    /// Whether a call may be made; else for how long none will be. While a probe is under way it waits: to fail
    /// would end a pass whose other half is the probe.
    pub(crate) async fn admit<'a>(&'a self, circuit: &'a Circuit) -> Result<Permit<'a>, Duration> {
        let mut probed = pin!(self.probed.notified());
        loop {
            probed.as_mut().enable();
            match self.gates().get_mut(circuit).map_or(Admission::Go { probe: false }, |gate| gate.admit(Instant::now())) {
                Admission::Go { probe } => return Ok(Permit { breaker: self, circuit, probe }),
                Admission::No(again) => return Err(again),
                Admission::Wait => {}
            }
            probed.as_mut().await;
            probed.set(self.probed.notified());
        }
    }

    /// For how long no call to a group will be made, whether to read or to write; `None`: they go through.
    pub(crate) fn open_for(&self, group: &str) -> Option<Duration> {
        let now = Instant::now();
        self.gates().iter().filter(|(circuit, _)| circuit.group == group).filter_map(|(_, gate)| gate.open_for(now)).max()
    }

    /// A watch of the group could begin: the next call may find out whether calls are answered too.
    pub(crate) fn probe_soon(&self, group: &str) {
        let mut gates = self.gates();
        let these = gates.iter_mut().filter(|(circuit, _)| circuit.group == group);
        these.filter_map(|(_, gate)| gate.open.as_mut()).for_each(|open| open.until = open.until.min(Instant::now()));
    }

    fn gates(&self) -> MutexGuard<'_, HashMap<Circuit, Gate>> {
        self.gates.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One call. Dropped without a word, it says nothing of the group, and another may be the probe.
pub(crate) struct Permit<'a> {
    breaker: &'a Breaker,
    circuit: &'a Circuit,
    probe: bool,
}

impl Permit<'_> {
    /// There was an answer.
    pub(crate) fn answered(self) {
        self.breaker.gates().remove(self.circuit);
    }

    /// There was none. Returns the pause when that opened it.
    pub(crate) fn silent(mut self) -> Option<Duration> {
        let probe = std::mem::take(&mut self.probe);
        let jitter = rand::rng().random_range(0.8..1.2);
        let pause = self.breaker.gates().entry(self.circuit.clone()).or_default().note_silence(Instant::now(), probe, jitter);
        self.breaker.probed.notify_waiters();
        pause
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.probe
            && let Some(gate) = self.breaker.gates().get_mut(self.circuit)
        {
            gate.forget_probe(Instant::now());
        }
        self.breaker.probed.notify_waiters();
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

    fn admit(&mut self, now: Instant) -> Admission {
        let left = self.open_for(now);
        match &mut self.open {
            None => Admission::Go { probe: false },
            Some(open) if open.probing => Admission::Wait,
            Some(open) => match left {
                Some(left) => Admission::No(left),
                None => {
                    open.probing = true;
                    Admission::Go { probe: true }
                }
            },
        }
    }

    fn note_silence(&mut self, now: Instant, probe: bool, jitter: f64) -> Option<Duration> {
        self.silences = self.silences.saturating_add(1);
        let pause = match &self.open {
            Some(open) if probe => (open.pause * 2).min(LAST_PAUSE),
            // Calls that were under way when it opened say nothing new.
            Some(_) => return None,
            None if self.silences >= FAILURES_MAX => FIRST_PAUSE,
            None => return None,
        };
        let left = pause.mul_f64(jitter);
        self.open = Some(Open { pause, until: now + left, probing: false });
        Some(left)
    }

    fn forget_probe(&mut self, now: Instant) {
        if let Some(open) = &mut self.open {
            (open.until, open.probing) = (now, false);
        }
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
            assert_eq!((gate.admit(start), gate.note_silence(start, false, 1.0)), (Admission::Go { probe: false }, None));
        }
        assert_eq!(gate.note_silence(start, false, 1.0), Some(SECOND));
        assert_eq!(gate.admit(start), Admission::No(SECOND));
        let later = start + SECOND;
        assert_eq!(gate.admit(later), Admission::Go { probe: true });
        assert_eq!(gate.admit(later), Admission::Wait);
        assert_eq!(gate.note_silence(later, true, 1.0), Some(2 * SECOND), "it failed: a longer pause");
        assert_eq!(gate.admit(later + SECOND), Admission::No(SECOND));
        assert_eq!(gate.admit(later + 2 * SECOND), Admission::Go { probe: true });
        gate.forget_probe(later + 2 * SECOND);
        assert_eq!(gate.admit(later + 2 * SECOND), Admission::Go { probe: true }, "a probe that was dropped is followed by another");
    }

    #[test]
    fn the_pause_has_an_end() {
        let (mut gate, now) = (Gate::default(), Instant::now());
        let pauses: Vec<_> = (0..20).filter_map(|_| gate.note_silence(now, gate.open.is_some(), 1.2)).collect();
        assert_eq!(pauses.iter().max(), Some(&(LAST_PAUSE * 6 / 5)));
    }

    #[test]
    fn those_that_were_under_way_when_it_opened_do_not_lengthen_it() {
        let (mut gate, now) = (Gate::default(), Instant::now());
        let pauses: Vec<_> = (0..8).filter_map(|_| gate.note_silence(now, false, 1.0)).collect();
        assert_eq!((pauses, gate.admit(now)), (vec![SECOND], Admission::No(SECOND)));
    }

    #[tokio::test]
    async fn an_answer_closes_it_for_that_circuit_and_lets_the_waiting_go() {
        let breaker = Breaker::default();
        let (vms, pods) = (Circuit::of("/apis/kubevirt.io/v1/x", true), Circuit::of("/api/v1/pods", true));
        for _ in 0..3 {
            let _ = breaker.admit(&vms).await.ok().unwrap().silent();
        }
        assert!(breaker.admit(&vms).await.is_err() && breaker.admit(&pods).await.is_ok());
        assert!(breaker.open_for("kubevirt.io").is_some() && breaker.open_for("").is_none());
        breaker.probe_soon("");
        assert!(breaker.admit(&vms).await.is_err());
        breaker.probe_soon("kubevirt.io");

        let probe = breaker.admit(&vms).await.ok().unwrap();
        let mut waiting = pin!(breaker.admit(&vms));
        assert!(futures::poll!(&mut waiting).is_pending());
        drop(probe);
        let probe = waiting.await.ok().unwrap();
        assert!(probe.probe, "the first was dropped without a word");
        let mut waiting = pin!(breaker.admit(&vms));
        assert!(futures::poll!(&mut waiting).is_pending());
        probe.answered();
        assert!(waiting.await.is_ok_and(|permit| !permit.probe) && breaker.open_for("kubevirt.io").is_none());
    }
}
