//! The one error that crosses layers. It knows no HTTP and no SQL: `store` makes it from database errors,
//! `api` turns it into a problem document.

use std::fmt;

use serde::Serialize;

/// `Result` with [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What is wrong with one field of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// Path of the field in the request, for example `cpu_per_instance`.
    pub field: String,
    /// A sentence for the person who sent it.
    pub message: String,
}

/// How a quota stands in the way, in the units of the wire (cores, GiB, numbers).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QuotaShortage {
    /// `cpu`, `memory`, `storage`, `clusters` or `instances`.
    pub resource: &'static str,
    /// What was asked for.
    pub requested: f64,
    /// What is taken.
    pub used: f64,
    /// What there is in all.
    pub limit: f64,
    /// `limit - used`, never below zero.
    pub available: f64,
}

/// Everything that a use case can answer instead of its result.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request could not be understood at all.
    #[error("{0}")]
    Malformed(String),
    /// Fields of the request are wrong.
    #[error("{}", FieldList(.0))]
    Invalid(Vec<FieldError>),
    /// No credential, or one that is not (or no longer) good.
    #[error("{0}")]
    Unauthenticated(&'static str),
    /// Known, but not allowed.
    #[error("{0}")]
    Forbidden(&'static str),
    /// Not there, or not the caller's: the two look alike.
    #[error("{what} not found")]
    NotFound {
        /// The noun, capitalized: `Cluster`.
        what: &'static str,
    },
    /// The present state does not allow it.
    #[error("{message}")]
    Conflict {
        /// Why.
        message: String,
        /// What the present state does allow.
        allowed: Vec<&'static str>,
    },
    /// Suspending would lose memory, and the caller said that it must not.
    #[error("A container cannot be suspended with its memory; without mode=strict it is scaled to zero")]
    SuspendNotSupported,
    /// It would exceed the quota.
    #[error("{}", ShortageList(.0))]
    QuotaExceeded(Vec<QuotaShortage>),
    /// It cannot be answered now, but may be later.
    #[error("{message}")]
    Unavailable {
        /// Why.
        message: String,
        /// When to try again.
        retry_after_seconds: u32,
    },
    /// Others held what this needed for too long; nothing was written.
    #[error("Others are changing the same; try again")]
    Contended,
    /// The caller asks for more at a time than one may.
    #[error("{message}")]
    TooMany {
        /// Of what.
        message: String,
        /// When to try again.
        retry_after_seconds: u32,
    },
    /// A member did not do its part.
    #[error("member '{member}': {message}")]
    Member {
        /// The member's name.
        member: String,
        /// Why.
        message: String,
        /// Whether it was time that ran out.
        timed_out: bool,
    },
    /// A defect of ours. The message is for the log, never for the caller.
    #[error("{0}")]
    Internal(String),
}

impl Error {
    /// A single wrong field.
    pub fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError { field: field.into(), message: message.into() }])
    }

    /// A conflict without alternatives.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::Conflict { message: message.into(), allowed: Vec::new() }
    }

    /// A defect of ours.
    pub fn internal(message: impl fmt::Display) -> Self {
        Self::Internal(message.to_string())
    }

    /// A stable word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::Invalid(_) => "invalid",
            Self::Unauthenticated(_) => "unauthenticated",
            Self::Forbidden(_) => "forbidden",
            Self::NotFound { .. } => "not_found",
            Self::Conflict { .. } => "conflict",
            Self::SuspendNotSupported => "suspend_not_supported",
            Self::QuotaExceeded(_) => "quota_exceeded",
            Self::Unavailable { .. } | Self::Contended => "unavailable",
            Self::TooMany { .. } => "too_many_requests",
            Self::Member { timed_out: false, .. } => "member_failed",
            Self::Member { timed_out: true, .. } => "member_timeout",
            Self::Internal(_) => "internal",
        }
    }
}

struct FieldList<'a>(&'a [FieldError]);

impl fmt::Display for FieldList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, e) in self.0.iter().enumerate() {
            let separator = if n == 0 { "" } else { "; " };
            write!(f, "{separator}{}: {}", e.field, e.message)?;
        }
        Ok(())
    }
}

struct ShortageList<'a>(&'a [QuotaShortage]);

impl fmt::Display for ShortageList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Quota exceeded")?;
        for (n, s) in self.0.iter().enumerate() {
            let separator = if n == 0 { ": " } else { "; " };
            let QuotaShortage { resource, requested, used, limit, available } = s;
            write!(f, "{separator}{resource}: requested {requested:?}, used {used:?} of {limit:?}, available {available:?}")?;
        }
        Ok(())
    }
}
