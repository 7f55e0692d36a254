//! Keeps a [`Cache`] in step with a member: one cluster-wide watch per kind, selected by our installation's label.
//!
//! Not one watch per subject, and no polling. Which kinds is the controllers' to say. KubeVirt's are watched while the
//! member serves them, which is asked once a minute.

mod event;
mod follow;
mod kubevirt;
mod pause;

use std::{collections::HashSet, sync::Arc};

use futures::{FutureExt as _, future::BoxFuture};
use tokio::task::JoinSet;
use types::{Subject, labels};

use self::follow::{Follower, Limits};
use crate::{
    Cache, Kind, Member,
    cache::{KindCaches, Watched, watched},
};

/// A kind that can be watched.
#[derive(Clone, Copy)]
pub struct Watch {
    kind: Kind,
    run: fn(Follower) -> BoxFuture<'static, ()>,
    stop: fn(&mut KindCaches) -> HashSet<Subject>,
}

impl Watch {
    /// Namespaces.
    pub const NAMESPACES: Self = Self::of::<watched::Namespace>();
    /// Pods.
    pub const PODS: Self = Self::of::<watched::Pod>();
    /// ResourceQuotas.
    pub const QUOTAS: Self = Self::of::<watched::ResourceQuota>();
    /// LimitRanges.
    pub const LIMIT_RANGES: Self = Self::of::<watched::LimitRange>();
    /// NetworkPolicies.
    pub const NETWORK_POLICIES: Self = Self::of::<watched::NetworkPolicy>();
    /// VirtualMachines, while the member serves them.
    pub const VMS: Self = Self::of::<watched::VirtualMachine>();
    /// VirtualMachineInstances, while the member serves them.
    pub const VMIS: Self = Self::of::<watched::VirtualMachineInstance>();

    const fn of<W: Watched>() -> Self {
        Self { kind: W::KIND, run: |follower| follower.run::<W>().boxed(), stop: |kinds| W::cache(kinds).stop() }
    }
}

/// Running watches. Dropping it ends them.
pub struct Watches {
    cache: Arc<Cache>,
    tasks: JoinSet<()>,
}

impl Watches {
    /// Starts watching these kinds; one that is named twice is watched once. `on_change` is told which subject to look
    /// at again, often several times for one change.
    pub fn start(member: Arc<Member>, installation: &str, kinds: &[Watch], on_change: impl Fn(Subject) + Send + Sync + 'static) -> Self {
        Self::start_within(member, installation, kinds, on_change, Limits::default())
    }

    fn start_within(
        member: Arc<Member>,
        installation: &str,
        kinds: &[Watch],
        on_change: impl Fn(Subject) + Send + Sync + 'static,
        limits: Limits,
    ) -> Self {
        let cache = Arc::new(Cache::new(member.reach.clone()));
        let selector = format!("{}={installation}", labels::INSTALLATION);
        let follower = Follower { member, cache: cache.clone(), on_change: Arc::new(on_change), selector, limits };
        let mut seen = HashSet::new();
        let once = kinds.iter().copied().filter(|watch| seen.insert(watch.kind));
        let (kubevirt, always): (Vec<_>, Vec<_>) = once.partition(|watch| watch.kind.is_kubevirt());
        let mut tasks = JoinSet::new();
        for watch in always {
            tasks.spawn((watch.run)(follower.clone()));
        }
        tasks.spawn(follower.follow_kubevirt(kubevirt.into_iter().map(|watch| (watch.run, watch.stop)).collect()));
        Self { cache, tasks }
    }

    /// What they know.
    pub fn cache(&self) -> &Arc<Cache> {
        &self.cache
    }

    /// Waits until one of them has ended, or panicked: what the cache says from then on is out of date.
    pub async fn ended(&mut self) {
        self.tasks.join_next().await;
    }
}

#[cfg(test)]
mod tests;
