//! Tenant clusters: from intent to Namespaces, guardrails, Pods and VirtualMachines, and back to status.
//!
//! A pass goes through named steps, each idempotent: observe, namespace, guardrails, instances, prune, status. Building
//! objects and judging what is seen is pure and lives in files of its own. A deleted cluster goes another way: `delete`.

mod delete;
mod guardrails;
mod instances;
mod label;
mod namespace;
mod observe;
mod plan;
mod pod;
mod prune;
mod secret;
mod status;
mod vm;
mod volume;

#[cfg(test)]
mod build_tests;
#[cfg(test)]
mod fixtures;

use std::{
    collections::{HashMap, HashSet},
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use futures::FutureExt as _;
use member::{Cache, KubeVirt, Member, Writer};
use store::{ClusterIntent, ClusterObservation, InstanceObservation, Lease, Store};
use tokio::time::Instant;
use types::{ClusterId, InstanceType};

pub(crate) use self::{guardrails::Bounds, plan::Action};
use self::{
    instances::Carried,
    namespace::Ensured,
    observe::Observed,
    status::{Finding, State},
};
use crate::{Changes, Options, error::PassError, memory::Memory, queue::Verdict};

/// When to look again at a namespace that cannot be used.
const BLOCKED_RECHECK: Duration = Duration::from_secs(2);
/// When to look again while the VMs are not known yet.
const SYNC_RECHECK: Duration = Duration::from_millis(500);
/// Instances whose status is written in one transaction: a huge one could outlast the lease, again and again.
const STATUS_BATCH: usize = 500;
/// A container that ran so long is no longer held against its earlier ends, in seconds.
const FORGIVE_SECONDS: i64 = 600;

/// What all passes of one tenure share.
pub(crate) struct Context {
    pub(crate) store: Store,
    pub(crate) lease: Lease,
    pub(crate) writer: Writer,
    pub(crate) cache: Arc<Cache>,
    pub(crate) installation: String,
    pub(crate) options: Options,
    pub(crate) changes: Changes,
    pub(crate) memories: Memories,
    /// When the tenure began.
    pub(crate) since: Instant,
}

/// What is remembered of each cluster. A pass takes it out and puts it back.
#[derive(Default)]
pub(crate) struct Memories(Mutex<HashMap<ClusterId, Memory>>);

impl Memories {
    fn with<T>(&self, f: impl FnOnce(&mut HashMap<ClusterId, Memory>) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Has the guardrails of all clusters applied anew at their next pass.
    pub(crate) fn distrust_guardrails(&self) {
        self.with(|memories| {
            for memory in memories.values_mut() {
                memory.guardrails = None;
                memory.pruned = false;
            }
        });
    }
}

/// One look at one cluster.
struct Pass<'a> {
    context: &'a Context,
}

impl Pass<'_> {
    fn writer(&self) -> &Writer {
        &self.context.writer
    }

    fn member(&self) -> &Arc<Member> {
        self.context.writer.member()
    }
}

/// Makes a cluster match its intent as far as that is possible now. A panic is this cluster's trouble only.
pub(crate) async fn pass(context: &Context, id: ClusterId) -> Result<Verdict, PassError> {
    let panic = match AssertUnwindSafe(look(context, id)).catch_unwind().await {
        Ok(result) => return result,
        Err(panic) => panic,
    };
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    let text = text.unwrap_or("no text").to_owned();
    // A failpoint stands for the death of the process.
    if text.starts_with("failpoint ") {
        std::panic::resume_unwind(panic);
    }
    // What was remembered went with the pass: whether a create was sent is not known.
    context.memories.with(|memories| memories.insert(id, Memory { namespace_sent: true, ..Memory::default() }));
    Err(PassError::Panicked(text))
}

async fn look(context: &Context, id: ClusterId) -> Result<Verdict, PassError> {
    let Some(cluster) = context.store.cluster_intent(id).await? else {
        context.memories.with(|memories| memories.remove(&id));
        return Ok(Verdict::Gone);
    };
    let mut memory = context.memories.with(|memories| memories.remove(&id)).unwrap_or_default();
    let pass = Pass { context };
    let result = match cluster.deleting {
        true => delete::run(&pass, &cluster, &mut memory).await,
        false => pass.run(cluster, &mut memory).await,
    };
    if !memory.removed {
        context.memories.with(|memories| memories.insert(id, memory));
    }
    result
}

