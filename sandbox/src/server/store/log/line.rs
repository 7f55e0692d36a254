//! The lines of the log. An object's text stands in one as it is (`o`), or packed (`z`, in base64, with the name of its
//! dictionary and the length of the text); beside it its index. A line without either removes an object.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{Result, Write};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::super::entry::Index;
use super::super::pack::{Dictionary, Packed};
use super::super::{Entry, Key};

#[derive(Serialize, Deserialize, Default)]
pub(super) struct Line<'l> {
    pub(super) v: u64,
    #[serde(borrow, default, skip_serializing_if = "str::is_empty")]
    t: &'l str,
    #[serde(borrow, default, skip_serializing_if = "str::is_empty")]
    ns: &'l str,
    #[serde(borrow, default, skip_serializing_if = "str::is_empty")]
    n: &'l str,
    /// A dictionary: what it is called, and its text.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    dictionary: Option<(u64, &'l str)>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    index: Option<IndexLine<'l>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    o: Option<&'l RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    z: Option<(u64, u32, &'l str)>,
}

#[derive(Serialize, Deserialize)]
struct IndexLine<'l> {
    #[serde(borrow)]
    uid: Cow<'l, str>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    deleting: bool,
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    owners: Vec<Cow<'l, str>>,
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    finalizers: Vec<Cow<'l, str>>,
    #[serde(borrow)]
    labels: Cow<'l, str>,
    names: Vec<Cow<'l, str>>,
    #[serde(borrow)]
    fields: Cow<'l, str>,
}

pub(super) fn write_dictionary(out: &mut Vec<u8>, table: &str, dictionary: &Dictionary) -> Result<()> {
    let text = STANDARD.encode(&dictionary.text);
    write_line(out, &Line { t: table, dictionary: Some((dictionary.id, &text)), ..Line::default() })
}

pub(super) fn write_removal(out: &mut Vec<u8>, table: &str, key: &Key, version: u64) -> Result<()> {
    write_line(out, &Line { v: version, t: table, ns: &key.namespace, n: &key.name, ..Line::default() })
}

pub(super) fn write_object(out: &mut Vec<u8>, table: &str, entry: &Entry) -> Result<()> {
    let index = IndexLine {
        uid: Cow::Borrowed(&entry.uid),
        deleting: entry.deleting,
        owners: entry.owners.iter().map(|owner| Cow::Borrowed(&**owner)).collect(),
        finalizers: entry.finalizers.iter().map(|finalizer| Cow::Borrowed(&**finalizer)).collect(),
        labels: Cow::Borrowed(&entry.index.labels),
        names: entry.index.names.iter().map(|name| Cow::Borrowed(&**name)).collect(),
        fields: Cow::Borrowed(&entry.index.fields),
    };
    let encoded;
    let (o, z) = match &entry.packed {
        Packed::Plain(text) => (Some(serde_json::from_slice(text)?), None),
        Packed::Against { dictionary, length, bytes } => {
            encoded = STANDARD.encode(bytes);
            (None, Some((dictionary.as_ref().map_or(0, |d| d.id), *length, encoded.as_str())))
        }
    };
    write_line(out, &Line { v: entry.version, t: table, ns: &entry.key.namespace, n: &entry.key.name, index: Some(index), o, z, ..Line::default() })
}

fn write_line(out: &mut Vec<u8>, line: &Line<'_>) -> Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}

/// What a line says.
pub(super) enum Taken {
    Object(Arc<str>, Entry),
    Removal(Arc<str>, Key),
    /// Only a version, or a dictionary.
    Nothing,
}

/// Reads lines in their order. What many of them have in common is held once.
#[derive(Default)]
pub(super) struct Reader {
    dictionaries: HashMap<(Arc<str>, u64), Arc<Dictionary>>,
    unpacked: Vec<u8>,
    texts: HashMap<String, Arc<str>>,
    names: HashMap<Arc<str>, Arc<[String]>>,
}

impl Reader {
    pub(super) fn take(&mut self, line: &Line<'_>) -> std::result::Result<Taken, String> {
        if line.t.is_empty() {
            return Ok(Taken::Nothing);
        }
        let table = self.text(line.t);
        if let Some((id, text)) = line.dictionary {
            let text = STANDARD.decode(text).map_err(|e| e.to_string())?.into();
            self.dictionaries.insert((table, id), Arc::new(Dictionary { id, text }));
            return Ok(Taken::Nothing);
        }
        let key = Key { namespace: self.text(line.ns), name: line.n.into() };
        let packed = match (line.o, line.z) {
            (None, None) => return Ok(Taken::Removal(table, key)),
            (Some(text), _) => Packed::Plain(text.get().as_bytes().into()),
            (None, Some((id, length, bytes))) => {
                let dictionary = match id {
                    0 => None,
                    id => Some(self.dictionaries.get(&(table.clone(), id)).ok_or_else(|| format!("no dictionary {id}"))?.clone()),
                };
                let bytes = STANDARD.decode(bytes).map_err(|e| e.to_string())?.into();
                let packed = Packed::Against { dictionary, length, bytes };
                self.unpacked.clear();
                if !packed.unpack(&mut self.unpacked) {
                    return Err("the object can't be unpacked".to_owned());
                }
                packed
            }
        };
        Ok(Taken::Object(table.clone(), self.entry(table, key, line, packed)))
    }

    fn entry(&mut self, table: Arc<str>, key: Key, line: &Line<'_>, packed: Packed) -> Entry {
        let Some(index) = &line.index else {
            // The names of no kind: whoever knows the kind makes the index anew.
            let index = Index { names: Arc::new(["?".to_owned()]), labels: "".into(), fields: "".into() };
            return Entry { key, uid: "".into(), version: line.v, deleting: false, owners: [].into(), finalizers: [].into(), index, packed };
        };
        Entry {
            key,
            uid: index.uid.as_ref().into(),
            version: line.v,
            deleting: index.deleting,
            owners: index.owners.iter().map(|owner| self.text(owner)).collect(),
            finalizers: index.finalizers.iter().map(|finalizer| finalizer.as_ref().into()).collect(),
            index: Index { names: self.names(table, &index.names), labels: self.text(&index.labels), fields: index.fields.as_ref().into() },
            packed,
        }
    }

    fn names(&mut self, table: Arc<str>, names: &[Cow<'_, str>]) -> Arc<[String]> {
        match self.names.get(&table) {
            Some(known) if known.iter().eq(names) => known.clone(),
            _ => {
                let names: Arc<[String]> = names.iter().map(|name| name.clone().into_owned()).collect();
                self.names.insert(table, names.clone());
                names
            }
        }
    }

    fn text(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.get(text) {
            return known.clone();
        }
        let new: Arc<str> = text.into();
        self.texts.insert(text.to_owned(), new.clone());
        new
    }

    pub(super) fn dictionaries(self) -> Vec<(Arc<str>, Arc<Dictionary>)> {
        self.dictionaries.into_iter().map(|((table, _), dictionary)| (table, dictionary)).collect()
    }
}
