//! What can go wrong between us and a member, sorted by what to do about it.

use std::time::Duration;

/// `Result` with [`MemberError`].
pub type Result<T, E = MemberError> = std::result::Result<T, E>;

/// A refusal by the member's API server.
#[derive(Debug, Clone)]
pub struct ApiFailure {
    /// HTTP status.
    pub code: u16,
    /// Kubernetes' own word for it: `AlreadyExists`. May be empty.
    pub reason: String,
    /// Kubernetes' own sentence.
    pub message: String,
    /// When it asks to be called again.
    pub retry_after: Option<Duration>,
}

/// Why a call to a member did not do its work.
#[derive(Debug, Clone, thiserror::Error)]
pub enum MemberError {
    /// The API server refused.
    #[error("{}", .0.message)]
    Api(Box<ApiFailure>),
    /// No answer before the deadline.
    #[error("no answer within {:.1} s", .0.as_secs_f32())]
    Timeout(Duration),
    /// The connection could not be made, or broke.
    #[error("unreachable: {0}")]
    Unreachable(String),
    /// The answer was not what the API promises.
    #[error("unexpected answer: {0}")]
    BadAnswer(String),
    /// The lease under which we write has run out: nothing was sent.
    #[error("the lease ran out")]
    Fenced,
    /// The kubeconfig (or the service account) is no good.
    #[error("{0}")]
    Config(String),
}

impl MemberError {
    /// A word for metrics and conditions, from a small fixed set.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Api(failure) => failure.classify(),
            Self::Timeout(_) => "Timeout",
            Self::Unreachable(_) => "Unreachable",
            Self::BadAnswer(_) => "BadAnswer",
            Self::Fenced => "LeaseLost",
            Self::Config(_) => "BadConfig",
        }
    }

    /// Whether the same call may succeed later without anybody changing it.
    pub fn retryable(&self) -> bool {
        !matches!(self.reason(), "Invalid" | "PolicyRefused" | "BadConfig")
    }

    /// Whether a namespace made a moment ago is merely not ready yet: worth another try within milliseconds.
    pub fn namespace_not_ready(&self) -> bool {
        self.reason() == "NamespaceNotReady"
    }

    /// Whether the object (or the kind) is not there.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Api(failure) if failure.code == 404)
    }

    /// Whether a container has no log (yet): the kubelet calls that a bad request.
    pub fn has_no_log(&self) -> bool {
        matches!(self, Self::Api(failure) if failure.code == 404 || failure.code == 400)
    }

    /// Whether the object is there already.
    pub fn is_already_exists(&self) -> bool {
        matches!(self, Self::Api(failure) if failure.code == 409 && failure.reason == "AlreadyExists")
    }

    /// Whether the object is not in the state that the call presumes.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Api(failure) if failure.code == 409 && failure.reason != "AlreadyExists")
    }

    /// When the member asks to be called again.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Api(failure) => failure.retry_after,
            _ => None,
        }
    }

    /// As the error that crosses layers, naming the member.
    pub fn into_error(self, member: &str) -> types::Error {
        types::Error::Member { member: member.to_owned(), timed_out: matches!(self, Self::Timeout(_)), message: self.to_string() }
    }
}

impl ApiFailure {
    fn classify(&self) -> &'static str {
        let says = |text: &str| self.message.contains(text);
        match self.code {
            400 | 422 => "Invalid",
            401 => "Unauthorized",
            // A namespace's service account and its quota's status are made by controllers, a moment after it.
            403 if says("serviceaccount \"default\" not found") || says("status unknown for quota") => "NamespaceNotReady",
            403 if says("because it is being terminated") => "NamespaceTerminating",
            403 if says("exceeded quota") => "QuotaExceeded",
            403 if says("violates PodSecurity") => "PolicyRefused",
            403 => "Forbidden",
            404 => "NotFound",
            409 if self.reason == "AlreadyExists" => "AlreadyExists",
            409 => "Conflict",
            413 => "Invalid",
            429 => "TooManyRequests",
            503 => "Unavailable",
            504 => "Timeout",
            500.. => "ServerError",
            _ => "Refused",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api(code: u16, reason: &str, message: &str) -> MemberError {
        MemberError::Api(Box::new(ApiFailure { code, reason: reason.into(), message: message.into(), retry_after: None }))
    }

    #[test]
    fn refusals_are_sorted_by_what_to_do() {
        let young = "pods \"a\" is forbidden: error looking up service account a-ns/default: serviceaccount \"default\" not found";
        let quota = "pods \"a\" is forbidden: exceeded quota: kubekcloud, requested: pods=1, used: pods=2, limited: pods=2";
        let unknown = "pods \"a\" is forbidden: status unknown for quota: kubekcloud, resources: pods";
        let policy = "pods \"a\" is forbidden: violates PodSecurity \"baseline:latest\": privileged";
        let table = [
            (api(403, "Forbidden", young), "NamespaceNotReady", true),
            (api(403, "Forbidden", unknown), "NamespaceNotReady", true),
            (api(403, "Forbidden", quota), "QuotaExceeded", true),
            (api(403, "Forbidden", policy), "PolicyRefused", false),
            (api(403, "Forbidden", "pods is forbidden: User \"x\" cannot create"), "Forbidden", true),
            (api(422, "Invalid", "spec.x: Invalid value"), "Invalid", false),
            (api(409, "AlreadyExists", "pods \"a\" already exists"), "AlreadyExists", true),
            (api(409, "Conflict", "Operation cannot be fulfilled on resourcequotas"), "Conflict", true),
            (api(500, "InternalError", "failed calling webhook"), "ServerError", true),
            (MemberError::Fenced, "LeaseLost", true),
        ];
        for (error, reason, retryable) in table {
            assert_eq!((error.reason(), error.retryable()), (reason, retryable), "{error}");
        }
    }

    #[test]
    fn a_quota_conflict_is_not_taken_for_an_existing_pod() {
        let conflict = api(409, "Conflict", "Operation cannot be fulfilled on resourcequotas \"kubekcloud\"");
        assert!(conflict.is_conflict() && !conflict.is_already_exists());
    }
}
