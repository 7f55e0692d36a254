//! Label and field selectors, of whatever has labels and fields. Field selectors know only what the registry declares as
//! selectable for a kind.

mod labels;

use crate::machinery::registry::Kind;
use crate::machinery::status::{Answer, Refusal};
use labels::Test;

/// A parsed label selector and field selector; the default selects everything.
#[derive(Debug, Clone, Default)]
pub(crate) struct Selector {
    labels: Vec<(String, Test)>,
    fields: Vec<(String, bool, String)>,
}

impl Selector {
    /// Parses the two query parameters. An unknown field is a 400, as on the real server.
    pub(crate) fn parse(kind: &Kind, labels: &str, fields: &str) -> Answer<Self> {
        let labels = parse_labels(labels)?;
        let fields = parse_fields(kind, fields)?;
        Ok(Selector { labels, fields })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    /// Whether an object is meant, of which the values of labels and selectable fields can be asked.
    pub(crate) fn holds<'o>(&self, label: impl Fn(&str) -> Option<&'o str>, field: impl Fn(&str) -> &'o str) -> bool {
        self.fields.iter().all(|(key, equal, value)| (field(key) == value) == *equal) && self.labels.iter().all(|(key, test)| test.holds(label(key)))
    }
}

/// A label selector alone, against plain pairs.
#[cfg(test)]
pub(crate) fn labels_match(selector: &str, labels: &[(&str, &str)]) -> bool {
    let find = |key: &str| labels.iter().find(|(k, _)| *k == key).map(|(_, v)| *v);
    parse_labels(selector).expect("a selector").iter().all(|(key, test)| test.holds(find(key)))
}

fn parse_labels(text: &str) -> Answer<Vec<(String, Test)>> {
    labels::parse(text).map_err(Refusal::bad_request)
}

fn parse_fields(kind: &Kind, text: &str) -> Answer<Vec<(String, bool, String)>> {
    let mut out = Vec::new();
    for part in text.split(',').map(str::trim).filter(|p| !p.is_empty()) {
        let (key, equal, value) = if let Some((k, v)) = part.split_once("!=") {
            (k, false, v)
        } else if let Some((k, v)) = part.split_once("==").or_else(|| part.split_once('=')) {
            (k, true, v)
        } else {
            return Err(Refusal::bad_request(format!("invalid selector: '{text}'; can't understand '{part}'")));
        };
        if key != "metadata.name" && key != "metadata.namespace" && !kind.fields.iter().any(|f| f == key) {
            return Err(Refusal::bad_request(unknown_field(kind, key)));
        }
        out.push((key.to_owned(), equal, value.to_owned()));
    }
    Ok(out)
}

/// The real server has one text for kinds with fields of their own, another for those without, and a third for Jobs.
fn unknown_field(kind: &Kind, key: &str) -> String {
    match () {
        () if kind.resource() == "jobs.batch" => format!("field label {key:?} not supported for Job"),
        () if kind.custom || !kind.fields.is_empty() => format!("field label not supported: {key}"),
        () => format!("{key:?} is not a known field selector: only \"metadata.name\", \"metadata.namespace\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_selectors_have_all_operators() {
        let labels = [("app", "web"), ("tier", "2"), ("kubekcloud.io/cluster-id", "7")];
        for yes in [
            "app=web",
            "app==web",
            "app!=db",
            "app in (db, web)",
            "app notin (db)",
            "!gone",
            "tier>1",
            "tier<3",
            "app,tier",
            "gone!=x",
            "",
            "kubekcloud.io/cluster-id=7",
        ] {
            assert!(labels_match(yes, &labels), "{yes}");
        }
        for no in ["app=db", "app!=web", "app in (db)", "app notin (web,db)", "!app", "tier>2", "gone", "app=web,gone"] {
            assert!(!labels_match(no, &labels), "{no}");
        }
        assert!(parse_labels("a b (c)").is_err() && parse_labels("=x").is_err());
    }
}
