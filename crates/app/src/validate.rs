//! Checks of request fields, all of them at once, so that a caller learns everything in one answer.

use types::{Amount, Bytes, Error, FieldError, MilliCpu, Result, Secret, text};

/// Most instances that a cluster may have.
pub(crate) const INSTANCES_MAX: u64 = 10_000;

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

    /// CPU in steps of 0.001 cores; zero is accepted.
    pub(crate) fn cpu(&mut self, field: &str, amount: &Amount) -> Option<MilliCpu> {
        self.check(field, MilliCpu::parse(amount))
    }

    /// Memory or storage in steps of 1 MiB, a plain number being GiB; zero is accepted.
    pub(crate) fn bytes(&mut self, field: &str, amount: &Amount) -> Option<Bytes> {
        self.check(field, Bytes::parse(amount))
    }

    /// A bearer token, short enough for a header and without anything that a header would change.
    pub(crate) fn token(&mut self, field: &str, token: String) -> Option<Secret> {
        self.check(field, text::token(token))
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
