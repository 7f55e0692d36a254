//! What `/readyz` may want to know of a reconciler.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use members::{Cache, KubeVirt, Member};

/// Looks into a running reconciler.
#[derive(Clone)]
pub struct Health {
    member: Arc<Member>,
    running: Running,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    cache: Option<Arc<Cache>>,
    last_error: Option<String>,
}

/// How a reconciler is doing at one moment.
#[derive(Debug, Clone)]
pub struct HealthSnapshot {
    /// The member's name.
    pub member: String,
    /// Whether its loop runs at all. `false` after it was cancelled, and while it is
    /// started again, having died of a defect.
    pub running: bool,
    /// Whether this process reconciles the member. `false` is healthy: another replica may.
    pub lease_held: bool,
    /// Whether the member's objects are known. Only meaningful with the lease.
    pub synced: bool,
    /// Whether the member answered when last asked.
    pub reachable: bool,
    /// Whether the member serves KubeVirt.
    pub kubevirt: KubeVirt,
    /// What does not work at present: a watch, the connection, the store.
    pub trouble: Option<String>,
}

impl Health {
    pub(crate) fn new(member: Arc<Member>) -> Self {
        Self { member, running: Running::new(), state: Arc::default() }
    }

    fn with<T>(&self, f: impl FnOnce(&mut State) -> T) -> T {
        f(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn note_lease(&self, cache: Option<Arc<Cache>>) {
        metrics::gauge!("kubekcloud_lease_held", "member" => self.member.name().to_owned()).set(f64::from(u8::from(cache.is_some())));
        self.with(|state| state.cache = cache);
    }

    pub(crate) fn note_error(&self, error: Option<String>) {
        self.with(|state| state.last_error = error);
    }

    /// What says whether its loop runs.
    pub(crate) fn running(&self) -> Running {
        self.running.clone()
    }

    /// How it is doing now.
    pub fn snapshot(&self) -> HealthSnapshot {
        let (cache, last_error) = self.with(|state| (state.cache.clone(), state.last_error.clone()));
        let unreachable = self.member.trouble();
        HealthSnapshot {
            member: self.member.name().to_owned(),
            running: self.running.get(),
            lease_held: cache.is_some(),
            synced: cache.as_ref().is_some_and(|cache| cache.synced()),
            reachable: unreachable.is_none(),
            kubevirt: cache.as_ref().map_or(KubeVirt::Unknown, |cache| cache.kubevirt()),
            trouble: unreachable.map(|e| e.to_string()).or_else(|| cache.and_then(|cache| cache.trouble())).or(last_error),
        }
    }
}

/// Whether a loop runs at all.
#[derive(Clone)]
pub(crate) struct Running(Arc<AtomicBool>);

impl Running {
    /// It is about to.
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }

    pub(crate) fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// It does until what is answered is dropped: at its end, or while a panic unwinds it.
    pub(crate) fn until_dropped(&self) -> UntilDropped {
        self.0.store(true, Ordering::Relaxed);
        UntilDropped(self.clone())
    }
}

/// See [`Running::until_dropped`].
pub(crate) struct UntilDropped(Running);

impl Drop for UntilDropped {
    fn drop(&mut self) {
        self.0.0.store(false, Ordering::Relaxed);
    }
}
