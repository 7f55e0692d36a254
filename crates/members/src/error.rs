//! What can go wrong between us and a member, sorted by what to do about it.

use std::time::Duration;

/// `Result` with [`MemberError`].
pub type Result<T, E = MemberError> = std::result::Result<T, E>;

/// When to come again with a read that found too many others.
const BUSY_PAUSE: Duration = Duration::from_secs(1);

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
    /// The last calls to this API group (the core group's name is empty) had no answer: this one was not sent.
    #[error("the last calls to {} had no answer; the next goes in {:.1} s", if .group.is_empty() { "the API" } else { .group }, .again.as_secs_f32())]
    Suspended {
        /// The API group.
        group: String,
        /// When one goes through again.
        again: Duration,
    },
    /// So many reads for the API are under way that this one was not sent.
    #[error("too many requests to this member are under way")]
    Busy,
    /// The connection could not be made, or broke.
    #[error("unreachable: {0}")]
    Unreachable(String),
    /// The answer was not what the API promises.
    #[error("unexpected answer: {0}")]
    BadAnswer(String),
    /// The answer, or a line of it, was longer than this many bytes, and was not read to its end.
    #[error("unexpected answer: more than {} kB", .0 / 1024)]
    TooLarge(usize),
    /// There are more objects than are kept.
    #[error("more than {0} objects")]
    TooManyObjects(usize),
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
            Self::Suspended { .. } => "NotAnswering",
            Self::Busy => "Busy",
            Self::Unreachable(_) => "Unreachable",
            Self::BadAnswer(_) => "BadAnswer",
            Self::TooLarge(_) => "TooLarge",
            Self::TooManyObjects(_) => "TooManyObjects",
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

    /// Whether a version is too old to go on from.
    pub(crate) fn is_expired(&self) -> bool {
        matches!(self, Self::Api(failure) if failure.code == 410)
    }

    /// Whether there was no answer at all.
    pub(crate) const fn is_silence(&self) -> bool {
        matches!(self, Self::Timeout(_) | Self::Unreachable(_))
    }

    /// Whether the member was not even asked.
    pub(crate) const fn was_not_sent(&self) -> bool {
        matches!(self, Self::Fenced | Self::Suspended { .. } | Self::Busy | Self::Config(_))
    }

    /// When the member asks to be called again.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Api(failure) => failure.retry_after,
            Self::Suspended { again, .. } => Some(*again),
            Self::Busy => Some(BUSY_PAUSE),
            _ => None,
        }
    }

    /// The same in a sentence fit for tenants, who need not know our account or the member's addresses.
    pub fn for_tenant(&self) -> String {
        match self {
            Self::Api(failure) => for_tenant(&failure.message),
            Self::Unreachable(_) => "unreachable".to_owned(),
            Self::BadAnswer(_) => "unexpected answer".to_owned(),
            Self::Config(_) => "the credential of the member is no good".to_owned(),
            Self::Timeout(_) | Self::Suspended { .. } | Self::Busy | Self::TooLarge(_) | Self::TooManyObjects(_) | Self::Fenced => self.to_string(),
        }
    }

    /// As the error that crosses layers, naming the member.
    pub fn into_error(self, member: &str) -> types::Error {
        let message = self.for_tenant();
        match self {
            Self::Busy => types::Error::Unavailable { message: format!("member '{member}': {message}"), retry_after_seconds: 1 },
            _ => {
                tracing::info!(member, error = %self, "a member did not answer as asked");
                types::Error::Member { member: member.to_owned(), timed_out: matches!(self, Self::Timeout(_)), message }
            }
        }
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
            410 => "Expired",
            413 => "Invalid",
            429 => "TooManyRequests",
            503 => "Unavailable",
            504 => "Timeout",
            500.. => "ServerError",
            _ => "Refused",
        }
    }
}

/// A sentence without our account's name and without addresses.
fn for_tenant(message: &str) -> String {
    let mut words: Vec<&str> = Vec::new();
    for word in message.split(' ') {
        match word.trim_matches(|c: char| !c.is_alphanumeric()) {
            bare if bare.starts_with("system:") => {
                // `User "system:serviceaccount:a:b" cannot ...`
                words.pop_if(|before| before.eq_ignore_ascii_case("user"));
                words.push("the control plane");
            }
            bare if bare.contains("://") => words.push("..."),
            _ => words.push(word),
        }
    }
    words.join(" ")
}

/// An error with its causes, each said once.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
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
    fn tenants_are_not_told_our_account_or_addresses() {
        let table = [
            (
                r#"pods is forbidden: User "system:serviceaccount:kubekcloud-system:kubekcloud" cannot create resource "pods" in API group "" in the namespace "a""#,
                r#"pods is forbidden: the control plane cannot create resource "pods" in API group "" in the namespace "a""#,
            ),
            (
                r#"failed calling webhook "w": failed to call webhook: Post "https://virt-api.kubevirt.svc:443/mutate?timeout=10s": no endpoints"#,
                r#"failed calling webhook "w": failed to call webhook: Post ... no endpoints"#,
            ),
            ("exceeded quota: kubekcloud, requested: pods=1", "exceeded quota: kubekcloud, requested: pods=1"),
        ];
        for (message, told) in table {
            assert_eq!(api(403, "Forbidden", message).for_tenant(), told);
        }
        let unreachable = MemberError::Unreachable("tcp connect error: 10.0.0.7:6443: refused".into());
        assert!(unreachable.to_string().contains("10.0.0.7") && !unreachable.for_tenant().contains("10.0.0.7"));
    }

    #[test]
    fn only_too_many_readers_are_asked_to_come_again() {
        match MemberError::Busy.into_error("local") {
            types::Error::Unavailable { retry_after_seconds: 1, .. } => {}
            other => panic!("{other}"),
        }
        let suspended = MemberError::Suspended { group: String::new(), again: Duration::from_secs(2) };
        assert!(matches!(suspended.into_error("local"), types::Error::Member { timed_out: false, .. }), "the member failed");
        assert!(matches!(MemberError::Timeout(Duration::ZERO).into_error("local"), types::Error::Member { timed_out: true, .. }));
    }

    #[test]
    fn a_quota_conflict_is_not_taken_for_an_existing_pod() {
        let conflict = api(409, "Conflict", "Operation cannot be fulfilled on resourcequotas \"kubekcloud\"");
        assert!(conflict.is_conflict() && !conflict.is_already_exists());
    }
}
