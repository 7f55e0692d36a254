//! The simulator: an actor on the cluster like any controller. It hears of every change, finds the stage that fits
//! ([`stage`], data), waits as long as the stage says, and writes what the stage says.
//!
//! It may do nothing that a client could not do, never looks outside, and can't tell who made an object. It is not a
//! scheduler, runs nothing, and enforces no quota.

pub(crate) mod actions;
mod collect;
mod events;
mod made;
mod scene;
mod stage;
mod steps;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use rand::Rng;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::cluster::{Cluster, DeleteOptions, Write};
use crate::error::Error;
use crate::fields::strategic;
use crate::status::Refusal;
use crate::store::{Key, Note};
use scene::{Scene, settle};
use stage::{Group, Stage};

/// Events that are kept; the oldest go first.
const EVENTS_KEPT: usize = 6_000;
/// Notes handled before timers get their turn.
const BURST: usize = 256;

/// One object in one group.
type Place = (Arc<str>, Key, usize);

#[derive(Debug, Clone)]
struct Pending {
    stage: usize,
    uid: Box<str>,
    turn: u64,
}

/// The simulator's state. All of it can be found again from the objects.
pub(crate) struct Simulator {
    cluster: Arc<Cluster>,
    groups: Vec<Group>,
    of_table: HashMap<String, Vec<usize>>,
    followed: HashSet<String>,
    pending: HashMap<Place, Pending>,
    due: BinaryHeap<Reverse<(Instant, u64, Place)>>,
    turn: u64,
    events: VecDeque<Key>,
}

impl Simulator {
    pub(crate) fn new(cluster: Arc<Cluster>) -> Result<Self, Error> {
        let groups = stage::groups()?;
        let mut of_table: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, group) in groups.iter().enumerate() {
            of_table.entry(group.on.clone()).or_default().push(index);
        }
        let followed = groups.iter().flat_map(|g| g.follows.iter().cloned()).collect();
        Ok(Simulator { cluster, groups, of_table, followed, pending: HashMap::new(), due: BinaryHeap::new(), turn: 0, events: VecDeque::new() })
    }

    /// Runs until the feed ends or it is told to stop.
    pub(crate) async fn run(mut self, mut feed: UnboundedReceiver<Note>, stop: CancellationToken) {
        steps::furnish(&self.cluster);
        loop {
            let next = self.due.peek().map(|Reverse((at, ..))| *at);
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                note = feed.recv() => {
                    let Some(note) = note else { return };
                    self.heard(&note);
                    for _ in 0..BURST {
                        let Ok(note) = feed.try_recv() else { break };
                        self.heard(&note);
                    }
                    self.fire_due();
                }
                () = sleep_until(next) => self.fire_due(),
            }
            tokio::task::yield_now().await;
        }
    }

    fn heard(&mut self, note: &Note) {
        let entry = &note.entry;
        match &*note.table {
            "events" => return self.keep_events(note),
            "pods" => self.cluster.know_address(entry.field("status.podIP"), &entry.uid, note.deleted),
            _ => {}
        }
        collect::heard(&self.cluster, note);
        if !note.deleted {
            self.consider(&note.table, &entry.key);
        }
        for owner in &entry.owners {
            if let Some((table, key)) = self.cluster.store.by_uid(owner) {
                self.consider(&table, &key);
            }
        }
        if note.deleted && !entry.key.namespace.is_empty() {
            self.consider(&"namespaces".into(), &Key::new("", &entry.key.namespace));
        }
        if self.followed.contains(&*note.table) {
            for (table, key) in self.cluster.store.dependents(&entry.uid) {
                self.consider(&table, &key);
            }
        }
    }

    fn keep_events(&mut self, note: &Note) {
        if !note.deleted {
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
        let Some(entry) = self.cluster.store.get(table, key) else { return };
        let cluster = self.cluster.clone();
        let scene = Scene::new(&cluster, &entry);
        for index in groups {
            let place = (table.clone(), key.clone(), index);
            let fits = self.groups[index].stages.iter().position(|s| scene.matches(&s.when));
            match fits {
                Some(stage) if acts(&self.groups[index].stages[stage]) => self.schedule(place, stage, &entry.uid),
                _ => {
                    self.pending.remove(&place);
                }
            }
        }
    }

    fn schedule(&mut self, place: Place, stage: usize, uid: &str) {
        if self.pending.get(&place).is_some_and(|p| p.stage == stage && *p.uid == *uid) {
            return;
        }
        self.turn += 1;
        let (from, to) = self.groups[place.2].stages[stage].delay;
        let delay = if to > from { rand::rng().random_range(from..=to) } else { from };
        self.pending.insert(place.clone(), Pending { stage, uid: uid.into(), turn: self.turn });
        self.due.push(Reverse((Instant::now() + Duration::from_millis(delay), self.turn, place)));
    }

    fn fire_due(&mut self) {
        let now = Instant::now();
        for _ in 0..BURST {
            match self.due.peek() {
                Some(Reverse((at, ..))) if *at <= now => {}
                _ => return,
            }
            let Some(Reverse((_, turn, place))) = self.due.pop() else { return };
            if self.pending.get(&place).is_some_and(|p| p.turn == turn) {
                let pending = self.pending.remove(&place);
                if let Some(pending) = pending {
                    self.fire(&place, &pending);
                }
            }
        }
    }

    fn fire(&mut self, place: &Place, pending: &Pending) {
        let (table, key, index) = place;
        let Some(entry) = self.cluster.store.get(table, key).filter(|e| e.uid == pending.uid) else { return };
        let stage = &self.groups[*index].stages[pending.stage];
        let cluster = self.cluster.clone();
        let scene = Scene::new(&cluster, &entry);
        let fits = self.groups[*index].stages.iter().position(|s| scene.matches(&s.when));
        if fits != Some(pending.stage) {
            return self.consider(table, key);
        }
        match carry_out(&scene, stage, entry.version) {
            Ok(()) => {}
            Err(refusal) if refusal.code == 409 || refusal.code == 404 => self.consider(table, key),
            Err(refusal) => {
                tracing::debug!(stage = stage.name, object = %key.name, reason = refusal.reason, message = refusal.message, "a stage was refused")
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
    stage.patch.is_some() || !stage.steps.is_empty()
}

fn carry_out(scene: &Scene<'_>, stage: &Stage, version: u64) -> Result<(), Refusal> {
    let kind = scene.cluster.registry().of_kind(crate::value::text(&scene.object, "apiVersion"), crate::value::text(&scene.object, "kind"));
    let kind = kind.ok_or_else(Refusal::no_such_path)?;
    if let Some(patch) = &stage.patch {
        let mut object = scene.object.clone();
        let schema = if kind.custom { "Custom" } else { &kind.kind };
        strategic::merge(schema, &mut object, &scene.fill(patch));
        settle(&scene.object, &mut object);
        if object != scene.object {
            let only_status = kind.has("status") && patch.as_object().is_some_and(|p| p.keys().all(|k| k == "status"));
            // A write of spec and status at once is the scheduler's privilege, through a subresource of its own.
            let write = Write::by(&stage.writer).to(if only_status {
                "status"
            } else if kind.has("status") {
                "binding"
            } else {
                ""
            });
            let written = scene.cluster.update(&kind, &Key::of(&object), object, &write)?;
            if written.version != version {
                stage.events.iter().for_each(|event| events::write(scene, event));
            }
        }
    }
    for step in &stage.steps {
        steps::carry_out(scene, &kind, stage, step)?;
    }
    Ok(())
}
