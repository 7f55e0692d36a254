//! Schemas of types that are not this crate's.

use types::{
    name::{CLUSTER_NAME_MAX, CLUSTER_NAME_PATTERN, USERNAME_MAX, USERNAME_PATTERN},
    text::{IMAGE_MAX, IMAGE_PATTERN, SSH_PUBLIC_KEY_MAX, SSH_PUBLIC_KEY_PATTERN, TOKEN_MAX, TOKEN_MIN, TOKEN_PATTERN},
};
use utoipa::openapi::{
    KnownFormat, Object, ObjectBuilder, RefOr, Schema, SchemaFormat,
    schema::{OneOfBuilder, SchemaType, Type},
};

fn word(values: impl IntoIterator<Item = &'static str>) -> Object {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(values)).build()
}

macro_rules! words {
    ($($name:ident = $type:ty),* $(,)?) => {
        $(pub(crate) fn $name() -> Object { word(<$type>::ALL.iter().map(|value| value.as_str())) })*
    };
}
words!(
    role = types::Role,
    instance_type = types::InstanceType,
    instance_status = types::InstanceStatus,
    cluster_status = types::ClusterStatus,
    desired = types::Desired,
    transition = types::Transition,
    operation = types::Operation,
);

fn amount(maximum: f64, pattern: &str, description: &str) -> RefOr<Schema> {
    let number = ObjectBuilder::new().schema_type(Type::Number).minimum(Some(0.0)).maximum(Some(maximum));
    let text = ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern));
    OneOfBuilder::new().item(number).item(text).description(Some(description)).into()
}

/// Also `null`.
fn optional(item: impl Into<RefOr<Schema>>) -> RefOr<Schema> {
    OneOfBuilder::new().item(item).item(ObjectBuilder::new().schema_type(Type::Null)).into()
}

macro_rules! optionals {
    ($($name:ident = $of:ident),* $(,)?) => {
        $(pub(crate) fn $name() -> RefOr<Schema> { optional($of()) })*
    };
}
optionals!(
    optional_cpu = cpu,
    optional_gib = gib,
    optional_id = id,
    optional_decimal = decimal,
    optional_role = role,
    optional_time = time,
    optional_transition = transition
);

/// Cores, on the way in.
pub(crate) fn cpu() -> RefOr<Schema> {
    amount(1e6, r"^[0-9]{1,6}m?$", "CPU cores in steps of 0.001, or Kubernetes' notation (\"500m\")")
}

/// GiB, on the way in.
pub(crate) fn gib() -> RefOr<Schema> {
    amount(16e6, r"^[0-9]{1,7}(Mi|Gi)$", "GiB in steps of 1 MiB (1/1024), or Kubernetes' notation (\"512Mi\", \"4Gi\")")
}

/// A decimal, on the way out.
pub(crate) fn decimal() -> Object {
    ObjectBuilder::new().schema_type(Type::Number).format(Some(SchemaFormat::KnownFormat(KnownFormat::Double))).build()
}

/// A row id.
pub(crate) fn id() -> Object {
    ObjectBuilder::new().schema_type(Type::Integer).format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64))).build()
}

/// A point in time.
pub(crate) fn time() -> Object {
    ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime))).build()
}

/// A cluster's name.
pub(crate) fn cluster_name() -> Object {
    text(CLUSTER_NAME_MAX, CLUSTER_NAME_PATTERN)
        .min_length(Some(1))
        .description(Some("DNS-1123 label; names of system namespaces are reserved"))
        .build()
}

/// A user's name.
pub(crate) fn username() -> Object {
    text(USERNAME_MAX, USERNAME_PATTERN).min_length(Some(1)).build()
}

/// What a cluster is made from.
pub(crate) fn optional_image() -> Object {
    let description = "Container image, or for a VM the container disk to boot from.";
    optional_text(IMAGE_MAX, IMAGE_PATTERN, description).min_length(Some(1)).build()
}

/// Who may enter.
pub(crate) fn optional_ssh_public_key() -> Object {
    let description = "OpenSSH public key: in a VM through cloud-init, in a container as `/etc/ssh-keys/authorized_keys`.";
    optional_text(SSH_PUBLIC_KEY_MAX, SSH_PUBLIC_KEY_PATTERN, description).build()
}

/// A new user's token.
pub(crate) fn optional_token() -> Object {
    let description =
        format!("Static bearer token: {TOKEN_MIN} to {TOKEN_MAX} printable ASCII characters without spaces. Left out, one is made and shown once.");
    optional_text(TOKEN_MAX, TOKEN_PATTERN, &description).min_length(Some(TOKEN_MIN)).build()
}

/// A token in place of another.
pub(crate) fn optional_new_token() -> Object {
    optional_text(TOKEN_MAX, TOKEN_PATTERN, "The new token. Left out, one is made.").min_length(Some(TOKEN_MIN)).build()
}

fn text(longest: usize, pattern: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).max_length(Some(longest)).pattern(Some(pattern))
}

fn optional_text(longest: usize, pattern: &str, description: &str) -> ObjectBuilder {
    text(longest, pattern).schema_type(SchemaType::from_iter([Type::String, Type::Null])).description(Some(description))
}
