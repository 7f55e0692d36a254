//! The statuses of Pods through their lives, as a real kubelet writes them.

use serde_json::json;

use crate::harness::cases;
use crate::harness::pod::{
    POD, container, create, create_failing, ended, is_over, is_ready, loops, running, shell, sleeper, status, waiting, waits, without_image,
};

const CONFIG_MAPS: &str = "/api/v1/namespaces/{ns}/configmaps";
const SECRETS: &str = "/api/v1/namespaces/{ns}/secrets";

cases! {
    needs Node;
    runs: |t| {
        running(t).await;
        status(t, is_ready).await;
    }
    runs_as_another_user: |t| {
        create(t, sleeper("c"), json!({"securityContext": {"runAsUser": 1000, "runAsGroup": 2000, "fsGroup": 3000}})).await;
        status(t, is_ready).await;
    }
    runs_with_requests: |t| {
        let resources = json!({"requests": {"cpu": "50m", "memory": "16Mi"}, "limits": {"memory": "32Mi"}});
        create(t, container("c", json!({"command": ["sleep", "3600"], "resources": resources})), json!({})).await;
        status(t, is_ready).await;
    }
    runs_with_guarantees: |t| {
        let resources = json!({"limits": {"cpu": "100m", "memory": "32Mi"}});
        create(t, container("c", json!({"command": ["sleep", "3600"], "resources": resources})), json!({})).await;
        status(t, is_ready).await;
    }
    runs_with_two_containers: |t| {
        create(t, sleeper("c"), json!({"containers": [sleeper("second"), sleeper("first")]})).await;
        status(t, is_ready).await;
    }
    runs_with_a_volume: |t| {
        let mounts = json!([{"name": "scratch", "mountPath": "/scratch"}, {"name": "settings", "mountPath": "/settings", "readOnly": true}]);
        t.post(CONFIG_MAPS, json!({"metadata": {"name": "settings"}, "data": {"k": "v"}})).quiet().await;
        let volumes = json!([{"name": "scratch", "emptyDir": {}}, {"name": "settings", "configMap": {"name": "settings"}}]);
        create(t, container("c", json!({"command": ["sleep", "3600"], "volumeMounts": mounts})), json!({"volumes": volumes})).await;
        status(t, is_ready).await;
    }
    succeeds: |t| {
        ended(t, "echo done").await;
        status(t, is_over).await;
    }
    fails_with_its_exit_code: |t| {
        ended(t, "exit 42").await;
        status(t, is_over).await;
    }
    on_failure_it_is_over_after_success: |t| {
        create(t, shell("true"), json!({"restartPolicy": "OnFailure"})).await;
        status(t, is_over).await;
    }
    on_failure_it_is_started_again: |t| {
        create(t, shell("exit 3"), json!({"restartPolicy": "OnFailure"})).await;
        status(t, loops).await;
    }
    always_it_is_started_again_after_success: |t| {
        create(t, shell("true"), json!({})).await;
        status(t, loops).await;
    }
    crash_loop: |t| {
        create(t, shell("exit 1"), json!({})).await;
        status(t, loops).await;
    }
    out_of_memory: |t| {
        let hungry = json!({"image": "registry.test/hungry:1", "resources": {"limits": {"memory": "32Mi"}}});
        create_failing(t, "out-of-memory", container("c", hungry), json!({"restartPolicy": "Never"})).await;
        status(t, is_over).await;
    }
    out_of_memory_again: |t| {
        let hungry = json!({"image": "registry.test/hungry:1", "resources": {"limits": {"memory": "32Mi"}}});
        create_failing(t, "out-of-memory", container("c", hungry), json!({})).await;
        status(t, loops).await;
    }
    command_missing: |t| {
        create_failing(t, "command-not-found", container("c", json!({"command": ["/no/such/command"]})), json!({})).await;
        status(t, loops).await;
    }
    image_missing: |t| {
        without_image(t).await;
        t.get(POD).only(&["/status/phase", "/status/containerStatuses/0/ready", "/status/containerStatuses/0/started",
            "/status/containerStatuses/0/restartCount", "/status/containerStatuses/0/imageID"]).await;
    }
    image_missing_backs_off: |t| {
        without_image(t).await;
        status(t, |pod| waiting(&pod["status"]["containerStatuses"][0], &["ImagePullBackOff"])).await;
    }
    image_name_invalid: |t| {
        create(t, container("c", json!({"image": "No/Such Image"})), json!({})).await;
        status(t, |pod| waiting(&pod["status"]["containerStatuses"][0], &["InvalidImageName"])).await;
    }
    image_never_pulled: |t| {
        let never = json!({"image": "registry.test/shop/nope:1.0", "imagePullPolicy": "Never"});
        create_failing(t, "image-never", container("c", never), json!({})).await;
        status(t, |pod| waiting(&pod["status"]["containerStatuses"][0], &["ErrImageNeverPull"])).await;
    }
    init_container_runs: |t| {
        create(t, sleeper("c"), json!({"initContainers": [sleeper("i")]})).await;
        status(t, |pod| pod["status"]["initContainerStatuses"][0]["state"]["running"].is_object()).await;
    }
    init_containers_complete: |t| {
        let first = container("first", json!({"command": ["true"]}));
        let second = container("second", json!({"command": ["true"]}));
        create(t, sleeper("c"), json!({"initContainers": [first, second]})).await;
        status(t, is_ready).await;
    }
    init_container_fails_for_good: |t| {
        let init = json!([container("i", json!({"command": ["sh", "-c", "exit 5"]})), container("never", json!({"command": ["true"]}))]);
        create(t, sleeper("c"), json!({"restartPolicy": "Never", "initContainers": init})).await;
        status(t, is_over).await;
    }
    init_container_crash_loop: |t| {
        create(t, sleeper("c"), json!({"initContainers": [container("i", json!({"command": ["false"]}))]})).await;
        status(t, |pod| {
            let status = &pod["status"]["initContainerStatuses"][0];
            status["restartCount"] == 1 && waiting(status, &["CrashLoopBackOff"])
        }).await;
    }
    sidecar_runs: |t| {
        let sidecar = container("s", json!({"command": ["sleep", "3600"], "restartPolicy": "Always"}));
        create(t, sleeper("c"), json!({"initContainers": [sidecar]})).await;
        status(t, is_ready).await;
    }
    sidecar_ends_with_the_others: |t| {
        let sidecar = container("s", json!({"command": ["sleep", "3600"], "restartPolicy": "Always"}));
        create(t, shell("sleep 1; exit 0"), json!({"restartPolicy": "Never", "initContainers": [sidecar]})).await;
        status(t, is_over).await;
    }
    one_of_two_containers_fails: |t| {
        create(t, shell("exit 6"), json!({"restartPolicy": "Never", "containers": [shell("exit 6"), sleeper("stays")]})).await;
        status(t, |pod| {
            let all = &pod["status"]["containerStatuses"];
            all[0]["state"]["terminated"].is_object() && all[1]["state"]["running"].is_object()
        }).await;
    }
    two_containers_end_each_in_its_own_way: |t| {
        let second = container("second", json!({"command": ["sh", "-c", "exit 7"]}));
        create(t, shell("exit 0"), json!({"restartPolicy": "Never", "containers": [shell("exit 0"), second]})).await;
        status(t, is_over).await;
    }
    readiness_probe_succeeds: |t| {
        let probe = json!({"exec": {"command": ["true"]}, "periodSeconds": 1});
        create(t, container("c", json!({"command": ["sleep", "3600"], "readinessProbe": probe})), json!({})).await;
        status(t, is_ready).await;
    }
    readiness_probe_fails: |t| {
        let probe = json!({"exec": {"command": ["false"]}, "periodSeconds": 1});
        create_failing(t, "readiness", container("c", json!({"command": ["sleep", "3600"], "readinessProbe": probe})), json!({})).await;
        status(t, |pod| pod["status"]["containerStatuses"][0]["started"] == true).await;
    }
    liveness_probe_fails: |t| {
        let probe = json!({"exec": {"command": ["false"]}, "periodSeconds": 1, "failureThreshold": 3});
        create_failing(t, "liveness", container("c", json!({"command": ["sleep", "3600"], "livenessProbe": probe})), json!({})).await;
        status(t, |pod| {
            let status = &pod["status"]["containerStatuses"][0];
            status["restartCount"] == 1 && status["state"]["running"].is_object()
        }).await;
    }
    startup_probe_fails: |t| {
        let probe = json!({"exec": {"command": ["false"]}, "periodSeconds": 1, "failureThreshold": 3});
        create_failing(t, "startup", container("c", json!({"command": ["sleep", "3600"], "startupProbe": probe})), json!({})).await;
        status(t, |pod| {
            let status = &pod["status"]["containerStatuses"][0];
            status["restartCount"] == 1 && status["state"]["running"].is_object()
        }).await;
    }
    readiness_gate_closed: |t| {
        create(t, sleeper("c"), json!({"readinessGates": [{"conditionType": "shop.test/open"}]})).await;
        status(t, |pod| pod["status"]["containerStatuses"][0]["ready"] == true).await;
    }
    config_map_missing: |t| {
        let env = json!([{"name": "K", "valueFrom": {"configMapKeyRef": {"name": "nope", "key": "k"}}}]);
        create(t, container("c", json!({"command": ["sleep", "3600"], "env": env})), json!({})).await;
        status(t, |pod| waiting(&pod["status"]["containerStatuses"][0], &["CreateContainerConfigError"])).await;
    }
    config_map_lacks_the_key: |t| {
        t.post(CONFIG_MAPS, json!({"metadata": {"name": "settings"}, "data": {"other": "v"}})).quiet().await;
        let env = json!([{"name": "K", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "k"}}}]);
        create(t, container("c", json!({"command": ["sleep", "3600"], "env": env})), json!({})).await;
        status(t, |pod| waiting(&pod["status"]["containerStatuses"][0], &["CreateContainerConfigError"])).await;
    }
    secret_missing: |t| {
        create(t, container("c", json!({"command": ["sleep", "3600"], "envFrom": [{"secretRef": {"name": "nope"}}]})), json!({})).await;
        status(t, |pod| waiting(&pod["status"]["containerStatuses"][0], &["CreateContainerConfigError"])).await;
    }
    secret_appears: |t| {
        create(t, container("c", json!({"command": ["sleep", "3600"], "envFrom": [{"secretRef": {"name": "late"}}]})), json!({})).await;
        waits(t, &["CreateContainerConfigError"]).await;
        t.post(SECRETS, json!({"metadata": {"name": "late"}, "stringData": {"k": "v"}})).quiet().await;
        status(t, is_ready).await;
    }
    volume_missing: |t| {
        let volumes = json!([{"name": "v", "configMap": {"name": "nope"}}]);
        let c = container("c", json!({"command": ["sleep", "3600"], "volumeMounts": [{"name": "v", "mountPath": "/v"}]}));
        create(t, c, json!({"volumes": volumes})).await;
        status(t, |pod| waiting(&pod["status"]["containerStatuses"][0], &["ContainerCreating"])).await;
    }
    no_node_fits: |t| {
        create(t, sleeper("c"), json!({"nodeSelector": {"shop.test/disk": "fast"}})).await;
        status(t, |pod| pod["status"]["conditions"][0]["reason"] == "Unschedulable").await;
    }
    scheduling_gated: |t| {
        create(t, sleeper("c"), json!({"schedulingGates": [{"name": "shop.test/wait"}]})).await;
        status(t, |pod| pod["status"]["conditions"][0]["reason"] == "SchedulingGated").await;
    }
    deadline_exceeded: |t| {
        create(t, sleeper("c"), json!({"restartPolicy": "Never", "activeDeadlineSeconds": 4})).await;
        status(t, |pod| is_over(pod) && pod["status"]["containerStatuses"][0]["state"]["terminated"].is_object()).await;
    }
    termination_message: |t| {
        ended(t, "echo no such table > /dev/termination-log; exit 3").await;
        status(t, is_over).await;
    }
    termination_message_elsewhere: |t| {
        let script = json!({"command": ["sh", "-c", "echo all is well > /tmp/last-words"], "terminationMessagePath": "/tmp/last-words"});
        create(t, container("c", script), json!({"restartPolicy": "Never"})).await;
        status(t, is_over).await;
    }
    termination_message_from_the_log: |t| {
        let script = json!({"command": ["sh", "-c", "echo no such table; exit 3"], "terminationMessagePolicy": "FallbackToLogsOnError"});
        create(t, container("c", script), json!({"restartPolicy": "Never"})).await;
        status(t, is_over).await;
    }
    deleted_with_grace: |t| {
        running(t).await;
        t.delete(&format!("{POD}?gracePeriodSeconds=2")).only(&["/metadata/deletionTimestamp", "/metadata/deletionGracePeriodSeconds", "/status/phase",
            "/status/conditions", "/status/containerStatuses"]).await;
        t.until(POD, |pod| pod["code"] == 404).await;
        t.get(POD).await;
    }
    deleted_at_once: |t| {
        running(t).await;
        t.delete(&format!("{POD}?gracePeriodSeconds=0")).only(&["/metadata/deletionTimestamp", "/metadata/deletionGracePeriodSeconds", "/status/phase"]).await;
        t.get(POD).await;
    }
    deleted_before_a_node_was_found: |t| {
        create(t, sleeper("c"), json!({"nodeSelector": {"shop.test/disk": "fast"}, "terminationGracePeriodSeconds": 30})).await;
        t.until(POD, |pod| pod["status"]["conditions"][0]["reason"] == "Unschedulable").await;
        t.delete(POD).only(&["/metadata/deletionTimestamp", "/metadata/deletionGracePeriodSeconds", "/status/phase"]).await;
        t.get(POD).await;
    }
    ephemeral_container_joins: |t| {
        running(t).await;
        let debugger = json!({"spec": {"ephemeralContainers": [{"name": "debugger", "image": "busybox", "command": ["sleep", "3600"]}]}});
        t.patch("strategic", &format!("{POD}/ephemeralcontainers"), debugger).only(&["/spec/ephemeralContainers"]).await;
        status(t, |pod| pod["status"]["ephemeralContainerStatuses"][0]["state"]["running"].is_object()).await;
    }
    ephemeral_container_stays: |t| {
        running(t).await;
        let debugger = json!({"spec": {"ephemeralContainers": [{"name": "debugger", "image": "busybox", "command": ["sleep", "3600"]}]}});
        t.patch("strategic", &format!("{POD}/ephemeralcontainers"), debugger).quiet().await;
        t.patch("json", &format!("{POD}/ephemeralcontainers"), json!([{"op": "remove", "path": "/spec/ephemeralContainers/0"}])).await;
    }
}
