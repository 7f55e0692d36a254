//! A control plane without its edges: a store in a temporary directory, the use cases on it, users by role, a record of
//! whom reconciling was woken for, and the reconciler's pen to write what was seen.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use app::{App, Caller, Changes, Created, Policy, Wake};
use members::{Fleet, Identity, Member};
use serde_json::{Value, json};
use store::{ClusterIntent, ClusterObservation, InstanceIntent, InstanceObservation, InstanceObserved, Lease, LeaseName, Opened, TokenKey};
use tempfile::TempDir;
use tokio::sync::{Notify, watch};
use types::{ClusterId, Error, InstanceId, InstanceStatus, MemberId, Operation, Result, Role, Secret, Subject};
use wire::{
    cluster::{BulkResult, ClusterDetail, CreateCluster, UpdateCluster},
    instance::{Instance, Mode, OperatedInstance},
    user::{CreateUser, CreatedUser, UpdateUser, User},
};

pub(crate) use Operation::{Resume, Start, Stop, Suspend};

/// Longer than anything here takes; who waits this long has failed.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

const ADMIN_TOKEN: &str = "the-admins-token";

/// Names no server that exists: nothing in here sends anything.
const KUBECONFIG: &str = "apiVersion: v1
kind: Config
current-context: nowhere
clusters: [{name: nowhere, cluster: {server: 'http://127.0.0.1:1'}}]
contexts: [{name: nowhere, context: {cluster: nowhere, user: nobody}}]
users: [{name: nobody, user: {}}]
";

/// What tokens are called here is short.
fn usual() -> Policy {
    Policy { token_min: 6, ..Policy::default() }
}

/// Installations differ in these; the usual one answers operations without waiting for them.
pub(crate) struct Setup {
    pub(crate) policy: Policy,
    pub(crate) kubernetes: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self { policy: Policy { operation_wait: Duration::ZERO, ..usual() }, kubernetes: true }
    }
}

/// A record of whom reconciling was woken for.
#[derive(Default)]
struct Wakes {
    woken: Mutex<Vec<ClusterId>>,
    news: Notify,
}

