//! A container's environment, as kubelet makes it from the spec.

use serde_json::Value;

use crate::machinery::notation::value::{at, list, plain, text};
use crate::server::{cluster::Cluster, store::Key};

/// A substituted value is not longer than this.
const LONGEST: usize = 64 << 10;

/// The variables, in the order of their making.
pub(crate) fn of(cluster: &Cluster, pod: &Value, spec: &Value, hostname: &str) -> Vec<(String, String)> {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut env = vec![
        pair("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
        pair("HOSTNAME", hostname),
        pair("HOME", "/root"),
        pair("KUBERNETES_SERVICE_HOST", &text_of(cluster, "services", "default", "kubernetes", "spec.clusterIP")),
        pair("KUBERNETES_SERVICE_PORT", "443"),
        pair("KUBERNETES_PORT", "tcp://kubernetes.default.svc:443"),
    ];
    let namespace = text(pod, "metadata.namespace");
    for source in list(spec, "envFrom") {
        let (table, field) = if source["secretRef"].is_object() { ("secrets", "secretRef.name") } else { ("configmaps", "configMapRef.name") };
        for (name, value) in data(cluster, table, namespace, text(source, field)) {
            put(&mut env, format!("{}{name}", text(source, "prefix")), String::from_utf8_lossy(&value).into_owned());
        }
    }
    for each in list(spec, "env") {
        let value = match at(each, "valueFrom") {
            Some(from) => from_source(cluster, pod, spec, from),
            None => Some(substituted(text(each, "value"), &env)),
        };
        if let Some(value) = value {
            put(&mut env, text(each, "name").to_owned(), value);
        }
    }
    env
}

fn put(env: &mut Vec<(String, String)>, name: String, value: String) {
    env.retain(|(held, _)| *held != name);
    env.push((name, value));
}

fn text_of(cluster: &Cluster, table: &str, namespace: &str, name: &str, path: &str) -> String {
    cluster.lister().get(table, &Key::new(namespace, name)).map(|entry| text(&entry.value(), path).to_owned()).unwrap_or_default()
}

fn from_source(cluster: &Cluster, pod: &Value, spec: &Value, from: &Value) -> Option<String> {
    let namespace = text(pod, "metadata.namespace");
    for (reference, table) in [("configMapKeyRef", "configmaps"), ("secretKeyRef", "secrets")] {
        if let Some(reference) = at(from, reference) {
            let found = data(cluster, table, namespace, text(reference, "name")).into_iter().find(|(key, _)| key == text(reference, "key"));
            return found.map(|(_, value)| String::from_utf8_lossy(&value).into_owned());
        }
    }
    if let Some(reference) = at(from, "resourceFieldRef") {
        let resource = text(reference, "resource");
        return Some(at(spec, &format!("resources.{resource}")).map(plain).unwrap_or_else(|| "0".to_owned()));
    }
    Some(field(pod, text(from, "fieldRef.fieldPath")))
}

/// A field of the Pod, as the downward API names it.
pub(super) fn field(pod: &Value, path: &str) -> String {
    if let Some((map, key)) = path.split_once("['") {
        return at(pod, map).and_then(|m| m.get(key.trim_end_matches("']"))).map(plain).unwrap_or_default();
    }
    match at(pod, path) {
        Some(Value::Object(map)) => map.iter().map(|(k, v)| format!("{k}={:?}", plain(v))).collect::<Vec<_>>().join("\n"),
        Some(Value::Array(each)) => each.iter().map(|v| text(v, "ip")).collect::<Vec<_>>().join(","),
        Some(value) => plain(value),
        None => String::new(),
    }
}

/// The entries of a ConfigMap or a Secret, decoded.
pub(super) fn data(cluster: &Cluster, table: &str, namespace: &str, name: &str) -> Vec<(String, Vec<u8>)> {
    use base64::Engine;
    let Some(entry) = cluster.lister().get(table, &Key::new(namespace, name)) else { return vec![] };
    let object = entry.value();
    let encoded = |field: &str| table == "secrets" || field == "binaryData";
    let mut out = Vec::new();
    for field in ["data", "binaryData"] {
        for (key, value) in at(&object, field).and_then(Value::as_object).into_iter().flatten() {
            let text = plain(value);
            let bytes = if encoded(field) { base64::engine::general_purpose::STANDARD.decode(&text).unwrap_or_default() } else { text.into_bytes() };
            out.push((key.clone(), bytes));
        }
    }
    out
}

/// `$(NAME)` replaced; `$$` is a `$`; an unknown name stays as it is.
pub(super) fn substituted(value: &str, env: &[(String, String)]) -> String {
    let (mut out, mut rest) = (String::new(), value);
    while let Some(at) = rest.find('$').filter(|_| out.len() < LONGEST) {
        out += &rest[..at];
        rest = &rest[at..];
        let name = rest.strip_prefix("$(").and_then(|r| r.split_once(')')).map(|(name, _)| name);
        let known = name.and_then(|name| env.iter().find(|(n, _)| n == name));
        if let (Some(name), Some((_, value))) = (name, known) {
            out += value;
            rest = &rest[name.len() + 3..];
        } else {
            let escaped = rest.starts_with("$$");
            out.push('$');
            rest = &rest[1 + usize::from(escaped)..];
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::substituted;

    #[test]
    fn names_in_parentheses_are_replaced_as_kubelet_does() {
        let env = [("A".to_owned(), "1".to_owned())];
        assert_eq!(substituted("x$(A)y $(B) $$(A) $A $", &env), "x1y $(B) $(A) $A $");
    }
}
