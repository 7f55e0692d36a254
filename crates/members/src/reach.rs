//! Whether a member answers at all.

use std::{
    sync::{Mutex, PoisonError},
    time::Instant,
};

use crate::MemberError;

/// Why no call is answered, and since when none was.
#[derive(Default)]
pub(crate) struct Reach(Mutex<Option<(MemberError, Instant)>>);

impl Reach {
    /// After each call. A refusal is an answer; what was not sent says nothing.
    pub(crate) fn note(&self, error: Option<&MemberError>) {
        let mut silence = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match error {
            Some(error) if error.was_not_sent() => {}
            Some(error) if error.is_silence() => {
                let since = silence.take().map_or_else(Instant::now, |(_, since)| since);
                *silence = Some((error.clone(), since));
            }
            _ => *silence = None,
        }
    }

    pub(crate) fn trouble(&self) -> Option<MemberError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|(error, _)| error.clone())
    }

    pub(crate) fn silent_since(&self) -> Option<Instant> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|(_, since)| *since)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn silence_is_counted_from_its_first_moment_and_ends_with_any_answer() {
        let reach = Reach::default();
        let silent = MemberError::Timeout(Duration::from_secs(10));
        reach.note(Some(&silent));
        let since = reach.silent_since();
        reach.note(Some(&MemberError::Unreachable("refused".into())));
        reach.note(Some(&MemberError::Fenced));
        assert!(since.is_some());
        assert_eq!((reach.silent_since(), reach.trouble().unwrap().reason()), (since, "Unreachable"));
        reach.note(Some(&MemberError::BadAnswer("not JSON".into())));
        assert_eq!(reach.silent_since(), None);
        reach.note(Some(&silent));
        reach.note(None);
        assert!(reach.trouble().is_none());
    }
}
