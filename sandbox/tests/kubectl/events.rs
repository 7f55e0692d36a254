//! What happened.

use super::tour::{Tour, has, rows};

#[test]
fn events_are_shown_of_one_object_and_of_all() {
    let Some(tour) = Tour::begin("events") else { return };
    tour.ok("create deployment d --image=nginx");
    tour.ok("rollout status deploy/d --timeout=180s");
    let of_deployment = tour.until("events --for deployment/d", |events| events.contains("ScalingReplicaSet"));
    assert_eq!(rows(&of_deployment)[0], ["LAST", "SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"]);
    has(&of_deployment, &["Normal", "Deployment/d", "Scaled up replica set d-"]);
    let pod = tour.ok("get pods -l app=d -o jsonpath={.items[0].metadata.name}");
    tour.until(&format!("events --for pod/{pod}"), |events| {
        events.contains("Scheduled") && events.contains(&format!("Successfully assigned {}/{pod} to ", tour.namespace()))
    });
    let table = tour.ok("get events --sort-by=.metadata.creationTimestamp");
    assert_eq!(rows(&table)[0], ["LAST", "SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"]);
    has(&table, &["SuccessfulCreate", "replicaset/d-", &format!("Created pod: {pod}")]);
    has(&tour.ok(&format!("get events --field-selector=involvedObject.name={pod},reason=Scheduled")), &["Scheduled"]);
    has(&tour.ok("get events.events.k8s.io -o wide"), &["ScalingReplicaSet"]);
    assert_eq!(tour.run("events --types=Warning --for deployment/d", "", &[]).stdout, "");
    has(&tour.ok("events -A --no-headers"), &[tour.namespace()]);
    has(&tour.ok("get events -o jsonpath={.items[*].type}"), &["Normal"]);
}
