//! How a value of a shape is looked at: by its fields, by its elements, or as one. Names of built-in types are looked up
//! here, so that the data ([`super::schema`]) knows of no table.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use super::schema::{Elements, Field, Shape, Struct};
use super::types;

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
