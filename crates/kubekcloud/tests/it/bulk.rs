//! Operations on all instances of a cluster.

use crate::harness::{Server, instance_ids, unique};

async fn bulk_operations_leave_others_alone(kind: &str) {
    let (server, _database, _kubernetes) = Server::fresh().await;
    let user = server.user().await;
    let cluster = user.cluster(&unique("bulk"), kind, 3).await;
    let (id, instances) = (cluster["id"].as_i64().expect("id"), instance_ids(&cluster));
    let bulk = async |operation: &str| user.post_empty(&format!("/api/v1/clusters/{id}/{operation}")).await.expect(200);
    let statuses = async || {
        let detail = user.detail(id).await;
        let all = detail["instances"].as_array().expect("instances");
        all.iter().map(|i| i["status"].as_str().expect("a status").to_owned()).collect::<Vec<_>>()
    };

    user.operate(instances[0], "stop").await.expect(200);
    let result = bulk("suspend").await;
    assert_eq!((result["suspended"].as_i64(), result["skipped"].as_i64(), result["pending"].as_i64()), (Some(2), Some(1), Some(0)), "{result}");
    assert_eq!(result["results"][0]["outcome"], "skipped");
    assert_eq!(statuses().await, ["stopped", "suspended", "suspended"]);

    let result = bulk("start").await;
    assert_eq!((result["started"].as_i64(), result["skipped"].as_i64()), (Some(1), Some(2)), "starting does not wake the suspended: {result}");
    let result = bulk("resume").await;
    assert_eq!((result["resumed"].as_i64(), result["skipped"].as_i64()), (Some(2), Some(1)), "{result}");
    assert_eq!(user.detail(id).await["status"], "running");

    let result = bulk("stop").await;
    assert_eq!((result["stopped"].as_i64(), result["failed"].as_i64()), (Some(3), Some(0)), "{result}");
    let result = bulk("resume").await;
    assert_eq!((result["resumed"].as_i64(), result["skipped"].as_i64()), (Some(0), Some(3)), "resuming wakes only the suspended: {result}");
    assert_eq!(user.detail(id).await["status"], "stopped");
    user.delete_cluster(id).await;
}

#[tokio::test]
async fn containers() {
    bulk_operations_leave_others_alone("container").await;
}

#[tokio::test]
async fn vms() {
    bulk_operations_leave_others_alone("vm").await;
}