pub(crate) struct World {
    pub(crate) app: App,
    pub(crate) db: Opened,
    token_key: TokenKey,
    pub(crate) admin: Caller,
    fleet: Fleet,
    wakes: Arc<Wakes>,
    observed: watch::Sender<u64>,
    lease: Lease,
    _directory: TempDir,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Setup::default()).await
    }

    /// Operations wait for their end.
    pub(crate) async fn patient() -> Self {
        Self::with(Setup { policy: Policy { operation_wait: DEADLINE, ..usual() }, kubernetes: true }).await
    }

    pub(crate) async fn with(Setup { policy, kubernetes }: Setup) -> Self {
        let (db, directory) = empty_database().await;
        let token_key = db.schema.token_key().await.expect("was made");
        let replica = db.leases.join("the tests", Duration::from_secs(3600)).await.expect("joins");
        let lease = db.leases.claim(&replica, LeaseName::Member(MemberId::LOCAL)).await.expect("asks").expect("free");
        let fleet = Fleet::default();
        if kubernetes {
            let kubeconfig = directory.path().join("kubeconfig");
            std::fs::write(&kubeconfig, KUBECONFIG).expect("writes");
            fleet.put(Member::from_kubeconfig(Identity::local(), &kubeconfig).await.expect("is understood"));
        }
        let wakes = Arc::new(Wakes::default());
        let record = Arc::clone(&wakes);
        let wake: Wake = Arc::new(move |member, subject| {
            let Subject::Cluster(id) = subject else { panic!("{subject} was woken") };
            assert_eq!(member, MemberId::LOCAL);
            record.woken.lock().expect("no test panicked").push(id);
            record.news.notify_one();
        });
        let observed = watch::Sender::new(0);
        let app = App::new(db.intents.clone(), token_key.clone(), policy, fleet.clone(), wake, changes(&observed));
        app.bootstrap(Some(Secret::new(ADMIN_TOKEN))).await.expect("makes the first admin");
        let admin = app.authenticate(&Secret::new(ADMIN_TOKEN)).await.expect("the admin comes in");
        Self { app, db, token_key, admin, fleet, wakes, observed, lease, _directory: directory }
    }

    /// The use cases on the same store, with another way to wake.
    pub(crate) fn with_wake(&self, wake: Wake) -> App {
        App::new(self.db.intents.clone(), self.token_key.clone(), Setup::default().policy, self.fleet.clone(), wake, changes(&self.observed))
    }

    /// The use cases on the same store after its Kubernetes was taken away.
    pub(crate) fn without_kubernetes(&self) -> App {
        App::new(
            self.db.intents.clone(),
            self.token_key.clone(),
            Setup::default().policy,
            Fleet::default(),
            Arc::new(|_, _| ()),
            changes(&self.observed),
        )
    }

    /// Whom reconciling was woken for since the last question.
    pub(crate) fn woken(&self) -> Vec<ClusterId> {
        std::mem::take(&mut self.wakes.woken.lock().expect("no test panicked"))
    }

    /// Waits until reconciling has been woken.
    pub(crate) async fn until_woken(&self) {
        let woken = async {
            while self.woken().is_empty() {
                self.wakes.news.notified().await;
            }
        };
        tokio::time::timeout(DEADLINE, woken).await.expect("somebody wakes reconciling");
    }

    // Users.

    /// A user with 10 cores, 10 GiB of memory and 10 GiB of storage.
    pub(crate) async fn user(&self, name: &str) -> Caller {
        self.somebody(name, Role::User).await
    }

    pub(crate) async fn somebody(&self, name: &str, role: Role) -> Caller {
        self.create_user(Some(&self.admin), json!({"username": name, "token": token_of(name).expose(), "role": role})).await.expect("creates");
        self.caller(name).await.expect("comes in")
    }

    /// Creates a user; what `request` leaves out is 10 of everything.
    pub(crate) async fn create_user(&self, caller: Option<&Caller>, request: Value) -> Result<CreatedUser> {
        let request = merged(json!({"quota_cpu": 10, "quota_memory": 10, "quota_storage": 10}), request);
        self.app.user_create(caller, parsed::<CreateUser>(&request)).await
    }

    /// Who comes in with the token that [`Self::user`] gave.
    pub(crate) async fn caller(&self, name: &str) -> Result<Caller> {
        self.app.authenticate(&token_of(name)).await
    }

    /// The admin changes somebody.
    pub(crate) async fn change(&self, caller: &Caller, request: Value) -> Result<User> {
        self.app.user_update(&self.admin, caller.user.id, parsed::<UpdateUser>(&request.to_string())).await
    }

    // Clusters.

    /// Creates a cluster; what `request` leaves out is one container of one core and 1 GiB.
    pub(crate) async fn try_create(&self, caller: &Caller, name: &str, request: Value) -> Result<ClusterDetail> {
        let body = cluster_body(name, request);
        let created = self.app.cluster_create(caller, parsed::<CreateCluster>(&body), body.as_bytes(), None, Duration::ZERO).await;
        created.map(|created| created.cluster)
    }

    pub(crate) async fn create(&self, caller: &Caller, name: &str, request: Value) -> ClusterDetail {
        self.try_create(caller, name, request).await.expect("creates")
    }

    pub(crate) async fn create_with_key(&self, caller: &Caller, name: &str, request: Value, key: &str) -> Result<Created> {
        let body = cluster_body(name, request);
        self.app.cluster_create(caller, parsed::<CreateCluster>(&body), body.as_bytes(), Some(key), Duration::ZERO).await
    }

    /// A cluster of so many instances, all running.
    pub(crate) async fn running(&self, caller: &Caller, name: &str, instances: i64) -> ClusterDetail {
        let cluster = self.create(caller, name, json!({"instance_count": instances})).await;
        self.settle(cluster.cluster.id).await;
        self.woken();
        self.app.cluster_get(caller, cluster.cluster.id).await.expect("is there")
    }

    pub(crate) async fn scale(&self, caller: &Caller, id: ClusterId, instance_count: i64) -> Result<ClusterDetail> {
        self.app.cluster_scale(caller, id, UpdateCluster { instance_count }).await
    }

    pub(crate) async fn operate(&self, caller: &Caller, id: InstanceId, operation: Operation) -> Result<OperatedInstance> {
        self.app.instance_operate(caller, id, operation, Mode::Usual, false).await
    }

    pub(crate) async fn operate_all(&self, caller: &Caller, id: ClusterId, operation: Operation) -> Result<BulkResult> {
        self.app.cluster_operate(caller, id, operation, Mode::Usual, false).await
    }

    /// Brings a running instance where `status` says, by the way that a tenant would take.
    pub(crate) async fn bring_to(&self, caller: &Caller, id: InstanceId, status: InstanceStatus) {
        match status {
            InstanceStatus::Running => {}
            InstanceStatus::Stopped => self.go(caller, id, Stop).await,
            InstanceStatus::Suspended => self.go(caller, id, Suspend).await,
            InstanceStatus::Failed => self.observe(id, InstanceStatus::Failed).await,
            InstanceStatus::Pending => {
                self.go(caller, id, Stop).await;
                self.operate(caller, id, Start).await.expect("is written");
                self.observe(id, InstanceStatus::Pending).await;
            }
        }
        self.woken();
    }

    /// Running again, whatever it is.
    pub(crate) async fn bring_back(&self, caller: &Caller, id: InstanceId) {
        let wanted = self.instance(id).await.desired;
        if wanted != types::Desired::Running {
            self.app.instance_operate(caller, id, Stop, Mode::Usual, true).await.expect("is taken");
            self.observe(id, InstanceStatus::Stopped).await;
            self.operate(caller, id, Start).await.expect("is written");
        }
        self.observe(id, InstanceStatus::Running).await;
        self.woken();
    }

    /// Something stands in an instance's way.
    pub(crate) async fn trouble(&self, id: InstanceId, reason: &str) {
        let cluster = self.app.instance_get(&self.admin, id).await.expect("is there").cluster_id;
        let intent = self.intent(cluster).await;
        let instance = intent.instances.iter().find(|instance| instance.id == id).expect("is there");
        let observed = InstanceObserved { reason: Some(reason.to_owned()), ..instance.observed.clone() };
        let seen = InstanceObservation { id, name: instance.name.clone(), before: instance.observed.status, observed };
        self.db.observations.status_write(&self.lease, intent.owner, cluster, None, &[seen]).await.expect("writes");
    }

    async fn go(&self, caller: &Caller, id: InstanceId, operation: Operation) {
        self.operate(caller, id, operation).await.expect("is written");
        self.observe(id, operation.target().settled()).await;
    }

    // What reconciling does.

    /// Everything in the cluster has got where it should be.
    pub(crate) async fn settle(&self, id: ClusterId) {
        self.write(id, |instance| Some(instance.desired.settled())).await;
    }

    /// One instance is seen to be something.
    pub(crate) async fn observe(&self, id: InstanceId, status: InstanceStatus) {
        let cluster = self.app.instance_get(&self.admin, id).await.expect("is there").cluster_id;
        self.write(cluster, |instance| (instance.id == id).then_some(status)).await;
    }

    async fn write(&self, id: ClusterId, seen: impl Fn(&InstanceIntent) -> Option<InstanceStatus>) {
        let intent = self.intent(id).await;
        let observations: Vec<_> = intent
            .instances
            .iter()
            .filter_map(|instance| {
                let mut observed = instance.observed.clone();
                observed.status = seen(instance)?;
                observed.generation = instance.generation;
                Some(InstanceObservation { id: instance.id, name: instance.name.clone(), before: instance.observed.status, observed })
            })
            .collect();
        let carried_out = ClusterObservation { carried_out: Some(intent.generation), ..ClusterObservation::default() };
        self.db.observations.status_write(&self.lease, intent.owner, id, Some(&carried_out), &observations).await.expect("writes");
        self.observed.send_modify(|n| *n += 1);
    }

    /// Instances that were scaled away are confirmed gone.
    pub(crate) async fn release_scaled_away(&self, id: ClusterId) {
        let intent = self.intent(id).await;
        let gone: Vec<_> = intent.instances.iter().filter(|instance| instance.deleting).map(|instance| instance.id).collect();
        self.db.observations.instance_release(&self.lease, id, &gone).await.expect("releases");
    }

    /// A deleted cluster is confirmed gone.
    pub(crate) async fn remove(&self, id: ClusterId) {
        self.db.observations.allocation_release(&self.lease, id).await.expect("releases");
        self.db.observations.cluster_remove(&self.lease, id).await.expect("removes");
        self.observed.send_modify(|n| *n += 1);
    }

    // What can be asked.

    pub(crate) async fn instance(&self, id: InstanceId) -> Instance {
        self.app.instance_get(&self.admin, id).await.expect("is there")
    }

    async fn intent(&self, id: ClusterId) -> ClusterIntent {
        self.db.observations.cluster_intent(&self.lease, id).await.expect("asks").expect("is there")
    }

    /// How often the intent of a cluster has changed.
    pub(crate) async fn generation(&self, id: ClusterId) -> i64 {
        self.intent(id).await.generation
    }

    /// Cores and GiB of memory and storage that somebody takes.
    pub(crate) async fn used(&self, caller: &Caller) -> (f64, f64, f64) {
        let quota = self.app.quota_get(caller).await.expect("is told");
        (quota.used_cpu.cores(), quota.used_memory.gib(), quota.used_storage.gib())
    }

    /// What was recorded, oldest first: `action target detail`.
    pub(crate) async fn trail(&self) -> Vec<String> {
        let entries = self.app.audit_list(&self.admin, None, 1000).await.expect("is told");
        let line = |e: wire::audit::AuditEntry| format!("{} {} {}", e.action, e.target, e.detail.unwrap_or_default()).trim_end().to_owned();
        entries.into_iter().rev().map(line).collect()
    }
}

