//! The variables of a process. Forks share them until one changes its own, and all processes of one program have one memory
//! for values: no pipeline and no subshell multiplies it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::stop::{Run, Stop};

/// More variables than this are not kept.
const VARIABLES: usize = 1_000;
/// Bytes of all names and values that a program and its forks have set.
const MEMORY: usize = 1 << 20;

/// By name a value, and whether programs see it.
type All = BTreeMap<Arc<str>, (Arc<Held>, bool)>;

#[derive(Debug, Clone)]
pub(crate) struct Variables {
    all: Arc<All>,
    memory: Arc<AtomicUsize>,
}

/// A value that counts for as long as anybody has it.
#[derive(Debug)]
struct Held {
    text: Box<str>,
    bytes: usize,
    memory: Arc<AtomicUsize>,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.memory.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl Variables {
    /// Those that a program begins with. They take none of its memory.
    pub(crate) fn of(env: &[(String, String)]) -> Self {
        let held = |text: &str| Arc::new(Held { text: text.into(), bytes: 0, memory: Arc::default() });
        let all = env.iter().map(|(name, value)| (name.as_str().into(), (held(value), true))).collect();
        Variables { all: Arc::new(all), memory: Arc::default() }
    }

    pub(crate) fn get(&self, name: &str) -> Option<(&str, bool)> {
        self.all.get(name).map(|(held, exported)| (&*held.text, *exported))
    }

    pub(crate) fn set(&mut self, name: &str, value: String, exported: bool) -> Run<()> {
        let bytes = name.len() + value.len();
        let held = Held { text: value.into(), bytes, memory: self.memory.clone() };
        let before = self.memory.fetch_add(bytes, Ordering::Relaxed);
        if before + bytes > MEMORY || (self.all.len() >= VARIABLES && !self.all.contains_key(name)) {
            return Err(Stop::Full);
        }
        Arc::make_mut(&mut self.all).insert(name.into(), (Arc::new(held), exported));
        Ok(())
    }

    pub(crate) fn remove(&mut self, name: &str) {
        if self.all.contains_key(name) {
            Arc::make_mut(&mut self.all).remove(name);
        }
    }

    /// What programs see.
    pub(crate) fn exported(&self) -> impl Iterator<Item = (&str, &str)> {
        self.all.iter().filter(|(_, (_, exported))| *exported).map(|(name, (held, _))| (&**name, &*held.text))
    }
}
