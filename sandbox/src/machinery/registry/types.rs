//! The built-in types, read once from a generated table, `schema/types.txt`.
//!
//! A line is a type and its fields: `core.Container name=s#1|always ports=[core.ContainerPort#6|patch=...|map=...`.
//! A field has its JSON name, its type, its protobuf number and marks. Types: one letter is a scalar, `*` a pointer, `[` a
//! list of, `{` a map from text to, all else another type. `@` puts another type's fields in place. Marks: `always` is
//! written when empty, `zero` that an empty time is not; `set` and `map=KEY:DEFAULT,...` say how elements are told apart; `atomic`; `patch=KEY` merges in
//! strategic patches. `!` after a type's name: atomic wherever it stands.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use super::schema::{Elements, Field, Key, Number, Scalar, Shape, Struct};

static TEXT: &str = include_str!("../../../schema/types.txt");

struct Table {
    kinds: HashMap<(&'static str, &'static str), &'static str>,
    types: HashMap<&'static str, Struct>,
}

static TABLE: LazyLock<Table> = LazyLock::new(read);

/// A type by its name in the table.
pub(crate) fn named(name: &str) -> Option<&'static Struct> {
    TABLE.types.get(name)
}

/// The type of a built-in kind.
pub(crate) fn of_kind(api_version: &str, kind: &str) -> Option<Shape> {
    TABLE.kinds.get(&(api_version, kind)).map(|name| Shape::Named(name))
}

type Lines = HashMap<&'static str, (&'static str, bool)>;

fn read() -> Table {
    let (mut kinds, mut lines) = (HashMap::new(), Lines::new());
    for line in TEXT.lines().filter(|l| !l.starts_with('#')) {
        let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
        if first == "kind" {
            if let [version, kind, name] = rest.split(' ').collect::<Vec<_>>()[..] {
                kinds.insert((version, kind), name);
            }
        } else {
            lines.insert(first.trim_end_matches('!'), (rest, first.ends_with('!')));
        }
    }
    let types = lines.iter().map(|(name, (_, atomic))| (*name, structure(name, *atomic, &lines))).collect();
    Table { kinds, types }
}

fn structure(name: &'static str, atomic: bool, lines: &Lines) -> Struct {
    let mut out = Struct { name, atomic, ..Struct::default() };
    let text = lines.get(name).map_or("", |(text, _)| *text);
    for token in text.split(' ').filter(|t| !t.is_empty()) {
        let Some((name, rest)) = token.split_once('=') else { continue };
        let mut marks = rest.split('|');
        let (kind, number) = marks.next().map_or(("", None), |t| t.split_once('#').map_or((t, None), |(t, n)| (t, n.parse().ok())));
        if name == "@" {
            out.fields.extend(structure(kind, false, lines).fields);
            out.numbers.extend(number.map(|n| (n, Number::Inline(kind))));
            continue;
        }
        out.numbers.extend(number.map(|n| (n, Number::Field(name))));
        out.fields.insert(Cow::Borrowed(name), field(kind, marks));
    }
    out
}

fn field(kind: &'static str, marks: impl Iterator<Item = &'static str>) -> Field {
    let pointer = kind.starts_with('*');
    let mut field = Field { shape: shape(kind.trim_start_matches('*')), pointer, always: false, patch: None, default: None };
    // Go writes an empty time even where other empty fields are left out.
    field.always = !pointer && matches!(field.shape, Shape::Scalar(Scalar::Time | Scalar::MicroTime));
    for mark in marks {
        match mark.split_once('=').unwrap_or((mark, "")) {
            ("always", _) => field.always = true,
            ("zero", _) => field.always = false,
            ("patch", key) => field.patch = Some(key),
            ("atomic", _) => field.shape = Shape::Atomic(Box::new(field.shape)),
            ("set", _) => elements(&mut field.shape, Elements::Set),
            ("map", keys) => elements(&mut field.shape, Elements::Keyed(keys.split(',').map(key).collect())),
            _ => {}
        }
    }
    field
}

fn elements(shape: &mut Shape, told: Elements) {
    if let Shape::List(_, elements) = shape {
        *elements = told;
    }
}

fn key(text: &'static str) -> Key {
    let (name, default) = text.split_once(':').unwrap_or((text, ""));
    Key { name: Cow::Borrowed(name), default: serde_json::from_str(default).ok() }
}

fn shape(text: &'static str) -> Shape {
    let scalar = match text {
        "s" => Scalar::Text,
        "i" => Scalar::Int32,
        "l" => Scalar::Int64,
        "f" => Scalar::Float,
        "b" => Scalar::Flag,
        "B" => Scalar::Bytes,
        "T" => Scalar::Time,
        "U" => Scalar::MicroTime,
        "D" => Scalar::Duration,
        "Q" => Scalar::Quantity,
        "E" => Scalar::IntOrText,
        "R" => return Shape::Any,
        _ => {
            return match text.split_at_checked(1) {
                Some(("*", inner)) => shape(inner),
                Some(("[", inner)) => Shape::List(Box::new(shape(inner)), Elements::Atomic),
                Some(("{", inner)) => Shape::Map(Box::new(shape(inner))),
                _ => Shape::Named(text),
            };
        }
    };
    Shape::Scalar(scalar)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_that_a_field_names_is_in_the_table() {
        fn named_in(shape: &Shape) -> Option<&'static str> {
            match shape {
                Shape::Named(name) => Some(name),
                Shape::List(inner, _) | Shape::Map(inner) | Shape::Atomic(inner) => named_in(inner),
                _ => None,
            }
        }
        assert!(TABLE.types.len() > 300 && TABLE.kinds.len() > 60);
        let fields = TABLE.types.values().flat_map(|t| t.fields.values());
        fields.filter_map(|f| named_in(&f.shape)).for_each(|name| assert!(named(name).is_some(), "{name}"));
        TABLE.kinds.values().for_each(|name| assert!(named(name).is_some(), "{name}"));
    }

    #[test]
    fn marks_are_read() {
        let container = named("core.Container").expect("a type");
        assert!(
            matches!(&container.fields["ports"].shape, Shape::List(_, Elements::Keyed(keys)) if keys.len() == 2 && keys[1].default == Some("TCP".into()))
        );
        assert_eq!(container.fields["env"].patch, Some("name"));
        assert!(named("core.Volume").expect("a type").fields.contains_key("emptyDir"), "inlined");
        assert!(named("meta.LabelSelector").expect("a type").atomic);
    }
}
