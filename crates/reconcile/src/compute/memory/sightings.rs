//! Since when something of an instance is as it is: by this process's own clock, from when it first saw it.
//!
//! The stamps of a member are for people. To subtract one from our time would make an hour between two clocks an hour
//! of trouble. After a restart or a takeover, ages begin anew.

use std::time::Duration;

use members::PodView;
use tokio::time::Instant;
use types::InstanceStatus;

/// How old what is seen is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::compute) struct Ages {
    /// Since its Pod was deleted.
    pub(in crate::compute) terminating: Duration,
    /// Since its container runs; [`Duration::MAX`] where that is longer than we know.
    pub(in crate::compute) running: Duration,
}

/// What was seen of an instance's Pod, and when first.
#[derive(Debug, Default)]
pub(super) struct Sightings {
    /// UID of the Pod that was deleted.
    terminating: Option<(String, Instant)>,
    running: Option<Run>,
}

/// One run of a container: each restart is another.
#[derive(Debug)]
struct Run {
    uid: String,
    restarts: i32,
    /// `None`: it ran before we first looked.
    since: Option<Instant>,
}

impl Sightings {
    /// Notes what is seen now, and says how old that is. `recorded` tells a run that was under way from one that begins.
    pub(super) fn note(&mut self, pod: Option<&PodView>, recorded: InstanceStatus, now: Instant) -> Ages {
        let terminating = pod.filter(|pod| pod.terminating.is_some());
        self.terminating = terminating.map(|pod| match self.terminating.take() {
            Some((uid, since)) if uid == pod.uid => (uid, since),
            _ => (pod.uid.clone(), now),
        });
        let known = self.running.is_some();
        let running = pod.filter(|pod| pod.running_since.is_some());
        match (running, &self.running) {
            (Some(pod), Some(run)) if run.uid == pod.uid && run.restarts == pod.restarts => {}
            (Some(pod), _) => {
                let since = (known || recorded != InstanceStatus::Running).then_some(now);
                self.running = Some(Run { uid: pod.uid.clone(), restarts: pod.restarts, since });
            }
            // Between two runs the last one stays known: the next has another count.
            (None, _) => {}
        }
        Ages {
            terminating: self.terminating.as_ref().map_or(Duration::ZERO, |(_, since)| now - *since),
            running: self
                .running
                .as_ref()
                .filter(|_| running.is_some())
                .map_or(Duration::ZERO, |run| run.since.map_or(Duration::MAX, |since| now - since)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compute::fixtures::{HOUR, NOW, running};

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn ages_count_from_when_we_saw_it_whatever_the_members_clocks_say() {
        for skew in [-HOUR, 0, HOUR] {
            let mut sightings = Sightings::default();
            let now = Instant::now();
            let pod = PodView { running_since: Some(NOW + skew), ..running() };
            let fresh = sightings.note(Some(&pod), InstanceStatus::Pending, now);
            assert_eq!((fresh.running, fresh.terminating), (Duration::ZERO, Duration::ZERO), "{skew}");
            assert_eq!(sightings.note(Some(&pod), InstanceStatus::Running, now + 5 * SECOND).running, 5 * SECOND, "{skew}");
            let again = PodView { restarts: 1, ..pod.clone() };
            assert_eq!(sightings.note(Some(&again), InstanceStatus::Running, now + 6 * SECOND).running, Duration::ZERO, "{skew}");
            let going = PodView { terminating: Some(NOW + skew), ..pod.clone() };
            assert_eq!(sightings.note(Some(&going), InstanceStatus::Running, now + 7 * SECOND).terminating, Duration::ZERO, "{skew}");
            assert_eq!(sightings.note(Some(&going), InstanceStatus::Running, now + 9 * SECOND).terminating, 2 * SECOND, "{skew}");
            let other = PodView { uid: "other".into(), ..going };
            assert_eq!(sightings.note(Some(&other), InstanceStatus::Running, now + 10 * SECOND).terminating, Duration::ZERO, "{skew}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_takeover_what_runs_ran_before_and_its_next_restart_is_one() {
        let mut sightings = Sightings::default();
        let now = Instant::now();
        let restarted = PodView { restarts: 4, ..running() };
        assert_eq!(sightings.note(Some(&restarted), InstanceStatus::Running, now).running, Duration::MAX);
        let crashed = PodView { running_since: None, ..restarted.clone() };
        assert_eq!(sightings.note(Some(&crashed), InstanceStatus::Running, now + SECOND).running, Duration::ZERO);
        let again = PodView { restarts: 5, ..restarted };
        assert_eq!(sightings.note(Some(&again), InstanceStatus::Pending, now + 2 * SECOND).running, Duration::ZERO);
        assert_eq!(sightings.note(Some(&again), InstanceStatus::Pending, now + 9 * SECOND).running, 7 * SECOND);
    }
}
