//! Certificates and kubeconfigs of a throw-away cluster.

use super::state::StateDir;
use anyhow::{Context, Result};
use base64::{Engine, engine::general_purpose::STANDARD};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
};
use std::{fs, path::Path};

/// Subject and use of one certificate.
struct Leaf<'a> {
    name: &'a str,
    common_name: &'a str,
    organization: Option<&'a str>,
    usage: ExtendedKeyUsagePurpose,
    sans: &'a [&'a str],
}

/// How a kubeconfig's user proves who they are.
pub(crate) enum Login<'a> {
    /// The client certificate of that name in the state directory.
    Certificate(&'a str),
    Token(&'a str),
}

const LOOPBACK: [&str; 2] = ["localhost", "127.0.0.1"];

/// Makes every certificate and key that the control plane needs, and the administrator's kubeconfig.
/// `addresses` are those of the apiserver beside loopback.
pub(crate) fn control_plane(state: &StateDir, apiserver: u16, addresses: &[&str]) -> Result<Authority> {
    let ca = authority(state, "ca", "kubekcloud-test")?;
    leaf(
        state,
        &ca,
        &Leaf {
            name: "apiserver",
            common_name: "kube-apiserver",
            organization: None,
            usage: ExtendedKeyUsagePurpose::ServerAuth,
            sans: &[&LOOPBACK[..], &["kubernetes.default.svc"], addresses].concat(),
        },
    )?;
    leaf(
        state,
        &ca,
        &Leaf { name: "admin", common_name: "admin", organization: Some("system:masters"), usage: ExtendedKeyUsagePurpose::ClientAuth, sans: &[] },
    )?;
    // A certificate of this authority speaks for anyone: it must not be the one that clients get.
    let front_proxy = authority(state, "front-proxy-ca", "front-proxy-ca")?;
    leaf(
        state,
        &front_proxy,
        &Leaf { name: "front-proxy", common_name: "front-proxy-client", organization: None, usage: ExtendedKeyUsagePurpose::ClientAuth, sans: &[] },
    )?;
    let accounts = KeyPair::generate()?;
    state.write_private(&state.pki("service-accounts.key"), &accounts.serialize_pem())?;
    fs::write(state.pki("service-accounts.pub"), accounts.public_key_pem())?;
    kubeconfig(state, &state.kubeconfig(), apiserver, &Login::Certificate("admin"))?;
    Ok(ca)
}

/// Makes what the kubelet and kube-proxy of one node need, with their kubeconfigs.
pub(crate) fn node(state: &StateDir, ca: &Authority, apiserver: u16, name: &str, address: &str) -> Result<()> {
    let (server, client) = (ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth);
    let kubelet = format!("system:node:{name}");
    for (name, common_name, organization, usage, sans) in [
        ("kubelet", kubelet.as_str(), Some("system:nodes"), &client, &[][..]),
        ("kubelet-server", kubelet.as_str(), Some("system:nodes"), &server, &[name, address]),
        ("kube-proxy", "system:kube-proxy", None, &client, &[]),
    ] {
        leaf(state, ca, &Leaf { name, common_name, organization, usage: usage.clone(), sans })?;
    }
    for name in ["kubelet", "kube-proxy"] {
        kubeconfig(state, &state.pki(&format!("{name}.kubeconfig")), apiserver, &Login::Certificate(name))?;
    }
    Ok(())
}

/// Makes what KubeVirt's operator would make. virt-api checks the common names of the node agent.
pub(crate) fn kubevirt(state: &StateDir) -> Result<()> {
    let ca = authority(state, "kubevirt-ca", "kubevirt.io")?;
    let server = ExtendedKeyUsagePurpose::ServerAuth;
    let client = ExtendedKeyUsagePurpose::ClientAuth;
    for (name, common_name, usage, sans) in [
        ("virt-api", "virt-api.kubevirt.pod.cluster.local", &server, &["virt-api.kubevirt.svc", "localhost", "127.0.0.1"][..]),
        ("virt-controller", "virt-controller.kubevirt.pod.cluster.local", &server, &["virt-controller.kubevirt.svc", "127.0.0.1"]),
        ("handler-client", "kubevirt.io:system:client:virt-handler", &client, &[]),
        ("handler-server", "kubevirt.io:system:node:virt-handler", &server, &["127.0.0.1"]),
    ] {
        let usage = usage.clone();
        leaf(state, &ca, &Leaf { name, common_name, organization: None, usage, sans })?;
    }
    Ok(())
}

/// Writes a kubeconfig for the cluster's apiserver.
pub(crate) fn kubeconfig(state: &StateDir, path: &Path, apiserver: u16, login: &Login) -> Result<()> {
    let data = |name: String| -> Result<String> {
        let path = state.pki(&name);
        let bytes = fs::read(&path).with_context(|| format!("read {}", path.display()))?;
        Ok(STANDARD.encode(bytes))
    };
    let user = match login {
        Login::Certificate(name) => {
            format!("client-certificate-data: {}\n    client-key-data: {}", data(format!("{name}.crt"))?, data(format!("{name}.key"))?)
        }
        Login::Token(token) => format!("token: {token}"),
    };
    let ca = data("ca.crt".to_owned())?;
    let text = format!(
        "apiVersion: v1
kind: Config
clusters:
- name: kubekcloud-test
  cluster:
    server: https://127.0.0.1:{apiserver}
    certificate-authority-data: {ca}
users:
- name: kubekcloud-test
  user:
    {user}
contexts:
- name: kubekcloud-test
  context:
    cluster: kubekcloud-test
    user: kubekcloud-test
current-context: kubekcloud-test
"
    );
    state.write_private(path, &text)
}

pub(crate) type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority(state: &StateDir, name: &str, common_name: &str) -> Result<Authority> {
    let mut params = CertificateParams::default();
    params.distinguished_name = subject(common_name, None);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    fs::write(state.pki(&format!("{name}.crt")), ca.pem())?;
    Ok(ca)
}

fn leaf(state: &StateDir, ca: &Authority, leaf: &Leaf) -> Result<()> {
    let sans: Vec<String> = leaf.sans.iter().map(|san| (*san).to_owned()).collect();
    let mut params = CertificateParams::new(sans)?;
    params.distinguished_name = subject(leaf.common_name, leaf.organization);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![leaf.usage.clone()];
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, ca)?;
    fs::write(state.pki(&format!("{}.crt", leaf.name)), certificate.pem())?;
    state.write_private(&state.pki(&format!("{}.key", leaf.name)), &key.serialize_pem())
}

fn subject(common_name: &str, organization: Option<&str>) -> DistinguishedName {
    let mut subject = DistinguishedName::new();
    if let Some(organization) = organization {
        subject.push(DnType::OrganizationName, organization);
    }
    subject.push(DnType::CommonName, common_name);
    subject
}
