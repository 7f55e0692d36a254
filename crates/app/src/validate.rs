//! Checks of request fields, all of them at once, so that a caller learns everything in one answer.

use types::{Amount, Bytes, ClusterName, Error, FieldError, MilliCpu, Result, Secret, text};

/// Most instances that a cluster may have.
pub(crate) const INSTANCES_MAX: u64 = 10_000;

/// Names that a cluster may not have, because people would take it, or its namespace, for a part of the system. Clusters that
/// had such a name before it stood here keep it.
const RESERVED: &[&str] = &["default", "local", "system", "kubekcloud", "kubevirt", "cdi", "cert-manager", "istio-system"];
const RESERVED_PREFIX: &str = "kube-";

/// Collects what is wrong.
#[derive(Debug, Default)]
pub(crate) struct Fields(Vec<FieldError>);

impl Fields {
    /// Notes a problem.
    pub(crate) fn refuse(&mut self, field: &str, message: impl Into<String>) {
        self.0.push(FieldError { field: field.into(), message: message.into() });
    }

    /// The value, or a noted problem.
    pub(crate) fn check<T>(&mut self, field: &str, value: Result<T, String>) -> Option<T> {
        value.map_err(|message| self.refuse(field, message)).ok()
    }

    /// A new cluster's name.
    pub(crate) fn cluster_name(&mut self, field: &str, name: &str) -> Option<ClusterName> {
        let free = |name: ClusterName| {
            let reserved = RESERVED.contains(&name.as_str()) || name.as_str().starts_with(RESERVED_PREFIX);
            if reserved { Err(format!("'{name}' is reserved")) } else { Ok(name) }
        };
        self.check(field, ClusterName::parse(name).and_then(free))
    }

    /// CPU in steps of 0.001 cores; zero is accepted.
    pub(crate) fn cpu(&mut self, field: &str, amount: &Amount) -> Option<MilliCpu> {
        self.check(field, MilliCpu::parse(amount))
    }

    /// Memory or storage in steps of 1 MiB, a plain number being GiB; zero is accepted.
    pub(crate) fn bytes(&mut self, field: &str, amount: &Amount) -> Option<Bytes> {
        self.check(field, Bytes::parse(amount))
    }

    /// A bearer token, short enough for a header and without anything that a header would change.
    /// Somebody who guesses has all the time in the world: it must be `least` characters long.
    pub(crate) fn token(&mut self, field: &str, token: String, least: usize) -> Option<Secret> {
        if token.chars().count() < least {
            self.refuse(field, format!("must have at least {least} characters; left out, one is made"));
            return None;
        }
        self.check(field, text::token(token))
    }

    /// A number of things; zero is accepted.
    pub(crate) fn count(&mut self, field: &str, count: i64) -> i64 {
        if count < 0 {
            self.refuse(field, "must not be negative");
        }
        count
    }

    /// How many instances: 1 to [`INSTANCES_MAX`].
    pub(crate) fn instance_count(&mut self, count: i64) -> Option<i32> {
        let count = i32::try_from(count).ok().filter(|count| *count >= 1 && u64::from(count.unsigned_abs()) <= INSTANCES_MAX);
        if count.is_none() {
            self.refuse("instance_count", format!("must be between 1 and {INSTANCES_MAX}"));
        }
        count
    }

    /// All is well, or everything that is wrong.
    pub(crate) fn finish(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::Invalid(self.0)) }
    }

    /// What `validated` holds when nothing is wrong.
    pub(crate) fn finish_with<T>(self, validated: Option<T>) -> Result<T> {
        self.finish()?;
        validated.ok_or_else(|| Error::internal("a field was refused without a reason"))
    }
}
