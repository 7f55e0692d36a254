//! The JSONPath of printer columns: names, quoted names, indexes, `[*]` and filters for equality. No slices, no `..`, no
//! other filters: a column with one of these stays empty.

use serde_json::Value;

#[derive(Debug, Clone, PartialEq)]
enum Segment {
    Name(String),
    /// From the end, if it is negative.
    Index(i64),
    All,
    /// `[?(@.path == value)]`
    Where(Vec<Segment>, Value),
}

/// A path, parsed.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct JsonPath(Option<Vec<Segment>>);

impl JsonPath {
    pub(crate) fn parse(text: &str) -> Self {
        JsonPath(segments(text))
    }

    /// The first value that the path leads to.
    pub(crate) fn first<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        walk(self.0.as_ref()?, value)
    }
}

fn walk<'v>(path: &[Segment], value: &'v Value) -> Option<&'v Value> {
    let Some((head, rest)) = path.split_first() else { return Some(value) };
    let list = value.as_array();
    match head {
        Segment::Name(name) => walk(rest, value.get(name)?),
        Segment::Index(index) => {
            let place = if *index < 0 { i64::try_from(list?.len()).ok()? + index } else { *index };
            walk(rest, list?.get(usize::try_from(place).ok()?)?)
        }
        Segment::All => match value {
            Value::Object(map) => map.values().find_map(|inner| walk(rest, inner)),
            _ => list?.iter().find_map(|inner| walk(rest, inner)),
        },
        Segment::Where(path, wanted) => list?.iter().filter(|e| walk(path, e) == Some(wanted)).find_map(|inner| walk(rest, inner)),
    }
}

fn segments(text: &str) -> Option<Vec<Segment>> {
    let (mut out, mut rest) = (Vec::new(), text);
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let end = closing(inner)?;
            out.push(bracket(inner[..end].trim())?);
            rest = &inner[end + 1..];
            continue;
        }
        let (name, after) = name(rest.strip_prefix('.').unwrap_or(rest))?;
        match name.as_str() {
            "" if after.is_empty() => {}
            "" => return None,
            "*" => out.push(Segment::All),
            _ => out.push(Segment::Name(name)),
        }
        rest = after;
    }
    Some(out)
}

/// A name up to the next dot or bracket; a backslash takes the meaning from what follows.
fn name(text: &str) -> Option<(String, &str)> {
    let (mut name, mut chars) = (String::new(), text.char_indices());
    while let Some((at, c)) = chars.next() {
        match c {
            '.' | '[' => return Some((name, &text[at..])),
            '\\' => name.push(chars.next()?.1),
            c => name.push(c),
        }
    }
    Some((name, ""))
}

/// Where the bracket ends that began before the text.
fn closing(text: &str) -> Option<usize> {
    let (mut depth, mut quote) = (0, None);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(q), c) if q == c => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '[') => depth += 1,
            (None, ']') if depth == 0 => return Some(at),
            (None, ']') => depth -= 1,
            _ => {}
        }
    }
    None
}

fn bracket(text: &str) -> Option<Segment> {
    if let Some(filter) = text.strip_prefix("?(").and_then(|t| t.strip_suffix(')')) {
        let (path, wanted) = filter.split_once("==")?;
        return Some(Segment::Where(segments(path.trim().strip_prefix('@')?)?, literal(wanted.trim())?));
    }
    match text {
        "*" => Some(Segment::All),
        _ => match literal(text)? {
            Value::String(name) => Some(Segment::Name(name.replace("\\.", "."))),
            index => Some(Segment::Index(index.as_i64()?)),
        },
    }
}

/// A number, a flag or a text in either kind of quotes.
fn literal(text: &str) -> Option<Value> {
    match text.strip_prefix('\'').and_then(|t| t.strip_suffix('\'')) {
        Some(quoted) => Some(Value::from(quoted)),
        None => serde_json::from_str(text).ok().filter(|v: &Value| !v.is_array() && !v.is_object()),
    }
}

#[test]
fn paths_find_names_indexes_and_what_a_filter_selects() {
    let value = serde_json::json!({"a": {"b.c": 1}, "l": [{"n": "x", "v": 1}, {"n": "y", "v": 2}]});
    let find = |path: &str| JsonPath::parse(path).first(&value).cloned().unwrap_or_default();
    for (path, found) in [
        (".a['b\\.c']", 1),
        (".a.b\\.c", 1),
        (".l[1].v", 2),
        (".l[-1].v", 2),
        (".l[*].v", 1),
        (r#".l[?(@.n=="y")].v"#, 2),
        (".l[?(@.n == 'x')].v", 1),
    ] {
        assert_eq!(find(path), found, "{path}");
    }
    for path in [".x", ".l[5]", ".l[?(@.n>1)].v", "..v", ".l[", ".a.b"] {
        assert_eq!(find(path), Value::Null, "{path}");
    }
}
