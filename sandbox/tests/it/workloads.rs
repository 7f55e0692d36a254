//! Deployments, StatefulSets, DaemonSets, Jobs and CronJobs move as with the real controllers.

use crate::support::{DEADLINE, eventually, from, start};
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{Node, PersistentVolumeClaim, Pod};
use kube::api::{ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

fn workload(name: &str, spec: Value) -> Value {
    let mut object = json!({"metadata": {"name": name}, "spec": {"selector": {"matchLabels": {"app": name}},
        "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "app", "image": "nginx:1"}]}}}});
    for (key, value) in spec.as_object().expect("an object") {
        object["spec"][key] = value.clone();
    }
    object
}

fn image(image: &str) -> Patch<Value> {
    Patch::Strategic(json!({"spec": {"template": {"spec": {"containers": [{"name": "app", "image": image}]}}}}))
}

fn condition<'c>(conditions: &'c Value, kind: &str) -> &'c Value {
    conditions.as_array().and_then(|all| all.iter().find(|c| c["type"] == kind)).unwrap_or(&Value::Null)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rollout_keeps_within_surge_and_unavailability_and_can_be_undone() {
    let (_sandbox, client) = start().await;
    let (deployments, pods): (Api<Deployment>, Api<Pod>) = (Api::namespaced(client.clone(), "default"), Api::namespaced(client.clone(), "default"));
    let strategy = json!({"replicas": 4, "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 1}}});
    deployments.create(&PostParams::default(), &from(workload("web", strategy))).await.expect("created");
    let done = |revision: &'static str| {
        let deployments = deployments.clone();
        async move {
            let web = deployments.get("web").await.expect("read");
            let value = serde_json::to_value(&web).expect("JSON");
            let (status, progress) = (&value["status"], condition(&value["status"]["conditions"], "Progressing"));
            let whole = status["updatedReplicas"] == 4 && status["availableReplicas"] == 4 && status["replicas"] == 4;
            let current = value["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == revision;
            (whole && current && progress["reason"] == "NewReplicaSetAvailable").then_some(value)
        }
    };
    eventually("the first rollout is done", || done("1")).await;
    let version = pods.list(&ListParams::default()).await.expect("a list").metadata.resource_version.expect("a version");
    let mut changes = pods.watch(&WatchParams::default(), &version).await.expect("a watch").boxed();
    let before = pods.list(&ListParams::default()).await.expect("a list").items;
    let mut alive: std::collections::BTreeMap<String, bool> = before.iter().map(|p| (p.name_any(), true)).collect();
    deployments.patch("web", &PatchParams::default(), &image("nginx:2")).await.expect("patched");
    let rolling = async {
        while alive.len() != 4 || alive.keys().any(|name| before.iter().any(|p| p.name_any() == *name)) || alive.values().any(|r| !r) {
            match changes.try_next().await.expect("an event").expect("the watch goes on") {
                WatchEvent::Added(pod) | WatchEvent::Modified(pod) => {
                    let conditions = serde_json::to_value(pod.status.as_ref().and_then(|s| s.conditions.clone())).expect("JSON");
                    let ready = condition(&conditions, "Ready")["status"] == "True";
                    if pod.metadata.deletion_timestamp.is_some() {
                        alive.remove(&pod.name_any());
                    } else {
                        alive.insert(pod.name_any(), ready);
                    }
                }
                WatchEvent::Deleted(pod) => {
                    alive.remove(&pod.name_any());
                }
                _ => {}
            }
            assert!(alive.len() <= 5, "one Pod more than wanted at most: {alive:?}");
            assert!(alive.values().filter(|r| **r).count() >= 3, "one Pod less than wanted at most: {alive:?}");
        }
    };
    tokio::time::timeout(DEADLINE, rolling).await.expect("all Pods are new");
    eventually("the second rollout is done", || done("2")).await;
    deployments.patch("web", &PatchParams::default(), &image("nginx:1")).await.expect("patched back");
    eventually("the old ReplicaSet has the next number", || done("3")).await;
    let sets: Api<ReplicaSet> = Api::namespaced(client, "default");
    let mut revisions: Vec<String> = sets
        .list(&ListParams::default())
        .await
        .expect("a list")
        .iter()
        .map(|s| s.annotations()["deployment.kubernetes.io/revision"].clone())
        .collect();
    revisions.sort();
    assert_eq!(revisions, ["2", "3"]);
}

#[tokio::test]
async fn a_rollout_that_gets_nowhere_exceeds_its_deadline() {
    let (_sandbox, client) = start().await;
    let deployments: Api<Deployment> = Api::namespaced(client, "default");
    let mut broken = workload("web", json!({"replicas": 2, "progressDeadlineSeconds": 1}));
    broken["spec"]["template"]["metadata"]["annotations"] = json!({"sandbox.kubekcloud.io/fail": "image-pull"});
    deployments.create(&PostParams::default(), &from(broken)).await.expect("created");
    let said = eventually("the deadline is exceeded", || async {
        let status = serde_json::to_value(deployments.get("web").await.expect("read").status).expect("JSON");
        (condition(&status["conditions"], "Progressing")["reason"] == "ProgressDeadlineExceeded").then_some(status)
    })
    .await;
    assert_eq!(condition(&said["conditions"], "Progressing")["status"], "False");
    assert_eq!(condition(&said["conditions"], "Available")["reason"], "MinimumReplicasUnavailable");
    assert_eq!((said["unavailableReplicas"].as_i64(), said.get("readyReplicas").and_then(Value::as_i64)), (Some(2), None));
}

#[tokio::test]
async fn a_stateful_set_goes_up_in_order_and_is_updated_from_the_top() {
    let (_sandbox, client) = start().await;
    let (sets, pods): (Api<StatefulSet>, Api<Pod>) = (Api::namespaced(client.clone(), "default"), Api::namespaced(client.clone(), "default"));
    let claim = json!({"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}});
    let spec = json!({"replicas": 3, "serviceName": "db", "volumeClaimTemplates": [claim], "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}});
    let mut changes = pods.watch(&WatchParams::default(), "0").await.expect("a watch").boxed();
    sets.create(&PostParams::default(), &from(workload("db", spec))).await.expect("created");
    let status = |ready: i64, updated: i64| {
        let sets = sets.clone();
        async move {
            let status = serde_json::to_value(sets.get("db").await.expect("read").status).expect("JSON");
            (status["readyReplicas"] == ready && status["updatedReplicas"] == updated && status["replicas"] == ready).then_some(status)
        }
    };
    let first = eventually("all three are ready", || status(3, 3)).await;
    assert_eq!(first["currentRevision"], first["updateRevision"]);
    sets.patch("db", &PatchParams::default(), &image("nginx:2")).await.expect("patched");
    let second = eventually("two of three are updated", || async {
        let status = status(3, 2).await?;
        (status["updateRevision"] != first["updateRevision"]).then_some(status)
    })
    .await;
    assert_eq!((second["currentRevision"].as_str(), second["currentReplicas"].as_i64()), (first["currentRevision"].as_str(), Some(1)));
    let mut seen = Vec::new();
    let follow = async {
        while seen.len() < 7 {
            match changes.try_next().await.expect("an event").expect("the watch goes on") {
                WatchEvent::Added(pod) => seen.push(format!("+{}", pod.name_any())),
                WatchEvent::Deleted(pod) => seen.push(format!("-{}", pod.name_any())),
                _ => {}
            }
        }
    };
    tokio::time::timeout(DEADLINE, follow).await.expect("seven changes");
    assert_eq!(seen, ["+db-0", "+db-1", "+db-2", "-db-2", "+db-2", "-db-1", "+db-1"]);
    let claims: Api<PersistentVolumeClaim> = Api::namespaced(client, "default");
    let bound = claims.get("data-db-1").await.expect("a claim").status.and_then(|s| s.phase);
    assert_eq!(bound.as_deref(), Some("Bound"));
}

#[tokio::test]
async fn a_daemon_set_follows_the_nodes_and_its_template() {
    let (_sandbox, client) = start().await;
    let (sets, nodes): (Api<DaemonSet>, Api<Node>) = (Api::namespaced(client.clone(), "default"), Api::all(client.clone()));
    sets.create(&PostParams::default(), &from(workload("agent", json!({})))).await.expect("created");
    let node = json!({"metadata": {"name": "second"}, "status": {"allocatable": {"cpu": "4", "memory": "8Gi", "pods": "110"}}});
    nodes.create(&PostParams::default(), &from(node)).await.expect("a node");
    let whole = |updated: i32| {
        let sets = sets.clone();
        async move {
            let agent = sets.get("agent").await.expect("read");
            let status = agent.status?;
            let seen = status.observed_generation == agent.metadata.generation;
            (seen && status.number_available == Some(2) && status.updated_number_scheduled == Some(updated) && status.desired_number_scheduled == 2)
                .then_some(())
        }
    };
    eventually("a Pod runs on both nodes", || whole(2)).await;
    sets.patch("agent", &PatchParams::default(), &image("nginx:2")).await.expect("patched");
    eventually("both Pods are new", || whole(2)).await;
    let pods: Api<Pod> = Api::namespaced(client, "default");
    let mut on: Vec<(String, String)> = pods
        .list(&ListParams::default())
        .await
        .expect("a list")
        .into_iter()
        .filter(|p| p.metadata.deletion_timestamp.is_none())
        .filter_map(|p| p.spec.map(|s| (s.node_name.unwrap_or_default(), s.containers[0].image.clone().unwrap_or_default())))
        .collect();
    on.sort();
    assert_eq!(on, [("sandbox-node-0".to_owned(), "nginx:2".to_owned()), ("second".to_owned(), "nginx:2".to_owned())]);
}

fn job(name: &str, spec: Value, command: &[&str]) -> Job {
    let mut job = json!({"metadata": {"name": name}, "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "app", "image": "busybox:1.35.0", "command": command}]}}}});
    for (key, value) in spec.as_object().expect("an object") {
        job["spec"][key] = value.clone();
    }
    from(job)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_complete_fail_run_out_of_time_and_go() {
    let (_sandbox, client) = start().await;
    let jobs: Api<Job> = Api::namespaced(client.clone(), "default");
    let made = [
        job("three", json!({"completions": 3, "parallelism": 2}), &["true"]),
        job("numbered", json!({"completions": 3, "parallelism": 3, "completionMode": "Indexed"}), &["true"]),
        job("failing", json!({"backoffLimit": 1}), &["false"]),
        job("slow", json!({"activeDeadlineSeconds": 1}), &["sleep", "3600"]),
        job("short-lived", json!({"ttlSecondsAfterFinished": 0}), &["true"]),
        job("suspended", json!({"suspend": true}), &["true"]),
    ];
    for job in &made {
        jobs.create(&PostParams::default(), job).await.expect("created");
    }
    let ends = |name: &'static str, how: &'static str| {
        let jobs = jobs.clone();
        async move {
            let status = serde_json::to_value(jobs.get(name).await.expect("read").status).expect("JSON");
            (condition(&status["conditions"], how)["status"] == "True").then_some(status)
        }
    };
    let three = eventually("three are complete", || ends("three", "Complete")).await;
    assert_eq!(
        (three["succeeded"].as_i64(), condition(&three["conditions"], "SuccessCriteriaMet")["reason"].as_str()),
        (Some(3), Some("CompletionsReached"))
    );
    assert_eq!(eventually("all numbers are complete", || ends("numbered", "Complete")).await["completedIndexes"], "0-2");
    let failing = eventually("it failed", || ends("failing", "Failed")).await;
    assert_eq!((failing["failed"].as_i64(), condition(&failing["conditions"], "Failed")["reason"].as_str()), (Some(2), Some("BackoffLimitExceeded")));
    assert_eq!(condition(&failing["conditions"], "FailureTarget")["message"], "Job has reached the specified backoff limit");
    let slow = eventually("time is up", || ends("slow", "Failed")).await;
    assert_eq!(condition(&slow["conditions"], "Failed")["reason"], "DeadlineExceeded");
    eventually("it is gone by itself", || async { jobs.get_opt("short-lived").await.expect("read").is_none().then_some(()) }).await;
    eventually("it waits", || ends("suspended", "Suspended")).await;
    let pods: Api<Pod> = Api::namespaced(client, "default");
    assert!(pods.list(&ListParams::default().labels("job-name=suspended")).await.expect("a list").items.is_empty());
    jobs.patch("suspended", &PatchParams::default(), &Patch::Merge(json!({"spec": {"suspend": false}}))).await.expect("resumed");
    eventually("it goes on", || ends("suspended", "Complete")).await;
}

#[tokio::test]
async fn a_cron_job_fires_for_the_last_time_that_it_missed_and_keeps_a_history() {
    let (_sandbox, client) = start().await;
    let (crons, jobs): (Api<CronJob>, Api<Job>) = (Api::namespaced(client.clone(), "default"), Api::namespaced(client.clone(), "default"));
    let template = json!({"spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "app", "image": "busybox:1.35.0", "command": ["true"]}]}}}});
    let cron = json!({"metadata": {"name": "nightly"}, "spec": {"schedule": "* * * * *", "suspend": true, "successfulJobsHistoryLimit": 1, "jobTemplate": template}});
    crons.create(&PostParams::default(), &from(cron)).await.expect("created");
    for round in [3600, 1800] {
        let long_ago = k8s_openapi::jiff::Timestamp::now() - k8s_openapi::jiff::SignedDuration::from_secs(round);
        let status = json!({"status": {"lastScheduleTime": long_ago.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()}});
        crons.patch_status("nightly", &PatchParams::default(), &Patch::Merge(status)).await.expect("set back");
        crons.patch("nightly", &PatchParams::default(), &Patch::Merge(json!({"spec": {"suspend": false}}))).await.expect("resumed");
        let fired = eventually("it fires", || async {
            let last = crons.get("nightly").await.expect("read").status?.last_schedule_time?;
            (last.0 > long_ago + k8s_openapi::jiff::SignedDuration::from_secs(60)).then_some(last)
        })
        .await;
        let name = format!("nightly-{}", fired.0.as_second() / 60);
        let made = jobs.get(&name).await.expect("its Job is named after the minute");
        assert!(made.annotations().contains_key("batch.kubernetes.io/cronjob-scheduled-timestamp"));
        eventually("nothing is active and success is noted", || async {
            let status = crons.get("nightly").await.expect("read").status?;
            (status.active.is_none_or(|a| a.is_empty()) && status.last_successful_time.is_some()).then_some(())
        })
        .await;
        crons.patch("nightly", &PatchParams::default(), &Patch::Merge(json!({"spec": {"suspend": true}}))).await.expect("suspended");
    }
    eventually("only one finished Job is kept", || async {
        (jobs.list(&ListParams::default()).await.expect("a list").items.len() == 1).then_some(())
    })
    .await;
}
