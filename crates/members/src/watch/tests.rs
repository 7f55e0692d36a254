//! Watches of a server that misbehaves.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use serde_json::{Value, json};
use types::ClusterId;

use super::*;
use crate::{
    KubeVirt,
    fake::{Answer, Asked, Fake},
};

const A: ClusterId = ClusterId(1);

fn object(cluster: i64, name: &str, version: &str) -> Value {
    json!({"metadata": {
        "name": name, "namespace": "n", "uid": name, "resourceVersion": version,
        "labels": {"kubekcloud.io/cluster-id": cluster.to_string()},
    }})
}

fn list(objects: &[Value]) -> Answer {
    Answer::json(&json!({"metadata": {"resourceVersion": "10"}, "items": objects}))
}

fn event(kind: &str, object: &Value) -> Value {
    json!({"type": kind, "object": object})
}

fn is_watch(asked: &Asked) -> bool {
    asked.has("watch=true")
}

async fn until(what: &str, done: impl Fn() -> bool) {
    for _ in 0..1_000 {
        if done() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what}: not within 10 s");
}

/// Watches Pods alone, unless the test says more; remembers whose changed.
fn watch(fake: &Fake, kinds: &[Watch], limits: Limits) -> (Watches, Arc<Mutex<Vec<Subject>>>) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = told.clone();
    (Watches::start_within(fake.member.clone(), "i", kinds, move |subject| tell.lock().unwrap().push(subject), limits), told)
}

#[tokio::test]
async fn a_list_is_read_page_by_page_and_then_followed() {
    let fake = Fake::start(|asked| match (is_watch(&asked), asked.query("continue").as_deref()) {
        _ if !asked.is("GET /api/v1/pods") => Answer::refusal(404, "NotFound", "none"),
        (true, _) => {
            assert_eq!(
                (asked.query("resourceVersion").as_deref(), asked.query("labelSelector").as_deref()),
                (Some("10"), Some("kubekcloud.io/installation=i"))
            );
            Answer::lines(&[event("ADDED", &object(2, "c", "11")), event("DELETED", &object(1, "a", "12"))])
        }
        (false, None) => Answer::json(&json!({"metadata": {"resourceVersion": "10", "continue": "more"}, "items": [object(1, "a", "1")]})),
        (false, Some(_)) => list(&[object(1, "b", "2")]),
    })
    .await;
    let (watches, told) = watch(&fake, &[Watch::PODS], Limits::default());
    until("followed", || told.lock().unwrap().len() == 3).await;
    let names: Vec<_> = watches.cache().pods(A).iter().map(|pod| pod.name.clone()).collect();
    assert_eq!((names, watches.cache().pods(ClusterId(2)).len()), (vec!["b".to_owned()], 1));
    assert_eq!(watches.cache().blind_since(&[Kind::Pod]), None);
}

#[tokio::test]
async fn an_expired_version_is_listed_again_and_names_only_what_changed() {
    let lists = Arc::new(AtomicUsize::new(0));
    let count = lists.clone();
    let fake = Fake::start(move |asked| match is_watch(&asked) {
        _ if !asked.is("GET /api/v1/pods") => Answer::refusal(404, "NotFound", "none"),
        true if count.load(Ordering::SeqCst) == 1 => Answer::lines(&[event("ERROR", &json!({"code": 410, "reason": "Expired"}))]),
        true => Answer::hang(),
        false => match count.fetch_add(1, Ordering::SeqCst) {
            0 => list(&[object(1, "a", "1"), object(2, "b", "1")]),
            _ => list(&[object(1, "a", "1"), object(2, "b", "2")]),
        },
    })
    .await;
    let (watches, told) = watch(&fake, &[Watch::PODS], Limits::default());
    until("listed twice", || told.lock().unwrap().len() >= 3).await;
    assert_eq!(told.lock().unwrap().last(), Some(&Subject::Cluster(ClusterId(2))));
    assert_eq!((told.lock().unwrap().len(), watches.cache().trouble()), (3, None), "the first list names both");
}

/// What stands between may answer for the server, and pass nothing on.
#[tokio::test]
async fn a_watch_that_says_nothing_is_not_believed_for_ever() {
    let lists = Arc::new(AtomicUsize::new(0));
    let count = lists.clone();
    let fake = Fake::start(move |asked| match is_watch(&asked) {
        _ if !asked.is("GET /api/v1/pods") => Answer::refusal(404, "NotFound", "none"),
        true => Answer::lines(&[]),
        false => match count.fetch_add(1, Ordering::SeqCst) {
            0 => list(&[object(1, "a", "1")]),
            _ => list(&[object(2, "b", "2")]),
        },
    })
    .await;
    let (watches, _) = watch(&fake, &[Watch::PODS], Limits { silence: Duration::from_millis(300), ..Limits::default() });
    until("the second list", || watches.cache().pods(A).is_empty() && watches.cache().pods(ClusterId(2)).len() == 1).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let lists = lists.load(Ordering::SeqCst);
    assert!((2..=6).contains(&lists), "listed {lists} times: no more often than it was silent");
}

