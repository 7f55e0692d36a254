//! The simulator: an actor on the cluster like any controller. It hears of every change, finds the stage that fits
//! ([`stage`], data), waits as long as the stage says, and writes what the stage says.
//!
//! It reads through a lister, as controllers do from their caches, and writes through the verbs, under the names of the
//! components that it stands for. Two things no client could do: one write of spec and status at once ([`subresource`]),
//! and to read what was written a moment ago without waiting for a watch. It never looks outside, can't tell who made an
//! object, runs nothing and enforces no quota.

pub(crate) mod actions;
mod addresses;
mod around;
mod bootstrap;
mod events;
mod fill;
mod gc;
mod made;
mod queue;
mod scene;
mod stage;
mod steps;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use rand::Rng;
use serde_json::{Map, Value};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::error::Error;
use crate::machinery::fields::strategic;
use crate::machinery::notation::value::text;
use crate::machinery::registry::Kind;
use crate::machinery::status::Refusal;
use crate::node::host::{Ended, Host};
use crate::server::cluster::{Cluster, DeleteOptions, Write};
use crate::server::store::{Key, Note};
use addresses::Addresses;
use queue::{Interests, Pending, Place, Queue};
use scene::{Scene, settle};
use stage::{Group, Stage};

/// Events that are kept; the oldest go first.
const EVENTS_KEPT: usize = 6_000;
/// Attempts at a write that others are in the way of.
const TRIES: usize = 100;
/// Notes handled before timers get their turn.
const BURST: usize = 256;
/// No delay that doubles grows over this, in milliseconds.
const LONGEST: u64 = 300_000;

/// The simulator's state. All of it can be found again from the objects.
pub(crate) struct Simulator {
    host: Arc<Host>,
    cluster: Arc<Cluster>,
    addresses: Arc<Addresses>,
    groups: Vec<Group>,
    of_table: HashMap<String, Vec<usize>>,
    heard_by: HashMap<String, Vec<usize>>,
    followed: HashSet<String>,
    queue: Queue,
    interests: Interests,
    events: VecDeque<Key>,
}

