//! What was last written of a cluster, so that it is not written again.

use store::ClusterObservation;

/// The last observation that this process wrote.
#[derive(Debug, Default)]
pub(in crate::compute) struct ReportMemory {
    written: Option<ClusterObservation>,
}

impl ReportMemory {
    /// Whether an observation says anything that was not written yet.
    pub(in crate::compute) fn is_news(&self, observation: &ClusterObservation) -> bool {
        let ClusterObservation { carried_out, reason, message } = observation;
        let Some(written) = &self.written else { return true };
        let carried_further = carried_out.is_some() && *carried_out != written.carried_out;
        carried_further || *reason != written.reason || *message != written.message
    }

    /// It was written. One without a generation leaves the generation that was written before.
    pub(in crate::compute) fn note_written(&mut self, mut observation: ClusterObservation) {
        let before = self.written.take().and_then(|written| written.carried_out);
        observation.carried_out = observation.carried_out.or(before);
        self.written = Some(observation);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observation(carried_out: Option<i64>, reason: Option<&str>) -> ClusterObservation {
        ClusterObservation { carried_out, reason: reason.map(str::to_owned), message: None }
    }

    #[test]
    fn only_news_is_written_and_a_generation_stays_written() {
        let mut memory = ReportMemory::default();
        assert!(memory.is_news(&observation(None, None)), "nothing was written yet");
        memory.note_written(observation(Some(3), None));
        assert!(!memory.is_news(&observation(Some(3), None)));
        assert!(!memory.is_news(&observation(None, None)), "it does not say that less is carried out");
        assert!(memory.is_news(&observation(Some(4), None)));
        assert!(memory.is_news(&observation(None, Some("Timeout"))));
        memory.note_written(observation(None, Some("Timeout")));
        assert!(memory.is_news(&observation(Some(3), None)), "the trouble is over");
        assert!(!memory.is_news(&observation(Some(3), Some("Timeout"))), "generation 3 was written before");
    }
}
