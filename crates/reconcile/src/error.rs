//! Why a pass did not get to its end.

use members::MemberError;

use crate::queue::Verdict;

/// An error of a pass. Everything else that can be wrong is a status.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PassError {
    /// The store did not do its part.
    #[error("store: {0}")]
    Store(#[from] types::Error),
    /// The member did not do its part.
    #[error("member: {0}")]
    Member(#[from] MemberError),
    /// A defect of ours.
    #[error("panicked: {0}")]
    Panicked(String),
}

impl PassError {
    /// A word for metrics and conditions, from a small fixed set.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::Store(types::Error::Unavailable { .. }) => "StoreUnavailable",
            Self::Store(_) => "StoreFailed",
            Self::Member(error) => error.reason(),
            Self::Panicked(_) => "Panicked",
        }
    }

    /// Whether another try may succeed without anybody changing anything.
    pub(crate) fn retryable(&self) -> bool {
        match self {
            Self::Store(_) | Self::Panicked(_) => true,
            Self::Member(error) => error.retryable(),
        }
    }

    /// When to try again.
    pub(crate) fn verdict(&self) -> Verdict {
        match self {
            Self::Member(error) if error.namespace_not_ready() => Verdict::RetrySoon,
            Self::Member(error) => Verdict::Retry(error.retry_after()),
            Self::Store(_) | Self::Panicked(_) => Verdict::Retry(None),
        }
    }
}
