//! The shape of objects: which fields a type has, what is in them, and how each is owned and merged. Server-side apply,
//! strategic merge, decoding and protobuf all read it here. Built-in kinds come from a table ([`super::types`]), custom
//! ones from their definition ([`super::structural`]). Values are not validated beyond their JSON type.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use super::types;

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

/// How a value is looked at for ownership.
pub(crate) enum View<'s> {
    Leaf,
    Map(Members<'s>),
    List(&'s Shape, &'s Elements),
}

/// The fields of a map or struct.
#[derive(Clone, Copy)]
pub(crate) struct Members<'s> {
    declared: Option<&'s Struct>,
    other: &'s Shape,
}

pub(crate) static ANY: Shape = Shape::Any;

impl<'s> Members<'s> {
    pub(crate) fn shape(&self, name: &str) -> &'s Shape {
        self.declared.and_then(|s| s.fields.get(name)).map_or(self.other, |f| &f.shape)
    }

    /// Whether the field is a struct's own, not the key of a map.
    pub(crate) fn is_named(&self, name: &str) -> bool {
        self.declared.is_some_and(|s| s.fields.contains_key(name))
    }
}

impl Shape {
    /// The struct behind a shape, if it is one.
    pub(crate) fn structure(&self) -> Option<&Struct> {
        match self {
            Shape::Named(name) => types::named(name),
            Shape::Inner(inner) => Some(inner),
            Shape::Atomic(inner) => inner.structure(),
            _ => None,
        }
    }

    /// The shape of a list's elements or a map's values.
    pub(crate) fn inner(&self) -> &Shape {
        match self {
            Shape::List(inner, _) | Shape::Map(inner) => inner,
            Shape::Atomic(inner) => inner.inner(),
            _ => &ANY,
        }
    }

    /// How a value of this shape is owned: as one, by its fields or by its elements.
    pub(crate) fn view(&self, value: &Value) -> View<'_> {
        match self {
            Shape::Any if value.is_object() => View::Map(Members { declared: None, other: &ANY }),
            Shape::Scalar(_) | Shape::Any | Shape::Atomic(_) | Shape::List(_, Elements::Atomic) => View::Leaf,
            Shape::List(item, elements) => View::List(item, elements),
            Shape::Map(item) => View::Map(Members { declared: None, other: item }),
            Shape::Named(_) | Shape::Inner(_) => match self.structure() {
                Some(inner) if inner.atomic => View::Leaf,
                Some(inner) => View::Map(Members { declared: Some(inner), other: inner.rest.as_ref().unwrap_or(&ANY) }),
                None => View::Leaf,
            },
        }
    }
}

/// The part of a path that names an element, as `fieldsV1` writes it. `None` where an element can't be told apart.
pub(crate) fn element_key(elements: &Elements, element: &Value) -> Option<String> {
    match elements {
        Elements::Atomic => None,
        Elements::Set => (!element.is_object() && !element.is_array() && !element.is_null()).then(|| format!("v:{element}")),
        Elements::Keyed(keys) => {
            let map = element.as_object()?;
            let mut named: Vec<(&str, &Value)> =
                keys.iter().filter_map(|k| map.get(&*k.name).filter(|v| !v.is_null()).or(k.default.as_ref()).map(|v| (&*k.name, v))).collect();
            named.sort_by_key(|(name, _)| *name);
            let each: Vec<String> = named.iter().map(|(name, value)| format!("{}:{value}", Value::from(*name))).collect();
            (!each.is_empty()).then(|| format!("k:{{{}}}", each.join(",")))
        }
    }
}

/// A kind that nothing more is known of than its metadata, and that its status has conditions.
pub(crate) fn unknown_kind() -> Shape {
    let field = |shape, patch| Field { shape, pointer: true, always: false, patch, default: None };
    let open = |name: &'static str, inner| {
        let fields = HashMap::from([(name.into(), inner)]);
        Shape::Inner(Arc::new(Struct { fields, rest: Some(Shape::Any), ..Struct::default() }))
    };
    let status = open("conditions", field(Shape::Any, Some("type")));
    let Shape::Inner(root) = open("metadata", field(Shape::Named("meta.ObjectMeta"), None)) else { return Shape::Any };
    let mut root = Arc::unwrap_or_clone(root);
    root.fields.insert("status".into(), field(status, None));
    Shape::Inner(Arc::new(root))
}
