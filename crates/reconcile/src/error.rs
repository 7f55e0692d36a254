//! Why a pass did not get to its end.

use members::MemberError;

use crate::requeue::Outcome;

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
            Self::Store(types::Error::Unavailable { .. } | types::Error::Contended) => "StoreUnavailable",
            Self::Store(_) => "StoreFailed",
            Self::Member(error) => error.reason(),
            Self::Panicked(_) => "Panicked",
        }
    }

    /// A sentence for the cluster's owner, without what only the operator may know.
    pub(crate) fn for_tenant(&self) -> String {
        match self {
            Self::Member(error) => error.for_tenant(),
            Self::Store(_) | Self::Panicked(_) => "a defect of the control plane; it is tried again".to_owned(),
        }
    }

    /// Whether another try may succeed without anybody changing anything.
    pub(crate) fn retryable(&self) -> bool {
        match self {
            Self::Store(_) | Self::Panicked(_) => true,
            Self::Member(error) => error.retryable(),
        }
    }

    /// Whether status cannot be written either: the store does not answer, or the lease is lost.
    pub(crate) fn prevents_status(&self) -> bool {
        matches!(self, Self::Store(_) | Self::Member(MemberError::Fenced))
    }

    /// How the pass ended by it.
    pub(crate) fn outcome(&self) -> Outcome {
        match self {
            Self::Member(error) if error.namespace_not_ready() => Outcome::NotReady,
            Self::Member(error) => Outcome::Failed { at_least: error.retry_after() },
            Self::Store(_) | Self::Panicked(_) => Outcome::Failed { at_least: None },
        }
    }
}

/// Whether no other write would fare better: without the lease, or without an answer.
pub(crate) fn hits_every_write(error: &MemberError) -> bool {
    match error {
        MemberError::Fenced | MemberError::Timeout(_) | MemberError::Unreachable(_) | MemberError::Suspended { .. } => true,
        MemberError::Busy | MemberError::Config(_) => true,
        MemberError::Api(_) | MemberError::BadAnswer(_) | MemberError::TooLarge(_) | MemberError::TooManyObjects(_) => false,
    }
}
