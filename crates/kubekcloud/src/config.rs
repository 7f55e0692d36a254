//! What the environment says. Every name is in the README's table.

use std::{net::IpAddr, path::PathBuf};

use anyhow::{Context, bail};
use app::Policy;
use ipnet::IpNet;
use store::TokenKey;
use types::{Secret, name::is_dns_label};

/// The original design's default: beside where the program is started.
const DATABASE_URL: &str = "sqlite:///./cmp.db";

/// The environment's part of the configuration; flags are the commands'.
#[derive(Debug)]
pub(crate) struct Config {
    /// Which database. It may hold a password.
    pub(crate) database_url: Secret,
    /// A kubeconfig for the member `local`.
    pub(crate) kubeconfig: Option<PathBuf>,
    /// The first admin's token.
    pub(crate) bootstrap_token: Option<Secret>,
    /// What keys the digests of tokens; left out, the database's own.
    pub(crate) token_key: Option<TokenKey>,
    /// Networks of proxies in front of us.
    pub(crate) trusted_proxies: Vec<IpNet>,
    /// Networks that tenants must not reach besides private ones.
    pub(crate) deny_cidrs: Vec<IpNet>,
    /// What an installation decides for itself.
    pub(crate) policy: Policy,
}

impl Config {
    /// Reads `.env` where the program is started, then the environment, which wins.
    pub(crate) fn load() -> anyhow::Result<Self> {
        // Not of any directory above: what lies there is somebody else's.
        match dotenvy::from_path(".env") {
            Ok(()) => {}
            Err(error) if error.not_found() => {}
            Err(error) => bail!("cannot read .env: {error}"),
        }
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> anyhow::Result<Self> {
        // An empty value is an unset one: the original `.env` has `K8S_CONFIG_PATH=`.
        let get = |name: &str| lookup(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        if let Some(namespace) = get("K8S_NAMESPACE")
            && !is_dns_label(&namespace)
        {
            bail!("K8S_NAMESPACE: '{namespace}' is not a namespace's name");
        }
        let kubeconfig = get("K8S_CONFIG_PATH").map(PathBuf::from);
        if let Some(path) = &kubeconfig {
            std::fs::metadata(path).with_context(|| format!("K8S_CONFIG_PATH: {}", path.display()))?;
        }
        let trusted_proxies = networks(&get("KUBEKCLOUD_TRUSTED_PROXIES").unwrap_or_default()).context("KUBEKCLOUD_TRUSTED_PROXIES")?;
        let default = Policy::default();
        Ok(Self {
            database_url: Secret::new(get("DATABASE_URL").unwrap_or_else(|| DATABASE_URL.to_owned())),
            kubeconfig,
            bootstrap_token: get("KUBEKCLOUD_BOOTSTRAP_TOKEN").map(Secret::new),
            token_key: get("KUBEKCLOUD_TOKEN_KEY").map(token_key).transpose()?,
            trusted_proxies,
            deny_cidrs: networks(&get("KUBEKCLOUD_DENY_CIDRS").unwrap_or_default()).context("KUBEKCLOUD_DENY_CIDRS")?,
            policy: Policy {
                open_sign_up: false,
                container_image: get("KUBEKCLOUD_CONTAINER_IMAGE").unwrap_or(default.container_image),
                vm_image: get("KUBEKCLOUD_VM_IMAGE").unwrap_or(default.vm_image),
                hides_names: hides_names(get("KUBEKCLOUD_NAMESPACE_SUFFIX").as_deref())?,
                ..default
            },
        })
    }
}

fn hides_names(suffix: Option<&str>) -> anyhow::Result<bool> {
    match suffix {
        None | Some("when-taken") => Ok(false),
        Some("always") => Ok(true),
        Some(other) => bail!("KUBEKCLOUD_NAMESPACE_SUFFIX: '{other}' is neither 'when-taken' nor 'always'"),
    }
}

/// A key that could be guessed would be none.
fn token_key(key: String) -> anyhow::Result<TokenKey> {
    const LEAST: usize = 32;
    if key.len() < LEAST {
        bail!("KUBEKCLOUD_TOKEN_KEY must have at least {LEAST} bytes");
    }
    Ok(TokenKey::new(Secret::new(key)))
}

/// `10.0.0.0/8, 192.0.2.7`: networks, or single addresses.
fn networks(list: &str) -> anyhow::Result<Vec<IpNet>> {
    let each = list.split(',').map(str::trim).filter(|text| !text.is_empty());
    each.map(|text| text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).with_context(|| format!("'{text}' is not a network"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(pairs: &[(&str, &str)]) -> anyhow::Result<Config> {
        Config::from_lookup(|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn the_seeds_example_file_is_accepted() {
        let config = config(&[("DATABASE_URL", "sqlite:///./cmp.db"), ("K8S_NAMESPACE", "default"), ("K8S_CONFIG_PATH", "")]).expect("valid");
        assert_eq!(config.database_url.expose(), DATABASE_URL);
        assert!(config.kubeconfig.is_none() && !config.policy.open_sign_up);
    }

    #[test]
    fn what_cannot_work_is_refused_at_the_start() {
        assert!(config(&[("K8S_CONFIG_PATH", "/nowhere/kubeconfig")]).is_err());
        assert!(config(&[("K8S_NAMESPACE", "Not A Name")]).is_err());
        assert!(config(&[("KUBEKCLOUD_TOKEN_KEY", "short")]).is_err());
        assert!(config(&[("KUBEKCLOUD_DENY_CIDRS", "nodes")]).is_err());
        assert!(config(&[("KUBEKCLOUD_NAMESPACE_SUFFIX", "never")]).is_err());
        assert!(config(&[("KUBEKCLOUD_NAMESPACE_SUFFIX", "always")]).expect("valid").policy.hides_names);
        assert!(config(&[("KUBEKCLOUD_TRUSTED_PROXIES", "10.0.0.0/8, proxy.example")]).is_err());
        assert_eq!(config(&[("KUBEKCLOUD_TRUSTED_PROXIES", "10.0.0.0/8, ::1")]).expect("valid").trusted_proxies.len(), 2);
    }

    #[test]
    fn the_database_password_is_not_printed() {
        let config = config(&[("DATABASE_URL", "postgresql://u:canary@h/d")]).expect("valid");
        assert!(!format!("{config:?}").contains("canary"));
    }
}