#[tokio::test]
async fn a_line_without_end_is_a_trouble_and_no_spin() {
    let watches_begun = Arc::new(AtomicUsize::new(0));
    let count = watches_begun.clone();
    let fake = Fake::start(move |asked| match is_watch(&asked) {
        _ if !asked.is("GET /api/v1/pods") => Answer::refusal(404, "NotFound", "none"),
        true => {
            count.fetch_add(1, Ordering::SeqCst);
            Answer::endless()
        }
        false => list(&[object(1, "a", "1")]),
    })
    .await;
    let (watches, _) = watch(&fake, &[Watch::PODS], Limits::default());
    until("trouble", || watches.cache().trouble().is_some()).await;
    assert_eq!(watches.cache().trouble().as_deref(), Some("watch of Pod: TooLarge: unexpected answer: more than 2048 kB"));
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    let begun = watches_begun.load(Ordering::SeqCst);
    assert!((2..=4).contains(&begun), "tried {begun} times");
    let cache = watches.cache();
    assert!(cache.blind_for(&[Kind::Pod]).is_some_and(|blind| blind > Duration::from_secs(2)), "a watch that never gets to a line is no success");
    assert_eq!((cache.blind_since(&[Kind::Namespace]), cache.unreachable_since(), cache.pods(A).len()), (None, None, 1));
}

#[tokio::test]
async fn a_list_without_end_and_too_many_objects_are_not_kept() {
    let fake = Fake::start(|asked| {
        if asked.is("GET /api/v1/namespaces") {
            return Answer::endless();
        }
        if !asked.is("GET /api/v1/pods") {
            return Answer::refusal(404, "NotFound", "none");
        }
        if is_watch(&asked) {
            let more = (0..).map(|n| Bytes::from(format!("{}\n", event("ADDED", &object(1, &format!("p{n}"), "11")))));
            return Answer::stream(futures::stream::iter(more));
        }
        list(&[object(1, "a", "1")])
    })
    .await;
    let (watches, told) = watch(&fake, &[Watch::PODS, Watch::NAMESPACES], Limits { objects: 100, ..Limits::default() });
    let cache = watches.cache();
    until("too many", || cache.trouble().is_some_and(|trouble| trouble.contains("Pod: TooManyObjects: more than 100 objects"))).await;
    assert!(!cache.synced(), "what is not known in full is not known");
    assert_eq!(cache.pods(A).len(), 101, "but nothing is taken for gone");
    assert!(!told.lock().unwrap().is_empty());
    assert!(cache.sizes().iter().all(|(kind, count)| *count <= if *kind == "Pod" { 101 } else { 0 }));
}

#[tokio::test]
async fn why_vms_are_not_known_is_said_and_a_change_is_signalled() {
    let served = Arc::new(AtomicUsize::new(403));
    let now = served.clone();
    let fake = Fake::start(move |asked| {
        if asked.is("GET /apis/kubevirt.io/v1/virtualmachineinstances") {
            return Answer::refusal(403, "Forbidden", "vmis is forbidden: User \"system:serviceaccount:a:b\" cannot list");
        }
        if asked.is("GET /apis/kubevirt.io/v1/virtualmachines") {
            return if is_watch(&asked) { Answer::hang() } else { list(&[object(1, "vm", "1")]) };
        }
        match now.load(Ordering::SeqCst) {
            403 => Answer::refusal(403, "Forbidden", "forbidden: User \"system:serviceaccount:a:b\" cannot get path"),
            _ => Answer::json(&json!({"resources": [{"name": "virtualmachines"}]})),
        }
    })
    .await;
    let (watches, _) = watch(&fake, &[Watch::VMS, Watch::VMIS], Limits::default());
    let cache = watches.cache().clone();
    let mut known = cache.known();
    until("asked", || cache.vms_trouble().is_some_and(|trouble| trouble.contains("cannot get path"))).await;
    assert_eq!(
        cache.vms_trouble().as_deref(),
        Some("it is not known whether the member serves KubeVirt: forbidden: the control plane cannot get path")
    );
    served.store(200, Ordering::SeqCst);
    tokio::time::timeout(Duration::from_secs(10), known.wait_for(|known| known.kubevirt == KubeVirt::Served)).await.unwrap().unwrap();
    until("listed", || cache.vms_trouble().is_some_and(|trouble| trouble.contains("VirtualMachineInstances cannot be listed: vmis"))).await;
    assert!(!cache.vms_synced() && cache.trouble().is_some_and(|trouble| trouble.contains("system:serviceaccount")));
}

#[tokio::test]
async fn a_guardrails_status_names_nobody_but_its_spec_does() {
    let quota = |version: &str, pods: &str, used: &str| {
        let mut quota = object(1, "q", version);
        quota["spec"] = json!({"hard": {"pods": pods}});
        quota["status"] = json!({"used": {"pods": used}});
        quota
    };
    let events = [event("MODIFIED", &quota("11", "2", "1")), event("MODIFIED", &quota("12", "2", "2")), event("MODIFIED", &quota("13", "99", "2"))];
    let fake = Fake::start(move |asked| match is_watch(&asked) {
        _ if !asked.is("GET /api/v1/resourcequotas") => Answer::refusal(404, "NotFound", "none"),
        true => Answer::lines(&events),
        false => list(&[quota("10", "2", "0")]),
    })
    .await;
    let (watches, told) = watch(&fake, &[Watch::QUOTAS], Limits::default());
    until("drift", || told.lock().unwrap().len() >= 2).await;
    let seen = watches.cache().guardrails(A);
    assert_eq!((seen.len(), seen[0].0), (1, Kind::ResourceQuota));
    assert_eq!(seen[0].1.content, crate::view::content(&json!({"hard": {"pods": "99"}})));
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(told.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_server_that_is_gone_is_out_of_reach() {
    let fake = Fake::start(|_| Answer::hang()).await;
    let member = fake.member.clone();
    drop(fake);
    let watches = Watches::start(member, "i", &[Watch::PODS], |_| {});
    until("out of reach", || watches.cache().unreachable_since().is_some()).await;
    assert!(watches.cache().blind_since(&[Kind::Pod]).is_some());
}