impl Pass<'_> {
    async fn run(&self, mut cluster: ClusterIntent, memory: &mut Memory) -> Result<Verdict, PassError> {
        if cluster.instance_type == InstanceType::Vm && !self.context.cache.vms_synced() {
            return Ok(Verdict::Again(SYNC_RECHECK));
        }
        let mut observation = ClusterObservation::default();
        let result = self.write_objects(&mut cluster, memory, &mut observation).await;
        if let Err(error) = &result {
            observation.reason.get_or_insert_with(|| error.reason().to_owned());
            observation.message.get_or_insert_with(|| error.to_string());
        }
        if matches!(result, Err(PassError::Store(_)) | Err(PassError::Member(member::MemberError::Fenced))) {
            return result.map(|_| Verdict::Settled);
        }
        // Also after a failure: what is seen is true, and the failure is part of it.
        let observed = Observed::of(&self.context.cache, &cluster);
        let look_again = self.write_status(&cluster, &observed, memory, observation).await?;
        let carried = result?;
        let again = [carried, look_again].into_iter().flatten().min();
        Ok(again.map_or(Verdict::Settled, Verdict::Again))
    }

    /// Namespace, guardrails, instances, prune. Answers when to look again.
    async fn write_objects(
        &self,
        cluster: &mut ClusterIntent,
        memory: &mut Memory,
        observation: &mut ClusterObservation,
    ) -> Result<Option<Duration>, PassError> {
        match namespace::ensure(self, cluster, memory).await? {
            Ensured::Ready { new: true } => {
                memory.open = false;
                memory.guardrails = None;
                memory.pruned = true;
            }
            Ensured::Ready { new: false } => {}
            Ensured::Blocked(reason, message) => {
                observation.reason = Some(reason.to_owned());
                observation.message = Some(message);
                return Ok(Some(BLOCKED_RECHECK));
            }
        }
        self.guard(cluster, memory).await?;
        let observed = Observed::of(&self.context.cache, cluster);
        let Carried { again, unfinished, error } =
            match cluster.instance_type == InstanceType::Vm && self.context.cache.kubevirt() != KubeVirt::Served {
                true => Carried::default(),
                false => instances::carry_out(self, cluster, &observed, memory).await,
            };
        if let Some(error) = error {
            memory.note_refusal(&error);
            // One instance that is refused must not keep the quota of those that were scaled away. Without the lease,
            // or without an answer, pruning fares no better.
            let answered = !matches!(error, member::MemberError::Fenced | member::MemberError::Timeout(_) | member::MemberError::Unreachable(_));
            if answered && let Err(error) = prune::run(self, cluster, &observed).await {
                tracing::info!(cluster = %cluster.id, %error, "cannot prune either");
            }
            return Err(error.into());
        }
        memory.not_ready = 0;
        let pruning = prune::run(self, cluster, &observed).await?;
        if !unfinished {
            observation.carried_out = Some(cluster.generation);
        }
        Ok([again, pruning].into_iter().flatten().min())
    }

    /// Applies the guardrails when something that they depend on changed, and once in a while.
    async fn guard(&self, cluster: &ClusterIntent, memory: &mut Memory) -> Result<(), PassError> {
        let bounds = Bounds::of(cluster, memory.recounts);
        if memory.guardrails.as_ref() != Some(&bounds) {
            // Something changed about a guarded namespace: look for what is left of its former guardrails, too.
            memory.pruned &= memory.guardrails.is_none();
            guardrails::apply(self.writer(), &self.context.installation, cluster, memory.recounts).await?;
            memory.guardrails = Some(bounds);
        }
        if !memory.pruned {
            guardrails::prune(self.writer(), &self.context.installation, cluster).await?;
            memory.pruned = true;
        }
        Ok(())
    }

    /// Writes what changed. Answers when to look again.
    async fn write_status(
        &self,
        cluster: &ClusterIntent,
        observed: &Observed,
        memory: &mut Memory,
        observation: ClusterObservation,
    ) -> Result<Option<Duration>, PassError> {
        let grace = self.context.options.failure_grace;
        let (now, unix) = (Instant::now(), unix_seconds());
        let mut changed = Vec::new();
        let mut again: Option<Duration> = None;
        for instance in cluster.instances.iter().filter(|instance| !instance.deleting) {
            let remembered = memory.instances.entry(instance.id).or_default();
            remembered.renew(instance.generation);
            let finding = self.find(cluster, instance, observed, remembered.refusal.as_ref(), unix);
            let troubled = match finding.state {
                State::Trouble => remembered.troubled(now),
                State::Is(_) | State::Leaving => {
                    remembered.well();
                    Duration::ZERO
                }
                State::Coming | State::Broken => Duration::ZERO,
            };
            if observed.pod(instance).and_then(|pod| pod.running_since).is_some_and(|since| unix - since > FORGIVE_SECONDS) {
                remembered.forgive();
            }
            let settled = status::settle(instance, &finding, troubled, grace);
            let grace_ends = (finding.state == State::Trouble && troubled < grace).then(|| grace - troubled);
            again = [again, finding.again, grace_ends].into_iter().flatten().min();
            if settled != instance.observed {
                changed.push(InstanceObservation { id: instance.id, observed: settled });
            }
        }
        if memory.instances.len() > cluster.instances.len() {
            let there: HashSet<_> = cluster.instances.iter().map(|instance| instance.id).collect();
            memory.instances.retain(|id, _| there.contains(id));
        }
        self.report(cluster, memory, observation, &changed).await?;
        Ok(again)
    }

    /// Writes an observation if it says anything new.
    async fn report(
        &self,
        cluster: &ClusterIntent,
        memory: &mut Memory,
        mut observation: ClusterObservation,
        changed: &[InstanceObservation],
    ) -> Result<(), PassError> {
        let known = memory.written.as_ref().is_some_and(|written| {
            let news = observation.carried_out.is_some() && observation.carried_out != written.carried_out;
            !news && observation.reason == written.reason && observation.message == written.message
        });
        if known && changed.is_empty() {
            return Ok(());
        }
        let (store, lease) = (&self.context.store, &self.context.lease);
        let mut rest = changed;
        while let Some((batch, later)) = rest.split_at_checked(STATUS_BATCH).filter(|(_, later)| !later.is_empty()) {
            // It is carried out only when all of it is written.
            let so_far = ClusterObservation { carried_out: None, ..observation.clone() };
            store.status_write(lease, cluster.id, &so_far, batch).await?;
            rest = later;
        }
        store.status_write(lease, cluster.id, &observation, rest).await?;
        observation.carried_out = observation.carried_out.or(memory.written.take().and_then(|written| written.carried_out));
        memory.written = Some(observation);
        self.context.changes.fire();
        Ok(())
    }

    fn find(
        &self,
        cluster: &ClusterIntent,
        instance: &store::InstanceIntent,
        observed: &Observed,
        refusal: Option<&crate::memory::Refusal>,
        unix: i64,
    ) -> Finding {
        let (finding, absent) = match cluster.instance_type {
            InstanceType::Container => {
                let pod = observed.pod(instance);
                (status::container(instance, pod, unix), pod.is_none())
            }
            InstanceType::Vm if self.context.cache.kubevirt() != KubeVirt::Served => (status::without_kubevirt(instance), false),
            InstanceType::Vm => {
                let vm = observed.vm(instance);
                (status::vm(instance, vm, observed.vmi(instance)), vm.is_none())
            }
        };
        match refusal {
            Some(refusal) if absent && finding.state == State::Coming => {
                Finding::refused(refusal.permanent.is_some(), &refusal.reason, &refusal.message)
            }
            // What is there stays what it is; only why it does not get further is told.
            Some(refusal) if matches!(finding.state, State::Coming | State::Leaving) => finding.because(&refusal.reason, &refusal.message),
            _ => finding,
        }
    }
}

fn unix_seconds() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
