//! Checks of request fields, all of them at once, so that a caller learns everything in one answer.

use types::{Amount, Bytes, Error, FieldError, MilliCpu, Result, Secret};

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
        let right_length = (6..=256).contains(&token.len());
        if !right_length || !token.bytes().all(|b| b.is_ascii_graphic()) {
            self.refuse(field, "must have 6 to 256 printable ASCII characters and no spaces");
            return None;
        }
        Some(Secret::new(token))
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

/// `^[A-Za-z0-9][A-Za-z0-9._:/@-]*$`, at most 1,024 characters: what an image reference is made of.
pub(crate) fn image(reference: &str) -> Result<String, String> {
    let starts_well = reference.starts_with(|c: char| c.is_ascii_alphanumeric());
    let inside = |c: char| c.is_ascii_alphanumeric() || "._:/@-".contains(c);
    if !starts_well || reference.len() > 1024 || !reference.chars().all(inside) {
        return Err("must be an image reference such as 'nginx:1.29' of at most 1024 characters".into());
    }
    Ok(reference.to_owned())
}

/// One line of an OpenSSH public key file.
pub(crate) fn ssh_public_key(key: &str) -> Result<String, String> {
    const MAX: usize = 16 * 1024;
    let key = key.trim_end_matches('\n');
    let mut words = key.split(' ');
    let kind = words.next().unwrap_or_default();
    let blob = words.next().unwrap_or_default();
    let known = ["ssh-", "ecdsa-", "sk-"].iter().any(|prefix| kind.starts_with(prefix));
    let kind_ok = known && kind.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "@.-".contains(c));
    let blob_ok = !blob.is_empty() && blob.chars().all(|c| c.is_ascii_alphanumeric() || "+/=".contains(c));
    if !kind_ok || !blob_ok || key.len() > MAX || key.chars().any(char::is_control) {
        return Err("must be one line of an OpenSSH public key, such as 'ssh-ed25519 AAAA... name'".into());
    }
    Ok(key.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_and_keys_cannot_smuggle_anything() {
        assert!(image("registry.local:5000/shop/web@sha256:abc").is_ok());
        for bad in ["", "-x", "a b", "a\nb", "a;b", "$(x)", &"a".repeat(1025)] {
            assert!(image(bad).is_err(), "{bad:?}");
        }
        assert!(ssh_public_key("ssh-ed25519 AAAAC3Nza ann@host").is_ok());
        for bad in ["", "ssh-ed25519", "AAAA", "ssh-rsa AAAA x\nssh-rsa BBBB y", "command=\"x\" ssh-rsa AAAA", "ssh-rsa A*A"] {
            assert!(ssh_public_key(bad).is_err(), "{bad:?}");
        }
    }
}
