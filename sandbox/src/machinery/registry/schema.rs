//! The shape of objects: which fields a type has, what is in them, and how each is owned and merged. Server-side apply,
//! strategic merge, decoding and protobuf all read it, by way of [`super::view`]. Built-in kinds come from a table ([`super::types`]), custom
//! ones from their definition ([`super::structural`]). Values are not validated beyond their JSON type.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

/// What JSON form a plain value has, and what Go calls it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Scalar {
    Text,
    Int32,
    Int64,
    Float,
    Flag,
    Bytes,
    Time,
    MicroTime,
    Duration,
    Quantity,
    IntOrText,
}

/// One key of a keyed list. Elements that lack it count with its default.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Key {
    pub(crate) name: Cow<'static, str>,
    pub(crate) default: Option<Value>,
}

/// How a list's elements are told apart.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Elements {
    /// Not at all: the list is one value.
    Atomic,
    /// By their value.
    Set,
    /// By these fields.
    Keyed(Vec<Key>),
}

/// The type of a value.
#[derive(Debug, Clone)]
pub(crate) enum Shape {
    Scalar(Scalar),
    /// Anything: a map key by key, all else as one value.
    Any,
    List(Box<Shape>, Elements),
    Map(Box<Shape>),
    /// A built-in type, by its name in the table.
    Named(&'static str),
    Inner(Arc<Struct>),
    /// Owned and applied as one value.
    Atomic(Box<Shape>),
}

/// One field of a struct.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) shape: Shape,
    /// Absent is not the same as zero; of a custom resource's field, it may be null.
    pub(crate) pointer: bool,
    /// Written even when empty.
    pub(crate) always: bool,
    /// The merge key of strategic merge patches: `None` replaces, `*` merges scalars.
    pub(crate) patch: Option<&'static str>,
    /// What the server fills in where the field is missing; custom resources only.
    pub(crate) default: Option<Value>,
}

/// A type with fields.
#[derive(Debug, Clone, Default)]
pub(crate) struct Struct {
    pub(crate) name: &'static str,
    pub(crate) atomic: bool,
    pub(crate) fields: HashMap<Cow<'static, str>, Field>,
    /// Protobuf numbers: the field, or the type whose fields stand in its place.
    pub(crate) numbers: HashMap<u64, Number>,
    /// What a field may be that is not declared; nothing for most types.
    pub(crate) rest: Option<Shape>,
}

/// What a protobuf number means.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Number {
    Field(&'static str),
    Inline(&'static str),
}
