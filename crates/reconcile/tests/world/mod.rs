//! A database, a reconciler and a member: the Kubernetes that `KUBEKCLOUD_TEST_KUBECONFIG` names, else a sandbox.
#![expect(dead_code, reason = "each test binary uses its part")]

pub(crate) mod proxy;
pub(crate) mod skip;

use std::{
    path::PathBuf,
    sync::{
        Arc, Once,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use futures::StreamExt as _;
use members::{Creation, Fence, Identity, Kind, KubeVirt, Member, PodPhase, Watch, Watches, Writer};
use reconcile::{Connect, HealthSnapshot, Options, Supervisor};
use sandbox::Sandbox;
use store::{ClusterIntent, NewCluster, NewUser, Opened, Usage, Whose};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use self::proxy::{Proxy, Rule};
use types::{Bytes, ClusterId, ClusterName, InstanceStatus, InstanceType, MemberId, MilliCpu, Operation, Role, Step, Subject, UserId, quantity::MIB};

const KUBECONFIG: &str = "KUBEKCLOUD_TEST_KUBECONFIG";

/// What a failpoint says when it stands for a defect of ours, not for the death of the process.
pub(crate) const DEFECT: &str = "a defect";

static PANICS: AtomicUsize = AtomicUsize::new(0);

pub(crate) struct World {
    pub(crate) db: Opened,
    pub(crate) member: Arc<Member>,
    pub(crate) owner: UserId,
    kubeconfig: PathBuf,
    pub(crate) directory: TempDir,
    sandbox: Option<Sandbox>,
    cancel: CancellationToken,
    supervisor: Option<Supervisor>,
    proxy: Option<Proxy>,
}

impl World {
    pub(crate) async fn open() -> Self {
        Self::open_with(None).await
    }

    /// Where the Kubernetes refuses what a rule says, with a status and a message.
    pub(crate) async fn open_behind(rule: impl Fn(&http::Method, &str) -> Option<(u16, &'static str)> + Send + Sync + 'static) -> Self {
        Self::open_with(Some(Arc::new(rule))).await
    }

    async fn open_with(rule: Option<Arc<Rule>>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let db = store::open(&Self::database(&directory)).await.unwrap();
        db.schema.migrate().await.unwrap();
        let (cpu, memory) = (MilliCpu(10_000_000), Bytes(1_000_000 * MIB));
        let quota = Usage { cpu, memory, storage: memory, clusters: 100_000, instances: 100_000 };
        let new = &NewUser { username: "me".into(), role: Role::User, quota, quota_virtual_clusters: 0 };
        let user = db.intents.transact(|tx| async move { tx.user_insert(new).await }).await.unwrap().value.unwrap();
        let (kubeconfig, sandbox) = match std::env::var_os(KUBECONFIG) {
            Some(path) => (path.into(), None),
            None => {
                let sandbox = Sandbox::start(sandbox::Options { data_dir: Some(directory.path().join("sandbox")), port: 0 }).await.unwrap();
                (sandbox.kubeconfig_path().unwrap().to_owned(), Some(sandbox))
            }
        };
        let kubeconfig: PathBuf = kubeconfig;
        let behind = directory.path().join("proxy");
        let (kubeconfig, proxy) = match rule {
            Some(rule) => (behind.clone(), Some(Proxy::start(&kubeconfig, &behind, rule).await)),
            None => (kubeconfig, None),
        };
        let member = Arc::new(Member::from_kubeconfig(Identity::local(), &kubeconfig).await.unwrap());
        let cancel = CancellationToken::new();
        let mut world = Self { db, member, owner: user.id, kubeconfig, directory, sandbox, cancel, supervisor: None, proxy };
        world.start("first").await;
        world
    }

    /// How often a failpoint panicked in this process since this was first asked.
    pub(crate) fn panics(&self) -> usize {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let usual = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |info| {
                let text = info.payload().downcast_ref::<String>().map_or("", String::as_str);
                if text.starts_with("failpoint") || text == DEFECT {
                    PANICS.fetch_add(1, Ordering::Relaxed);
                } else {
                    usual(info);
                }
            }));
        });
        PANICS.load(Ordering::Relaxed)
    }

    pub(crate) fn database(directory: &TempDir) -> String {
        format!("sqlite:///{}", directory.path().join("test.db").display())
    }

    pub(crate) fn options(holder: &str) -> Options {
        Options { lease_ttl: Duration::from_secs(3), delete_grace: Duration::from_secs(2), ..Options::new(holder) }
    }

    /// Another replica, in a runtime of its own that can be torn down like a process.
    pub(crate) async fn start_doomed(&self, holder: &'static str) -> tokio::runtime::Runtime {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let url = Self::database(&self.directory);
        let kubeconfig = self.kubeconfig.clone();
        let started = runtime.spawn(async move {
            let db = store::open(&url).await.unwrap();
            let installation = db.schema.installation_id().await.unwrap();
            let member = Arc::new(Member::from_kubeconfig(Identity::local(), &kubeconfig).await.unwrap());
            let handles = (db.observations, db.leases);
            let supervisor = Supervisor::start(handles, installation, connect(member), Self::options(holder), CancellationToken::new());
            while !supervisor.health().snapshot().iter().any(|member| member.synced) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        started.await.unwrap();
        runtime
    }

    pub(crate) async fn start(&mut self, holder: &str) {
        // Behind a rule, trouble is what a test waits for.
        let failure_grace = if self.proxy.is_some() { Duration::from_secs(4) } else { Self::options(holder).failure_grace };
        let options = Options { failure_grace, ..Self::options(holder) };
        self.cancel = CancellationToken::new();
        let (db, installation) = (self.db.clone(), self.db.schema.installation_id().await.unwrap());
        let handles = (db.observations, db.leases);
        let connect = connect(self.member.clone());
        self.supervisor = Some(Supervisor::start(handles, installation, connect, options, self.cancel.clone()));
    }

    /// Ends the reconciler, which gives its lease back.
    pub(crate) async fn stop(&mut self) {
        self.cancel.cancel();
        if let Some(supervisor) = self.supervisor.take() {
            supervisor.stopped().await;
        }
    }

    pub(crate) async fn close(mut self) {
        self.stop().await;
        if let Some(sandbox) = self.sandbox.take() {
            sandbox.shutdown().await;
        }
    }

    pub(crate) fn health(&self) -> Option<HealthSnapshot> {
        self.supervisor.as_ref().unwrap().health().snapshot().pop()
    }

    pub(crate) fn is(&self, what: impl Fn(&HealthSnapshot) -> bool) -> bool {
        self.health().is_some_and(|health| what(&health))
    }

    pub(crate) fn size(&self, instances: i64) -> Usage {
        Usage { cpu: MilliCpu(1_000 * instances), memory: Bytes(64 * MIB * instances), storage: Bytes(0), clusters: instances.min(1), instances }
    }

    pub(crate) async fn create(&self, name: &str, instance_type: InstanceType, instances: i32) -> ClusterId {
        self.create_on(MemberId::LOCAL, name, instance_type, instances).await
    }

    pub(crate) async fn create_on(&self, member: MemberId, name: &str, instance_type: InstanceType, instances: i32) -> ClusterId {
        let id = self.insert(member, name, instance_type, instances, None).await;
        self.wake(id);
        id
    }

    /// A namespace with room for that many, and none in it.
    pub(crate) async fn create_stopped(&self, name: &str, instances: i32) -> ClusterId {
        let id = self.insert(MemberId::LOCAL, name, InstanceType::Container, instances, Some(Operation::Stop)).await;
        self.wake(id);
        id
    }

    async fn insert(&self, member: MemberId, name: &str, instance_type: InstanceType, instances: i32, operation: Option<Operation>) -> ClusterId {
        let name = ClusterName::parse(name).unwrap();
        let size = self.size(1);
        let image = match instance_type {
            InstanceType::Container => "nginx:latest",
            InstanceType::Vm => "quay.io/containerdisks/fedora:latest",
        };
        let new = &NewCluster {
            owner: self.owner,
            member,
            name,
            instance_type,
            cpu: size.cpu,
            memory: size.memory,
            disk: None,
            image: image.into(),
            ssh_public_key: Some("ssh-ed25519 AAAA me".into()).filter(|_| instances < 10),
            cloud_init: None,
            hides_names: false,
        };
        let created = self.db.intents.transact(|tx| async move {
            let store::Inserted::Id(id) = tx.cluster_insert(new).await? else { panic!("the name is taken") };
            tx.instances_insert(id, &new.name, 1..=instances).await?;
            tx.allocate(self.owner, id, size).await?;
            for row in tx.instances_of(id).await? {
                if let Some(operation) = operation {
                    assert!(tx.instance_operate(row.intent.id, row.intent.generation, operation).await?);
                }
            }
            Ok(id)
        });
        created.await.unwrap().value
    }

    /// Posts Pods over 16 connections into a cluster's namespace; answers how long it took until all ran.
    pub(crate) async fn post_straight(&self, id: ClusterId, pods: usize) -> Duration {
        let namespace = self.intent(id).await.namespace;
        let installation = format!("straight-{}", std::process::id());
        let watches = Watches::start(self.member.clone(), &installation, &[Watch::NAMESPACES, Watch::PODS], |_| {});
        watches.cache().until_synced().await;
        let writer = self.writer();
        let started = Instant::now();
        let post = |number: usize| {
            let (writer, namespace, installation) = (writer.clone(), namespace.clone(), installation.clone());
            async move {
                let size = serde_json::json!({"cpu": "1", "memory": "64Mi"});
                let pod = serde_json::json!({
                    "apiVersion": "v1",
                    "kind": "Pod",
                    "metadata": {
                        "name": format!("straight-{number}"),
                        "labels": {"kubekcloud.io/installation": installation, "kubekcloud.io/cluster-id": "1"},
                    },
                    "spec": {"containers": [{"name": "main", "image": "nginx", "resources": {"requests": size, "limits": size}}]},
                });
                while let Err(error) = writer.create_pod(Step::PodCreate, &namespace, &pod).await {
                    assert!(error.is_conflict() || error.namespace_not_ready(), "{error}");
                }
            }
        };
        futures::stream::iter(0..pods).map(post).buffer_unordered(16).collect::<Vec<_>>().await;
        let running = || watches.cache().pods(ClusterId(1)).iter().filter(|pod| pod.phase == PodPhase::Running).count();
        while running() < pods {
            assert!(started.elapsed() < Duration::from_secs(120), "{} of {pods}", running());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        started.elapsed()
    }

    /// A Pod with a cluster's labels, for an instance that the caller chooses.
    pub(crate) async fn post_stray(&self, id: ClusterId, name: &str, instance: i64) {
        let namespace = self.intent(id).await.namespace;
        let size = serde_json::json!({"cpu": "1", "memory": "64Mi"});
        let pod = serde_json::json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": name,
                "labels": {
                    "kubekcloud.io/installation": self.db.schema.installation_id().await.unwrap(),
                    "kubekcloud.io/cluster-id": id.to_string(),
                    "kubekcloud.io/instance-id": instance.to_string(),
                },
            },
            "spec": {"containers": [{"name": "main", "image": "nginx", "resources": {"requests": size, "limits": size}}]},
        });
        let writer = self.writer();
        while let Err(error) = writer.create_pod(Step::PodCreate, &namespace, &pod).await {
            assert!(error.is_conflict() || error.namespace_not_ready(), "{error}");
        }
    }

    fn wake(&self, id: ClusterId) {
        if let Some(supervisor) = &self.supervisor {
            supervisor.wake().wake(MemberId::LOCAL, Subject::Cluster(id));
        }
    }

    /// Whether the Kubernetes serves KubeVirt, once that is known. Says that the test is skipped where it does not.
    pub(crate) async fn serves_kubevirt(&self) -> bool {
        let known = async || self.is(|health| health.synced && health.kubevirt != KubeVirt::Unknown);
        self.until("caches are synced", Duration::from_secs(60), known).await;
        let serves = self.is(|health| health.kubevirt == KubeVirt::Served);
        if !serves {
            skip::skip("this Kubernetes does not serve KubeVirt");
        }
        serves
    }

    /// Changes a cluster's intent, and has it reconciled.
    async fn change<F: Future<Output = types::Result<()>> + Send>(&self, id: ClusterId, change: impl Fn(store::Tx) -> F + Send + Sync) {
        let _ = self.db.intents.transact(change).await.unwrap();
        self.wake(id);
    }

    pub(crate) async fn operate(&self, id: ClusterId, operation: Operation) {
        self.operate_but(id, 0, operation).await;
    }

    /// All but the one of that ordinal.
    pub(crate) async fn operate_but(&self, id: ClusterId, ordinal: i32, operation: Operation) {
        self.change(id, |tx| async move {
            let cluster = tx.cluster_lock(Whose::Everybodys, id).await?.unwrap();
            for row in tx.instances_of(id).await?.into_iter().filter(|row| row.intent.ordinal != ordinal) {
                assert!(tx.instance_operate(row.intent.id, row.intent.generation, operation).await?);
            }
            tx.cluster_touch(id, &cluster).await
        })
        .await;
    }

    pub(crate) async fn scale_down(&self, id: ClusterId, to: i32) {
        self.change(id, |tx| async move {
            let cluster = tx.cluster_lock(Whose::Everybodys, id).await?.unwrap();
            tx.instances_scale_away(id, to).await?;
            tx.cluster_touch(id, &cluster).await
        })
        .await;
    }

    pub(crate) async fn remove(&self, id: ClusterId) {
        self.change(id, |tx| async move {
            let cluster = tx.cluster_lock(Whose::Everybodys, id).await?.unwrap();
            tx.cluster_delete(id, &cluster).await
        })
        .await;
    }

    pub(crate) async fn usage(&self) -> Usage {
        self.db.intents.usage(self.owner).await.unwrap()
    }

    /// As the rows say it at this moment.
    pub(crate) async fn find(&self, id: ClusterId) -> Option<ClusterIntent> {
        self.db.observations.cluster_intent_on(MemberId::LOCAL, id).await.unwrap()
    }

    pub(crate) async fn intent(&self, id: ClusterId) -> ClusterIntent {
        self.find(id).await.unwrap()
    }

    pub(crate) async fn wait(&self, id: ClusterId, most: Duration, what: &str, done: impl Fn(&ClusterIntent) -> bool) {
        let mut changes = self.supervisor.as_ref().unwrap().changes().subscribe();
        let started = Instant::now();
        loop {
            let intent = self.intent(id).await;
            if done(&intent) {
                return;
            }
            if started.elapsed() > most {
                let row = self.db.intents.cluster(Whose::Everybodys, id).await.unwrap();
                let sample: Vec<_> = intent.instances.iter().take(5).collect();
                panic!("{what}: not within {most:?}: {row:?}\n{sample:#?}\n{:?}", self.health());
            }
            let _ = tokio::time::timeout(Duration::from_millis(500), changes.changed()).await;
        }
    }

    pub(crate) async fn wait_all(&self, id: ClusterId, status: InstanceStatus, most: Duration) {
        self.wait(id, most, &format!("all {status}"), |intent| {
            intent.instances.iter().all(|i| i.observed.status == status && i.observed.generation == i.generation)
        })
        .await;
    }

    pub(crate) async fn all(&self, id: ClusterId, status: InstanceStatus) -> bool {
        self.intent(id).await.instances.iter().all(|i| i.observed.status == status && i.observed.generation == i.generation)
    }

    /// Makes a Secret with finalizers, or takes them off.
    pub(crate) async fn hold(&self, namespace: &str, finalizers: &[&str]) {
        let object = serde_json::json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "held", "finalizers": finalizers}});
        self.writer().apply(Step::SecretApply, Kind::Secret, Some(namespace), "held", &object).await.unwrap();
    }

    pub(crate) async fn wait_gone(&self, id: ClusterId, most: Duration) {
        self.until("the cluster is gone", most, async || self.find(id).await.is_none()).await;
    }

    pub(crate) async fn until(&self, what: &str, most: Duration, done: impl AsyncFn() -> bool) {
        let mut changes = self.supervisor.as_ref().unwrap().changes().subscribe();
        let started = Instant::now();
        while !done().await {
            assert!(started.elapsed() < most, "{what}: not within {most:?}: {:?}", self.health());
            let _ = tokio::time::timeout(Duration::from_millis(200), changes.changed()).await;
        }
    }

    fn writer(&self) -> Writer {
        Writer::new(self.member.clone(), Fence::until(Instant::now() + Duration::from_secs(60)))
    }

    pub(crate) async fn delete(&self, kind: Kind, namespace: Option<&str>, name: &str, uid: &str) {
        self.writer().delete(Step::PodDelete, kind, namespace, name, uid, None).await.unwrap();
    }

    pub(crate) async fn foreign_namespace(&self, name: &str) -> String {
        let object = serde_json::json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        match self.writer().create_namespace(Step::NamespaceCreate, &object).await.unwrap() {
            Creation::Created { uid } => uid,
            Creation::Exists => panic!("namespace {name} is left over from an earlier run"),
        }
    }
}

/// Only `local` can be reached.
fn connect(local: Arc<Member>) -> Connect {
    Arc::new(move |row| (row.id == MemberId::LOCAL).then(|| local.clone()))
}
