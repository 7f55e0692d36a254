//! What a newcomer looks at first: where the cluster is, what it serves, and a proxy to it.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::tour::{Tour, has, rows};

#[test]
fn the_cluster_says_where_it_is_and_what_it_serves() {
    let Some(tour) = Tour::begin("reach") else { return };
    has(&tour.ok("cluster-info"), &["Kubernetes control plane", "is running at", "https://127.0.0.1:"]);
    has(&tour.ok("api-versions"), &["apps/v1\n", "autoscaling/v2\n", "batch/v1\n", "\nv1\n"]);
    for path in ["/healthz", "/livez", "/readyz"] {
        assert_eq!(tour.ok(&format!("get --raw {path}")), "ok");
    }
    has(&tour.ok("get --raw /"), &["\"/api/v1\"", "\"/apis/apps/v1\"", "\"/openapi/v3\"", "\"/version\""]);
    tour.ok("run p --image=nginx");
    has(&tour.ok(&format!("cluster-info dump --namespaces={} --output-directory=dump", tour.namespace())), &["Cluster info dumped to dump"]);
    let pods = std::fs::read_to_string(tour.dir().join("dump").join(tour.namespace()).join("pods.json")).expect("a dump");
    has(&pods, &["\"name\": \"p\""]);
}

#[test]
fn a_proxy_passes_requests_on() {
    let Some(tour) = Tour::begin("proxy") else { return };
    tour.ok("create cm seen");
    let answer = tour.beside("proxy --port=0", "Starting to serve on ", |address| {
        let mut stream = TcpStream::connect(address.trim()).expect("a connection");
        let path = format!("/api/v1/namespaces/{}/configmaps/seen", tour.namespace());
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    });
    has(&answer, &["HTTP/1.1 200 OK", "\"kind\":\"ConfigMap\"", "\"name\":\"seen\""]);
}

#[test]
fn an_autoscaler_is_kept_and_shown() {
    let Some(tour) = Tour::begin("autoscale") else { return };
    tour.ok("create deployment d --image=nginx");
    if tour.kubectl_has(34) {
        assert_eq!(tour.ok("autoscale deployment d --min=2 --max=5"), "horizontalpodautoscaler.autoscaling/d autoscaled\n");
    } else {
        // Older ones write autoscaling/v1, which the sandbox has not.
        let target = "scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: d}";
        let spec = format!("minReplicas: 2, maxReplicas: 5, {target}");
        tour.ok_with(
            "create -f -",
            &format!("{{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {{name: d}}, spec: {{{spec}}}}}"),
        );
    }
    let table = tour.ok("get hpa d");
    assert_eq!(rows(&table)[0], ["NAME", "REFERENCE", "TARGETS", "MINPODS", "MAXPODS", "REPLICAS", "AGE"]);
    assert_eq!(rows(&table)[1][..6], ["d", "Deployment/d", "cpu:", "<unknown>/80%", "2", "5"]);
    has(&tour.ok("describe hpa d"), &["Reference:", "Deployment/d", "resource cpu on pods", "<unknown> / 80%", "Max replicas:"]);
    tour.ok("delete hpa d");
}
