//! Every typed `create` command, most of which send protobuf.

use super::tour::{Tour, has};

#[test]
fn config_maps_and_secrets_hold_what_they_were_given() {
    let Some(tour) = Tour::begin("maps") else { return };
    let file = tour.file("notes.txt", "line\n");
    let env = tour.file("settings.env", "A=1\nB=two\n");
    tour.ok(&format!("create configmap m --from-literal=a=b --from-file={file} --from-file=renamed={file}"));
    assert_eq!(tour.ok("get cm m -o jsonpath={.data}"), r#"{"a":"b","notes.txt":"line\n","renamed":"line\n"}"#);
    tour.ok(&format!("create configmap e --from-env-file={env}"));
    assert_eq!(tour.ok("get cm e -o jsonpath={.data}"), r#"{"A":"1","B":"two"}"#);
    std::fs::write(tour.dir().join("bytes"), [0xff, 0x00, 0xfe]).expect("written");
    tour.ok("create configmap b --from-file=bytes");
    assert_eq!(tour.ok("get cm b -o jsonpath={.binaryData.bytes}"), "/wD+");
    tour.ok("create secret generic s --from-literal=a=b --type=example.com/kind");
    assert_eq!(tour.ok("get secret s -o jsonpath={.data.a}/{.type}"), "Yg==/example.com/kind");
    tour.ok("create secret docker-registry r --docker-server=localhost --docker-username=u --docker-password=p");
    assert_eq!(tour.ok("get secret r -o jsonpath={.type}"), "kubernetes.io/dockerconfigjson");
    has(&tour.ok("get secret r -o 'jsonpath={.data.\\.dockerconfigjson}'"), &["eyJhdXRocyI6"]);
    has(&tour.fails("create configmap m"), &["error: failed to create configmap: configmaps \"m\" already exists"]);
    has(
        &tour.fails("create configmap Bad_Name"),
        &["error: failed to create configmap: ConfigMap \"Bad_Name\" is invalid: metadata.name: Invalid value: \"Bad_Name\": a lowercase RFC 1123"],
    );
    assert_eq!(tour.ok("create configmap dry --dry-run=server -o name"), "configmap/dry\n");
    has(&tour.fails("get cm dry"), &["Error from server (NotFound): configmaps \"dry\" not found"]);
}

#[test]
fn workloads_are_made_and_run() {
    let Some(tour) = Tour::begin("made") else { return };
    tour.ok("create deployment d --image=nginx --replicas=2 --port=80");
    assert_eq!(
        tour.ok("get deploy d -o jsonpath={.spec.replicas}{.spec.template.spec.containers[0].ports[0].containerPort}{.spec.selector}"),
        r#"280{"matchLabels":{"app":"d"}}"#
    );
    tour.ok("rollout status deployment d --timeout=180s");
    tour.ok("create deployment c --image=busybox -- sleep 5");
    assert_eq!(tour.ok("get deploy c -o jsonpath={.spec.template.spec.containers[0].command}"), r#"["sleep","5"]"#);
    tour.ok("create job j --image=busybox -- true");
    assert_eq!(tour.ok("get job j -o jsonpath={.spec.template.spec.restartPolicy}{.spec.template.spec.containers[0].command}"), r#"Never["true"]"#);
    tour.ok("create cronjob cj --image=busybox --schedule='0 0 1 1 *' -- true");
    assert_eq!(tour.ok("get cj cj -o 'jsonpath={.spec.schedule}/{.spec.jobTemplate.spec.template.spec.containers[0].image}'"), "0 0 1 1 */busybox");
    tour.ok("create job from --from=cronjob/cj");
    assert_eq!(tour.ok("get job from -o jsonpath={.metadata.ownerReferences[0].kind}{.spec.template.spec.containers[0].image}"), "CronJobbusybox");
    has(&tour.fails("create cronjob bad --image=busybox --schedule='every day'"), &["is invalid: spec.schedule: Invalid value: \"every day\""]);
}

#[test]
fn services_of_every_type_are_made() {
    let Some(tour) = Tour::begin("services") else { return };
    tour.ok("create service clusterip c --tcp=80:8080");
    assert_eq!(tour.ok("get svc c -o jsonpath={.spec.ports[0].port}/{.spec.ports[0].targetPort}/{.spec.type}"), "80/8080/ClusterIP");
    assert!(tour.ok("get svc c -o jsonpath={.spec.clusterIP}").split('.').count() == 4);
    tour.ok("create service clusterip h --clusterip=None");
    assert_eq!(tour.ok("get svc h -o jsonpath={.spec.clusterIP}{.spec.clusterIPs}"), "None[\"None\"]");
    tour.ok("create service nodeport n --tcp=80");
    let port: u16 = tour.ok("get svc n -o jsonpath={.spec.ports[0].nodePort}").parse().expect("a port");
    assert!((30000..32768).contains(&port));
    has(&tour.ok("get svc n"), &[&format!("80:{port}/TCP")]);
    tour.ok("create service loadbalancer l --tcp=80");
    has(&tour.ok("get svc l"), &["LoadBalancer", "<pending>"]);
    tour.ok("create service externalname e --external-name=example.com");
    has(&tour.ok("get svc e"), &["ExternalName", "<none>", "example.com"]);
    tour.ok("create ingress i --class=none --rule=example.com/path*=c:80");
    assert_eq!(
        tour.ok("get ingress i -o jsonpath={.spec.rules[0].http.paths[0]}"),
        r#"{"backend":{"service":{"name":"c","port":{"number":80}}},"path":"/path","pathType":"Prefix"}"#
    );
    has(&tour.ok("get ingress i"), &["CLASS", "HOSTS", "none", "example.com"]);
}

#[test]
fn roles_bindings_and_policies_are_made() {
    let Some(tour) = Tour::begin("policies") else { return };
    let own = tour.namespace();
    tour.ok("create serviceaccount bob");
    tour.ok("create role r --verb=get,list --resource=pods,deployments.apps --resource-name=x");
    assert_eq!(
        tour.ok("get role r -o jsonpath={.rules[0]}"),
        r#"{"apiGroups":[""],"resourceNames":["x"],"resources":["pods"],"verbs":["get","list"]}"#
    );
    tour.ok(&format!("create rolebinding rb --role=r --serviceaccount={own}:bob --user=ann --group=all"));
    has(&tour.ok("get rolebinding rb -o wide"), &["Role/r", "ann", "all", "bob"]);
    tour.ok(&format!("create clusterrole {own} --verb=get --non-resource-url=/version"));
    tour.ok(&format!("create clusterrolebinding {own} --clusterrole={own} --user=ann"));
    has(&tour.ok(&format!("get clusterrolebinding {own}")), &[&format!("ClusterRole/{own}")]);
    tour.ok(&format!("delete clusterrole,clusterrolebinding {own}"));
    tour.ok("create quota q --hard=cpu=1,pods=3 --scopes=NotTerminating");
    assert_eq!(tour.ok("get quota q -o jsonpath={.spec}"), r#"{"hard":{"cpu":"1","pods":"3"},"scopes":["NotTerminating"]}"#);
    tour.ok("create poddisruptionbudget pdb --selector=app=x --min-available=50%");
    assert_eq!(tour.ok("get pdb pdb -o jsonpath={.spec.minAvailable}{.spec.selector}"), r#"50%{"matchLabels":{"app":"x"}}"#);
    tour.ok(&format!("create priorityclass {own} --value=5 --description=five"));
    assert_eq!(tour.ok(&format!("get pc {own} -o jsonpath={{.value}}{{.preemptionPolicy}}")), "5PreemptLowerPriority");
    tour.ok(&format!("delete pc {own}"));
    if tour.real() {
        assert_eq!(tour.ok("create token bob --duration=1h").trim().split('.').count(), 3, "a JSON web token");
    } else {
        has(&tour.fails("create token bob"), &["error: failed to create token: the sandbox has no token: it knows one user and one token"]);
    }
}