impl Simulator {
    pub(crate) fn new(host: Arc<Host>) -> Result<Self, Error> {
        let groups = stage::groups()?;
        let mut of_table: HashMap<String, Vec<usize>> = HashMap::new();
        let mut heard_by: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, group) in groups.iter().enumerate() {
            of_table.entry(group.on.clone()).or_default().push(index);
            for table in &group.hears {
                heard_by.entry(table.clone()).or_default().push(index);
            }
        }
        let followed = groups.iter().flat_map(|g| g.follows.iter().cloned()).collect();
        let (queue, interests, cluster) = (Queue::default(), Interests::default(), host.cluster.clone());
        let addresses = Arc::default();
        Ok(Simulator { host, cluster, addresses, groups, of_table, heard_by, followed, queue, interests, events: VecDeque::new() })
    }

    /// Runs until the feed ends or it is told to stop; what has ended by then is written still.
    pub(crate) async fn run(mut self, mut feed: UnboundedReceiver<Note>, mut ended: UnboundedReceiver<Ended>, stop: CancellationToken) {
        bootstrap::run(&self.cluster);
        loop {
            let next = self.queue.next();
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(ended) = ended.recv() => self.container_ended(&ended),
                note = feed.recv() => {
                    let Some(note) = note else { break };
                    self.heard(&note);
                    // All that is there: an act brings several notes, which would pile up, and hold former objects.
                    for _ in 0..feed.len() {
                        let Ok(note) = feed.try_recv() else { break };
                        self.heard(&note);
                    }
                    self.fire_due();
                }
                () = sleep_until(next) => self.fire_due(),
            }
            tokio::task::yield_now().await;
        }
        while let Ok(ended) = ended.try_recv() {
            self.container_ended(&ended);
        }
    }

    /// What no object tells: that the process of a container has ended.
    fn container_ended(&self, ended: &Ended) {
        let Ok(kind) = self.cluster.kind("pods") else { return };
        for _ in 0..TRIES {
            let Some(entry) = self.cluster.lister().get("pods", &ended.pod).filter(|entry| *entry.uid == *ended.uid) else { return };
            match steps::container_ended(&Scene::new(&self.host, &entry).with_addresses(&self.addresses), &kind, ended) {
                Err(refusal) if refusal.reason == "Conflict" => {}
                _ => return,
            }
        }
    }

    fn heard(&mut self, note: &Note) {
        let entry = &note.entry;
        match &*note.table {
            "events" => return self.keep_events(note),
            "pods" => self.addresses.know(entry.field("status.podIP"), &entry.uid, note.deleted),
            _ => {}
        }
        gc::heard(&self.cluster, note);
        if !note.deleted {
            self.consider(&note.table, &entry.key);
        }
        for owner in &entry.owners {
            if let Some((table, key)) = self.cluster.lister().by_uid(owner) {
                self.consider(&table, &key);
            }
        }
        if note.deleted && !entry.key.namespace.is_empty() {
            self.consider(&"namespaces".into(), &Key::new("", &entry.key.namespace));
        }
        if self.followed.contains(&*note.table) {
            for (table, key) in self.cluster.lister().dependents(&entry.uid) {
                self.consider(&table, &key);
            }
        }
        for (table, key) in self.interests.take(&note.table, &entry.key) {
            self.consider(&table, &key);
        }
        self.tell_neighbours(note);
    }

    /// Tells those of the namespace that hear of this table. Who is about to act anyway learns all when it does.
    fn tell_neighbours(&mut self, note: &Note) {
        let namespace = &note.entry.key.namespace;
        if namespace.is_empty() {
            return;
        }
        let by_name = self.heard_by.get(&*note.table).into_iter().flatten();
        let groups: Vec<usize> = by_name.chain(self.heard_by.get("*").into_iter().flatten()).copied().collect();
        for index in groups {
            let (table, deleting): (Arc<str>, bool) = (self.groups[index].on.as_str().into(), self.groups[index].when_deleting);
            if table == note.table {
                continue;
            }
            for entry in self.cluster.lister().list(&table, namespace) {
                if (entry.deleting || !deleting) && !self.queue.has(&(table.clone(), entry.key.clone(), index)) {
                    self.consider(&table, &entry.key);
                }
            }
        }
    }

    fn keep_events(&mut self, note: &Note) {
        if !note.deleted && !events::is_repeated(&note.entry.text.bytes()) {
            self.events.push_back(note.entry.key.clone());
        }
        while self.events.len() > EVENTS_KEPT {
            let Some(oldest) = self.events.pop_front() else { return };
            if let Ok(kind) = self.cluster.kind("events") {
                let _ = self.cluster.delete(&kind, &oldest, &DeleteOptions::default());
            }
        }
    }

    /// Finds the stage that fits an object now, in each group.
    fn consider(&mut self, table: &Arc<str>, key: &Key) {
        let Some(groups) = self.of_table.get(&**table).cloned() else { return };
        let Some(entry) = self.cluster.lister().get(table, key) else { return };
        let host = self.host.clone();
        let scene = Scene::new(&host, &entry);
        for index in groups {
            let place = (table.clone(), key.clone(), index);
            let fits = self.groups[index].stages.iter().position(|s| scene.matches(&s.when));
            match fits {
                // What is done again and again keeps its own time.
                Some(stage) if self.groups[index].stages[stage].every.is_some() && self.queue.holds(&place, stage, &entry.uid) => {}
                Some(stage) if acts(&self.groups[index].stages[stage]) => {
                    let delay = delay(&scene, &self.groups[index].stages[stage]);
                    self.queue.put(place, stage, &entry.uid, Instant::now() + delay);
                }
                _ => self.queue.drop(&place),
            }
        }
        self.note_interests(&scene, table, key);
    }

    fn note_interests(&mut self, scene: &Scene<'_>, table: &Arc<str>, key: &Key) {
        let lister = self.cluster.lister();
        for object in scene.interests() {
            self.interests.add(object, &(table.clone(), key.clone()), |(table, key)| lister.get(table, key).is_some());
        }
    }

    fn fire_due(&mut self) {
        let now = Instant::now();
        for _ in 0..BURST {
            let Some((place, pending)) = self.queue.pop(now) else { return };
            self.fire(&place, &pending);
        }
    }

    fn fire(&mut self, place: &Place, pending: &Pending) {
        let (table, key, index) = place;
        let Some(entry) = self.cluster.lister().get(table, key).filter(|e| e.uid == pending.uid) else { return };
        let stage = &self.groups[*index].stages[pending.stage];
        let (host, addresses) = (self.host.clone(), self.addresses.clone());
        let scene = Scene::new(&host, &entry).with_addresses(&addresses);
        let fits = self.groups[*index].stages.iter().position(|s| scene.matches(&s.when));
        if fits != Some(pending.stage) {
            return self.consider(table, key);
        }
        let done = carry_out(&scene, stage, entry.version);
        let again = stage.every.map(Duration::from_millis).into_iter().chain(scene.comes_back()).min();
        if let Some(again) = again {
            self.queue.put(place.clone(), pending.stage, &pending.uid, Instant::now() + again);
        }
        self.note_interests(&scene, table, key);
        match done {
            Ok(()) => {}
            Err(refusal) if refusal.code == 409 || refusal.code == 404 => self.consider(table, key),
            Err(refusal) => {
                let stage = &self.groups[*index].stages[pending.stage].name;
                tracing::debug!(stage, object = %key.name, reason = refusal.reason, message = refusal.message, "a stage was refused")
            }
        }
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// A stage without effects only holds the others of its group back.
fn acts(stage: &Stage) -> bool {
    stage.patch.is_some() || !stage.steps.is_empty() || !stage.events.is_empty()
}

fn delay(scene: &Scene<'_>, stage: &Stage) -> Duration {
    let (from, to) = stage.delay;
    let delay = if to > from { rand::rng().random_range(from..=to) } else { from };
    let number = |path: &Option<String>| path.as_ref().and_then(|p| scene.look(p)?.as_u64()).unwrap_or(0);
    let doubled = (1..number(&stage.doubles).min(16)).fold(delay, |d, _| (d * 2).min(LONGEST.max(delay)));
    let until = stage.until.as_ref().and_then(|path| scene.look(path)?.as_str()?.parse::<jiff::Timestamp>().ok());
    let left = until.and_then(|time| Duration::try_from(time.duration_since(jiff::Timestamp::now())).ok()).unwrap_or_default();
    Duration::from_millis(doubled) + Duration::from_secs(number(&stage.seconds)) + left
}

fn carry_out(scene: &Scene<'_>, stage: &Stage, version: u64) -> Result<(), Refusal> {
    let kind = scene.cluster.registry().of_kind(text(&scene.object, "apiVersion"), text(&scene.object, "kind"));
    let kind = kind.ok_or_else(Refusal::no_such_path)?;
    let mut changed = stage.patch.is_none();
    if let Some(patch) = &stage.patch {
        let mut object = scene.object.clone();
        let also = stage.also.iter().filter(|also| scene.matches(&also.when)).map(|also| &also.patch);
        for patch in [patch].into_iter().chain(also) {
            let before = object.clone();
            strategic::merge(&kind.shape, &mut object, &scene.fill(patch)).map_err(|e| Refusal::internal(format!("a stage's patch: {e:?}")))?;
            if kind.group == "kubevirt.io" {
                around::machine::tidy(&before, &mut object);
            }
        }
        settle(&scene.object, &mut object);
        if object != scene.object {
            let write = Write::by(&stage.writer).to(subresource(&kind, patch));
            changed = scene.cluster.update(&kind, &Key::of(&object), object, &write)?.version != version;
        }
    }
    for step in &stage.steps {
        steps::carry_out(scene, &kind, stage, step)?;
    }
    if changed {
        stage.events.iter().for_each(|event| events::write(scene, event));
    }
    Ok(())
}

/// Where a patch is to be written. Spec and status at once is the only write that no client could make: it goes as Pods are
/// bound, and spares a claim that is bound the moment between two writes.
fn subresource(kind: &Kind, patch: &Value) -> &'static str {
    let status = patch.get("status").is_some();
    match patch.as_object().map_or(0, Map::len) {
        _ if !kind.has("status") || !status => "",
        1 => "status",
        _ => "binding",
    }
}