async fn empty_database() -> (Opened, TempDir) {
    let directory = tempfile::tempdir().expect("temporary directory");
    let db = store::open(&format!("sqlite:///{}", directory.path().join("test.db").display())).await.expect("opens");
    db.schema.migrate().await.expect("migrates");
    (db, directory)
}

fn changes(observed: &watch::Sender<u64>) -> Changes {
    let observed = observed.clone();
    Arc::new(move |_| observed.subscribe())
}

/// An installation in which there is nobody yet.
pub(crate) async fn before_bootstrap() -> (App, TempDir) {
    let (db, directory) = empty_database().await;
    let key = db.schema.token_key().await.expect("was made");
    (App::new(db.intents, key, Policy::default(), Fleet::default(), Arc::new(|_, _| ()), changes(&watch::Sender::new(0))), directory)
}

pub(crate) fn token_of(name: &str) -> Secret {
    Secret::new(format!("token-of-{name}"))
}

pub(crate) fn cluster_body(name: &str, request: Value) -> String {
    let usual = json!({"name": name, "instance_type": "container", "cpu_per_instance": 1, "memory_per_instance": 1, "instance_count": 1});
    merged(usual, request)
}

/// A request as a client sends it.
pub(crate) fn parsed<T: serde::de::DeserializeOwned>(body: &str) -> T {
    serde_json::from_str(body).expect("a valid request")
}

fn merged(mut usual: Value, request: Value) -> String {
    for (key, value) in request.as_object().expect("an object") {
        usual[key] = value.clone();
    }
    usual.to_string()
}

/// The instances' ids, lowest number first.
pub(crate) fn ids(cluster: &ClusterDetail) -> Vec<InstanceId> {
    cluster.instances.iter().map(|instance| instance.id).collect()
}

/// The refusal's stable word.
#[track_caller]
pub(crate) fn refused<T>(result: Result<T>) -> &'static str {
    match result {
        Ok(_) => panic!("was not refused"),
        Err(error) => error.code(),
    }
}

/// The fields that a refusal names.
#[track_caller]
pub(crate) fn refused_fields<T>(result: Result<T>) -> Vec<String> {
    match result {
        Err(Error::Invalid(fields)) => fields.into_iter().map(|field| field.field).collect(),
        Err(other) => panic!("refused for another reason: {other:?}"),
        Ok(_) => panic!("was not refused"),
    }
}
