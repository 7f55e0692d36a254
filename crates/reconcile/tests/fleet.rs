//! Several members and several replicas: who reconciles what, while members come and go and replicas die.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod world;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use members::{Identity, Member};
use reconcile::{Connect, Supervisor};
use sandbox::Sandbox;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use types::{ClusterId, InstanceStatus, InstanceType, MemberId, Subject};
use world::World;

const SOON: Duration = Duration::from_secs(60);

/// Which members this process has a way to.
type Ways = Arc<Mutex<BTreeMap<MemberId, Arc<Member>>>>;

fn connect(ways: &Ways) -> Connect {
    let ways = ways.clone();
    Arc::new(move |row| ways.lock().unwrap().get(&row.id).cloned())
}

/// A replica in a runtime of its own, which can die like a process.
struct Replica {
    runtime: Option<Runtime>,
    supervisor: Arc<Supervisor>,
    cancel: CancellationToken,
}

impl Replica {
    async fn start(world: &World, name: &'static str, ways: &Ways) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (url, connect, cancel) = (World::database(&world.directory), connect(ways), CancellationToken::new());
        let stop = cancel.clone();
        let started = runtime.spawn(async move {
            let db = store::open(&url).await.unwrap();
            let installation = db.schema.installation_id().await.unwrap();
            Arc::new(Supervisor::start((db.observations, db.leases), installation, connect, World::options(name), stop))
        });
        Self { supervisor: started.await.unwrap(), runtime: Some(runtime), cancel }
    }

    fn held(&self) -> Vec<String> {
        self.supervisor.health().snapshot().into_iter().filter(|member| member.lease_held).map(|member| member.member).collect()
    }

    fn kill(&mut self) {
        self.runtime.take().unwrap().shutdown_background();
    }

    /// Ends in order; answers how long it took until nothing was held.
    async fn stop(mut self) {
        self.cancel.cancel();
        let supervisor = Arc::into_inner(self.supervisor).unwrap();
        self.runtime.as_ref().unwrap().spawn(supervisor.stopped()).await.unwrap();
        self.runtime.take().unwrap().shutdown_background();
    }
}

async fn until(what: &str, most: Duration, done: impl AsyncFn() -> bool) -> Duration {
    let started = Instant::now();
    while !done().await {
        assert!(started.elapsed() < most, "{what}: not within {most:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    started.elapsed()
}

async fn runs(world: &World, member: MemberId, id: ClusterId) -> bool {
    let intent = world.db.observations.cluster_intent_on(member, id).await.unwrap();
    intent.is_some_and(|intent| intent.instances.iter().all(|i| i.observed.status == InstanceStatus::Running))
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_share_members_that_come_and_go_and_take_over_from_the_dead() {
    let mut world = World::open().await;
    world.stop().await;
    let (directory, owner) = (tempfile::tempdir().unwrap(), world.owner);
    let sandbox = Sandbox::start(sandbox::Options { data_dir: Some(directory.path().to_owned()), port: 0 }).await.unwrap();
    let ways = Ways::default();
    ways.lock().unwrap().insert(MemberId::LOCAL, world.member.clone());
    let (both, first) = (["local", "second"], ["local"]);

    let a = Replica::start(&world, "a", &ways).await;
    until("a has the only member", SOON, async || a.held() == first).await;

    let joined = world.db.intents.transact(|tx| async move { tx.member_insert(owner, "second").await });
    let second = joined.await.unwrap().value.unwrap();
    let identity = Identity { id: second, name: "second".into(), credential_version: 0 };
    let member = Member::from_kubeconfig(identity, sandbox.kubeconfig_path().unwrap()).await.unwrap();
    ways.lock().unwrap().insert(second, Arc::new(member));
    until("a has a member that joined", SOON, async || a.held() == both).await;
    let on_local = world.create_on(MemberId::LOCAL, "here", InstanceType::Container, 1).await;
    let on_second = world.create_on(second, "there", InstanceType::Container, 1).await;
    until("one poll finds what is due on both", SOON, async || {
        runs(&world, MemberId::LOCAL, on_local).await && runs(&world, second, on_second).await
    })
    .await;

    let mut b = Replica::start(&world, "b", &ways).await;
    until("each has its share", SOON, async || a.held().len() == 1 && b.held().len() == 1).await;
    assert_ne!(a.held(), b.held());

    b.kill();
    let took = until("a takes over from the dead", SOON, async || a.held() == both).await;
    eprintln!("taken over after {took:?}");
    assert!(took < World::options("").lease_ttl * 2, "{took:?}");

    let c = Replica::start(&world, "c", &ways).await;
    until("each has its share again", SOON, async || a.held().len() == 1 && c.held().len() == 1).await;
    a.stop().await;
    let took = until("one that leaves hands over at once", SOON, async || c.held() == both).await;
    assert!(took < World::options("").lease_ttl, "{took:?}");

    let removed = world.db.intents.transact(|tx| async move {
        let cluster = tx.cluster_lock(store::Whose::Everybodys, on_second).await?.unwrap();
        tx.cluster_delete(on_second, &cluster).await
    });
    let _ = removed.await.unwrap();
    c.supervisor.wake().wake(second, Subject::Cluster(on_second));
    until("its clusters are gone", SOON, async || world.db.observations.cluster_intent_on(second, on_second).await.unwrap().is_none()).await;
    let _ = world.db.intents.transact(|tx| async move { tx.member_delete(second).await }).await.unwrap();
    until("a member that left is let go", SOON, async || c.held() == first).await;
    assert!(runs(&world, MemberId::LOCAL, on_local).await);
    c.stop().await;
    sandbox.shutdown().await;
    world.close().await;
}
