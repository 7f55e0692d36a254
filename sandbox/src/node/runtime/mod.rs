//! The insides of simulated containers: their files, kept while they live, and what a process in them sees.
//!
//! Made from the Pod's spec when somebody first looks ([`files`], [`env`]), so that ten thousand Pods that nobody execs
//! into cost nothing. Files that a client wrote last until the container ends, the sandbox does, or 64 other Pods were
//! looked into meanwhile; they are never on a disk. What runs there is [`shell`].

pub(crate) mod env;
mod files;
mod image;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::container;
use crate::machinery::notation::value::{number, text};
use crate::server::cluster::Cluster;
use shell::tree::{Quota, Tree};
use shell::{Container, places::Places};

pub(crate) use image::{is_idle_shell, main_process, may_know, own_process};

/// Pods whose files are kept at a time.
const KEPT: usize = 64;
/// Processes that clients run at a time.
const SESSIONS: usize = 64;

#[derive(Debug, Default)]
struct Kept {
    trees: HashMap<String, (u64, Arc<Mutex<Tree>>)>,
    turn: u64,
}

/// What is inside the containers, as far as anybody looked.
#[derive(Debug)]
pub(crate) struct Containers {
    kept: Mutex<Kept>,
    quota: Quota,
    sessions: Arc<Semaphore>,
}

impl Default for Containers {
    fn default() -> Self {
        Containers { kept: Mutex::default(), quota: Quota::default(), sessions: Arc::new(Semaphore::new(SESSIONS)) }
    }
}

impl Containers {
    /// Room for one more process; `None` when there are too many.
    pub(crate) fn session(&self) -> Option<OwnedSemaphorePermit> {
        self.sessions.clone().try_acquire_owned().ok()
    }

    /// A container of a Pod, with the files it has now.
    pub(crate) fn open(&self, cluster: &Cluster, pod: &Value, name: &str) -> Arc<Container> {
        inside(cluster, pod, name, self.tree(cluster, text(pod, "metadata.uid")))
    }

    fn tree(&self, cluster: &Cluster, uid: &str) -> Arc<Mutex<Tree>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.turn += 1;
        let turn = kept.turn;
        kept.trees.retain(|uid, _| cluster.lister().by_uid(uid).is_some());
        if let Some((used, tree)) = kept.trees.get_mut(uid) {
            *used = turn;
            return tree.clone();
        }
        while kept.trees.len() >= KEPT || self.quota.is_short() {
            let unused = kept.trees.iter().filter(|(_, (_, tree))| Arc::strong_count(tree) == 1);
            let Some(oldest) = unused.min_by_key(|(_, (used, _))| *used).map(|(uid, _)| uid.clone()) else { break };
            kept.trees.remove(&oldest);
        }
        let tree = Arc::new(Mutex::new(Tree::new(self.quota.clone())));
        kept.trees.insert(uid.to_owned(), (turn, tree.clone()));
        tree
    }
}

/// A container as it was when it began, for a process that is played back.
pub(crate) fn fresh(cluster: &Cluster, pod: &Value, name: &str) -> Arc<Container> {
    inside(cluster, pod, name, Arc::new(Mutex::new(Tree::new(Quota::default()))))
}

fn inside(cluster: &Cluster, pod: &Value, name: &str, tree: Arc<Mutex<Tree>>) -> Arc<Container> {
    let spec = container::spec(pod, name).cloned().unwrap_or_default();
    let restarts = container::status(pod, name).and_then(|s| number(s, "restartCount")).unwrap_or(0);
    let own = text(pod, "spec.hostname");
    let hostname = if own.is_empty() { text(pod, "metadata.name") } else { own }.to_owned();
    let root = format!("/container/{name}/{restarts}");
    let mounts = files::mount(cluster, pod, &spec, &tree);
    let bare = Places::new(tree.clone(), root.clone(), vec![]);
    let modified = files::began(pod);
    files::furnish(&bare, pod, &spec, &hostname, modified);
    files::mount_points(&bare, &mounts, modified);
    let workdir = shell::places::absolute("", text(&spec, "workingDir"));
    let places = Places::new(tree, root, mounts);
    let _ = places.mkdirs(&workdir, modified);
    let security = |field: &str| {
        let own = number(&spec, &format!("securityContext.{field}"));
        own.or_else(|| number(pod, &format!("spec.securityContext.{field}"))).unwrap_or(0)
    };
    let env = env::of(cluster, pod, &spec, &hostname);
    let main = image::main_process(&spec, &env).join(" ");
    Arc::new(Container {
        places,
        hostname,
        workdir,
        env,
        main: main.chars().take(100).map(|c| if c == '\n' { ' ' } else { c }).collect(),
        address: text(pod, "status.podIP").to_owned(),
        uid: security("runAsUser"),
        gid: security("runAsGroup"),
    })
}
