//! Texts that tenants give and that end up in Kubernetes' objects, in files or in headers: what each is made of.
//!
//! A pattern stands beside the check that keeps it, for the OpenAPI document; a test holds the two together.

use crate::Secret;

/// Longest image reference.
pub const IMAGE_MAX: usize = 1024;
/// What an image reference is made of, as a regular expression.
pub const IMAGE_PATTERN: &str = r"^[A-Za-z0-9][A-Za-z0-9._:/@-]*$";

/// Longest SSH public key.
pub const SSH_PUBLIC_KEY_MAX: usize = 16 * 1024;
/// One line of an OpenSSH public key file, as a regular expression.
pub const SSH_PUBLIC_KEY_PATTERN: &str = r"^(ssh-|ecdsa-|sk-)[a-z0-9@.-]+ [A-Za-z0-9+/=]+( [^\n\r]*)?$";

/// Shortest bearer token.
pub const TOKEN_MIN: usize = 6;
/// Longest bearer token.
pub const TOKEN_MAX: usize = 256;
/// What a bearer token is made of, as a regular expression.
pub const TOKEN_PATTERN: &str = "^[!-~]+$";

/// A container's image, or a VM's disk image: [`IMAGE_PATTERN`], at most [`IMAGE_MAX`] characters.
pub fn image(reference: &str) -> Result<String, String> {
    let starts_well = reference.starts_with(|c: char| c.is_ascii_alphanumeric());
    let inside = |c: char| c.is_ascii_alphanumeric() || "._:/@-".contains(c);
    if !starts_well || reference.len() > IMAGE_MAX || !reference.chars().all(inside) {
        return Err(format!("must be an image reference such as 'nginx:1.29' of at most {IMAGE_MAX} characters"));
    }
    Ok(reference.to_owned())
}

/// [`SSH_PUBLIC_KEY_PATTERN`], at most [`SSH_PUBLIC_KEY_MAX`] characters. The end of the line may be there, and goes;
/// a comment holds no control characters.
pub fn ssh_public_key(key: &str) -> Result<String, String> {
    let key = key.trim_end_matches('\n');
    let mut words = key.split(' ');
    let kind = words.next().unwrap_or_default();
    let blob = words.next().unwrap_or_default();
    let rest = ["ssh-", "ecdsa-", "sk-"].iter().find_map(|prefix| kind.strip_prefix(prefix));
    let kind_ok =
        rest.is_some_and(|rest| !rest.is_empty()) && kind.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "@.-".contains(c));
    let blob_ok = !blob.is_empty() && blob.chars().all(|c| c.is_ascii_alphanumeric() || "+/=".contains(c));
    if !kind_ok || !blob_ok || key.len() > SSH_PUBLIC_KEY_MAX || key.chars().any(char::is_control) {
        return Err("must be one line of an OpenSSH public key, such as 'ssh-ed25519 AAAA... name'".into());
    }
    Ok(key.to_owned())
}

/// A bearer token: [`TOKEN_PATTERN`], [`TOKEN_MIN`] to [`TOKEN_MAX`] characters.
pub fn token(text: String) -> Result<Secret, String> {
    if !(TOKEN_MIN..=TOKEN_MAX).contains(&text.len()) || !text.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(format!("must have {TOKEN_MIN} to {TOKEN_MAX} printable ASCII characters and no spaces"));
    }
    Ok(Secret::new(text))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::Regex;

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

    proptest! {
        #[test]
        fn texts_are_what_their_patterns_say(text in "[aZ0._:/@ ü~\\n-]{0,8}", key in "(ssh-|ecdsa-|sk-|x)[a@.A]{0,2} ?[A+/=*]{0,2}( [ a!ü]{0,3})?") {
            let says = |pattern: &str, text: &str| Regex::new(pattern).expect("a pattern").is_match(text);
            prop_assert_eq!(image(&text).is_ok(), says(IMAGE_PATTERN, &text));
            prop_assert_eq!(ssh_public_key(&key).is_ok(), says(SSH_PUBLIC_KEY_PATTERN, &key));
            prop_assert_eq!(token(text.repeat(TOKEN_MIN)).is_ok(), says(TOKEN_PATTERN, &text));
        }
    }
}
