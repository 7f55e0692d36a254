//! How stages see a scene: conditions are tested here and templates filled in.
//!
//! Paths that begin with `@` lead to something around the object: `@owner/path` to its controller, `@TABLE/path` to the
//! first object of a table that it owns (its group may be left out), `@TABLE:path/path` to the object of a table that it names at a path, and
//! `@user/path` to the Pod that uses a claim, and
//! `@container/…`, `@config/…`, `@mount/…`, `@node/…`, `@probe/…`, `@program/…` to facts about a Pod ([`super::around`]),
//! `@machine/…` to those about a virtual machine. `@annotation:KEY` is the object's own annotation, and `@body/path` leads
//! into what a call brought along.
//!
//! In a template the text `$name` or `$name:argument` stands for a made value ([`super::made`]), `=path` for a copy of
//! what a path leads to, and `${path}` inside a text for the words there.

use serde_json::{Map, Value};

use super::scene::Scene;
use super::stage::When;
use super::{around, made};
use crate::machinery::notation::value::{at, plain, text};

impl Scene<'_> {
    /// What a path leads to, here or around.
    pub(crate) fn look(&self, path: &str) -> Option<Value> {
        let Some(rest) = path.strip_prefix('@') else { return at(&self.object, path).cloned() };
        if let Some(key) = rest.strip_prefix("annotation:") {
            return self.annotation(key).cloned();
        }
        let (name, path) = rest.split_once('/').unwrap_or((rest, ""));
        match name {
            "container" => match &*self.container.borrow() {
                Some(container) => at(container, path).cloned(),
                None => at(self.containers().first()?, path).cloned(),
            },
            "body" => at(&self.body, path).cloned(),
            "machine" => around::machine::fact(self, path),
            "user" => at(&self.user()?.value(), path).cloned(),
            "config" => around::config::missing_variable(self).and_then(|found| at(&found, path).cloned()),
            "mount" => around::config::missing_volume(self).and_then(|found| at(&found, path).cloned()),
            "node" => at(self.node.get_or_init(|| around::node::fitting(self)), path).cloned(),
            "probe" => around::probe::failure(self, path),
            "program" => {
                let container = self.container.borrow();
                let container = container.as_ref().or_else(|| self.containers().first())?;
                let outcome = self.outcome(text(container, "name"))?;
                at(&outcome.to_value(), path).cloned()
            }
            _ => at(&self.related(name)?.value(), path).cloned(),
        }
    }

    pub(crate) fn matches(&self, when: &When) -> bool {
        (when.fail.is_empty() || when.fail.iter().any(|f| f == self.fails()))
            && !when.except.iter().any(|f| f == self.fails())
            // What is around is looked at only if the object itself fits: that costs more.
            && self.fits(when, false)
            && self.fits(when, true)
    }

    fn fits(&self, when: &When, around: bool) -> bool {
        let part = |path: &&String| path.starts_with('@') == around;
        let one_of = |path: &str, wanted: &Value| {
            let same = |found: &Value| wanted.as_array().map_or(found == wanted, |many| many.contains(found));
            if around { self.look(path).is_some_and(|found| same(&found)) } else { at(&self.object, path).is_some_and(same) }
        };
        let there = |path: &String| if around { self.look(path).is_some() } else { at(&self.object, path).is_some() };
        when.has.iter().filter(part).all(there)
            && !when.lacks.iter().filter(part).any(there)
            && when.is.iter().filter(|(path, _)| part(path)).all(|(path, wanted)| one_of(path, wanted))
            && !when.not.iter().filter(|(path, _)| part(path)).any(|(path, unwanted)| one_of(path, unwanted))
            && (!around || self.compares(when))
    }

    fn compares(&self, when: &When) -> bool {
        let number = |path: &str| self.look(path).and_then(|found| found.as_i64());
        when.differ.iter().all(|(one, other)| self.look(one) != self.look(other))
            && when.at_most.iter().all(|(one, other)| number(one).zip(number(other)).is_some_and(|(one, other)| one <= other))
    }

    /// Fills in a template.
    pub(crate) fn fill(&self, template: &Value) -> Value {
        match template {
            Value::String(text) => self.fill_text(text),
            Value::Array(list) => Value::Array(list.iter().map(|v| self.fill(v)).collect()),
            Value::Object(map) => {
                let filled = map.iter().map(|(key, value)| (plain(&self.fill_text(key)), self.fill(value)));
                Value::Object(filled.collect::<Map<_, _>>())
            }
            other => other.clone(),
        }
    }

    fn fill_text(&self, template: &str) -> Value {
        if let Some(path) = template.strip_prefix('=') {
            return self.look(path).unwrap_or(Value::Null);
        }
        match template.strip_prefix('$') {
            Some(name) if !name.starts_with('{') && !name.starts_with("patch") => made::make(self, name),
            _ => Value::String(self.words(template)),
        }
    }

    /// A text with its `${path}`s filled in.
    pub(crate) fn words(&self, template: &str) -> String {
        let mut out = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once("${") {
            out.push_str(before);
            let Some((path, tail)) = after.split_once('}') else { break };
            out.push_str(&self.look(path).map(|v| plain(&v)).unwrap_or_default());
            rest = tail;
        }
        out.push_str(rest);
        out
    }
}
