//! What the server says of itself.

use super::tour::{Tour, has};

#[test]
fn the_version_says_what_answers() {
    let Some(tour) = Tour::begin("version") else { return };
    let version = tour.ok("version -o json");
    has(&version, &["\"serverVersion\"", "\"gitVersion\": \"v1.36."]);
    assert_eq!(version.contains("+sandbox\""), !tour.real());
    has(&tour.ok("version"), &["Client Version: v1.", "Server Version: v1.36."]);
    has(&tour.ok("cluster-info"), &["Kubernetes control plane", "is running at", "https://127.0.0.1:"]);
    has(&tour.ok("config view --minify"), &["certificate-authority-data: DATA+OMITTED", tour.namespace()]);
    has(&tour.ok("config current-context"), &["\n"]);
    for path in ["/livez", "/readyz", "/healthz"] {
        assert_eq!(tour.ok(&format!("get --raw {path}")), "ok");
    }
    has(&tour.ok("get --raw /version"), &["gitVersion"]);
}

#[test]
fn resources_are_listed_with_their_names_groups_and_verbs() {
    let Some(tour) = Tour::begin("resources") else { return };
    let all = tour.ok("api-resources");
    for line in ["configmaps cm v1 true ConfigMap", "deployments deploy apps/v1 true Deployment", "nodes no v1 false Node", "secrets v1 true Secret"]
    {
        assert!(all.lines().any(|l| l.split_whitespace().collect::<Vec<_>>().join(" ") == line), "{line} in\n{all}");
    }
    let wide = tour.ok("api-resources --api-group=apps -o wide --no-headers");
    let deployments = wide.lines().find(|l| l.starts_with("deployments ")).expect("deployments");
    has(deployments, &["create,delete,deletecollection,get,list,patch,update,watch", "all"]);
    assert!(!wide.contains("configmaps"));
    let cluster_wide = tour.ok("api-resources --namespaced=false -o name");
    has(&cluster_wide, &["namespaces\n", "customresourcedefinitions.apiextensions.k8s.io\n"]);
    assert!(!cluster_wide.contains("configmaps"));
    let in_all = tour.ok("api-resources --categories=all -o name");
    has(&in_all, &["pods\n", "services\n", "deployments.apps\n", "jobs.batch\n"]);
    assert!(!in_all.contains("secrets"));
    let unlistable = tour.ok("api-resources --verbs=create --sort-by=kind -o name");
    has(&unlistable, &["selfsubjectaccessreviews.authorization.k8s.io"]);
    assert!(!tour.ok("api-resources --verbs=list -o name").contains("selfsubjectaccessreviews"));
    has(&tour.ok("api-versions"), &["v1\n", "apps/v1\n", "batch/v1\n", "networking.k8s.io/v1\n", "rbac.authorization.k8s.io/v1\n"]);
}

#[test]
fn a_new_definition_is_served_at_once_and_gone_with_it() {
    let Some(tour) = Tour::begin("definition") else { return };
    let group = format!("{}.example.com", tour.namespace());
    let short = format!("gd{:x}", std::process::id());
    let crd = format!(
        "{{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {{name: gadgets.{group}}}, spec: {{group: {group},
        scope: Namespaced, names: {{plural: gadgets, singular: gadget, kind: Gadget, shortNames: [{short}]}}, versions: [{{name: v1, served: true, storage: true,
        schema: {{openAPIV3Schema: {{type: object, x-kubernetes-preserve-unknown-fields: true}}}}, subresources: {{status: {{}}}},
        additionalPrinterColumns: [{{name: Size, type: string, jsonPath: .spec.size}}]}}]}}}}"
    );
    tour.ok_with("create -f -", &crd);
    tour.ok(&format!("wait --for=condition=Established crd/gadgets.{group} --timeout=180s"));
    let gadget = |size: &str| format!("{{apiVersion: {group}/v1, kind: Gadget, metadata: {{name: g}}, spec: {{size: {size}}}}}");
    tour.until("api-resources -o name", |names| names.contains(&format!("gadgets.{group}")));
    assert_eq!(tour.ok_with("apply -f -", &gadget("small")), format!("gadget.{group}/g created\n"));
    assert_eq!(tour.ok_with("apply -f -", &gadget("large")), format!("gadget.{group}/g configured\n"));
    let table = tour.ok(&format!("get {short}"));
    assert_eq!(super::tour::rows(&table), [["NAME", "SIZE"], ["g", "large"]]);
    has(&tour.fails(&format!("patch {short} g -p {{\"spec\":{{}}}}")), &["application/strategic-merge-patch+json is not supported by"]);
    tour.ok(&format!("patch {short} g --type=merge -p {{\"spec\":{{\"size\":\"huge\"}}}}"));
    tour.ok(&format!("patch {short} g --type=merge --subresource=status -p {{\"status\":{{\"phase\":\"Ready\"}}}}"));
    tour.ok(&format!("wait {short}/g --for=jsonpath={{.status.phase}}=Ready --timeout=30s"));
    has(&tour.ok(&format!("describe {short} g")), &["Size:  huge", "Phase:  Ready", "API Version:  ", "Kind:         Gadget"]);
    tour.ok(&format!("delete crd gadgets.{group} --timeout=180s"));
    // api-resources asks anew; the others keep what they learned for hours.
    tour.until("api-resources -o name", |names| !names.contains(&format!("gadgets.{group}")));
    has(&tour.fails(&format!("get {short}")), &["the server doesn't have a resource type"]);
}
