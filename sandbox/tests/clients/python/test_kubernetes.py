"""A tour of a Kubernetes API with Python's official client. KUBECONFIG names the server."""

import unittest

from kubernetes import client, dynamic, utils, watch
from kubernetes.client.exceptions import ApiException
from kubernetes.leaderelection.electionconfig import Config
from kubernetes.leaderelection.leaderelection import LeaderElection
from kubernetes.leaderelection.resourcelock.leaselock import LeaseLock

from tour import Tour, eventually

GROUP = "tour.example.com"


def config_map(name, data=None, labels=None):
    return client.V1ConfigMap(metadata=client.V1ObjectMeta(name=name, labels=labels), data=data or {})


def pod_template(labels):
    container = client.V1Container(name="app", image="nginx:1")
    return client.V1PodTemplateSpec(metadata=client.V1ObjectMeta(labels=labels), spec=client.V1PodSpec(containers=[container]))


class Objects(Tour):
    def test_the_version_is_told(self):
        code = client.VersionApi().get_code()
        self.assertEqual(code.major, "1")
        self.assertRegex(code.git_version, r"^v1\.\d+\.\d+")

    def test_an_object_is_created_read_replaced_and_deleted(self):
        made = self.core.create_namespaced_config_map(self.namespace, config_map("crud", {"a": "1"}))
        self.assertTrue(made.metadata.uid)
        self.assertEqual(self.core.read_namespaced_config_map("crud", self.namespace).data, {"a": "1"})
        made.data = {"a": "2"}
        replaced = self.core.replace_namespaced_config_map("crud", self.namespace, made)
        self.assertNotEqual(replaced.metadata.resource_version, made.metadata.resource_version)
        with self.assertRaises(ApiException) as stale:
            self.core.replace_namespaced_config_map("crud", self.namespace, made)
        self.assert_status(stale, 409, "Conflict")
        self.core.delete_namespaced_config_map("crud", self.namespace)
        with self.assertRaises(ApiException) as gone:
            self.core.read_namespaced_config_map("crud", self.namespace)
        self.assert_status(gone, 404, "NotFound")

    def test_a_name_is_taken_once(self):
        self.core.create_namespaced_config_map(self.namespace, config_map("once"))
        with self.assertRaises(ApiException) as twice:
            self.core.create_namespaced_config_map(self.namespace, config_map("once"))
        self.assert_status(twice, 409, "AlreadyExists")

    def test_what_is_wrong_is_refused_with_its_field(self):
        with self.assertRaises(ApiException) as wrong:
            self.core.create_namespaced_config_map(self.namespace, config_map("Not_A_Name"))
        body = self.assert_status(wrong, 422, "Invalid")
        self.assertEqual(body["details"]["causes"][0]["field"], "metadata.name")

    def test_lists_are_selected_and_paged(self):
        for number in range(5):
            self.core.create_namespaced_config_map(self.namespace, config_map(f"page-{number}", labels={"page": "yes"}))
        names, token = [], None
        while True:
            page = self.core.list_namespaced_config_map(self.namespace, label_selector="page=yes", limit=2, _continue=token)
            self.assertLessEqual(len(page.items), 2)
            names += [item.metadata.name for item in page.items]
            token = page.metadata._continue
            if not token:
                break
        self.assertEqual(names, [f"page-{number}" for number in range(5)])
        one = self.core.list_namespaced_config_map(self.namespace, field_selector="metadata.name=page-3")
        self.assertEqual([item.metadata.name for item in one.items], ["page-3"])

    def test_patches_of_three_kinds(self):
        self.core.create_namespaced_config_map(self.namespace, config_map("patched", {"keep": "1", "drop": "1"}))
        merged = self.core.patch_namespaced_config_map("patched", self.namespace, {"data": {"drop": None, "new": "2"}})
        self.assertEqual(merged.data, {"keep": "1", "new": "2"})
        steps = [{"op": "test", "path": "/data/keep", "value": "1"}, {"op": "replace", "path": "/data/keep", "value": "3"}]
        self.assertEqual(self.core.patch_namespaced_config_map("patched", self.namespace, steps).data["keep"], "3")
        with self.assertRaises(ApiException) as untrue:
            self.core.patch_namespaced_config_map("patched", self.namespace, steps)
        self.assert_status(untrue, 422, "Invalid")

    def test_a_collection_is_deleted_by_label(self):
        for name, labels in [("go-1", {"go": "yes"}), ("go-2", {"go": "yes"}), ("stay", {})]:
            self.core.create_namespaced_config_map(self.namespace, config_map(name, labels=labels))
        self.core.delete_collection_namespaced_config_map(self.namespace, label_selector="go=yes")
        left = {item.metadata.name for item in self.core.list_namespaced_config_map(self.namespace).items}
        self.assertIn("stay", left)
        self.assertFalse(left & {"go-1", "go-2"})

    def test_who_we_are_and_what_we_may(self):
        review = client.V1SelfSubjectAccessReview(
            spec=client.V1SelfSubjectAccessReviewSpec(resource_attributes=client.V1ResourceAttributes(verb="create", resource="pods"))
        )
        self.assertTrue(client.AuthorizationV1Api().create_self_subject_access_review(review).status.allowed)
        who = client.AuthenticationV1Api().create_self_subject_review(client.V1SelfSubjectReview())
        self.assertTrue(who.status.user_info.username)


class Watching(Tour):
    def test_a_watch_tells_every_change_in_order(self):
        before = self.core.list_namespaced_config_map(self.namespace).metadata.resource_version
        self.core.create_namespaced_config_map(self.namespace, config_map("watched", {"step": "1"}))
        self.core.patch_namespaced_config_map("watched", self.namespace, {"data": {"step": "2"}})
        self.core.delete_namespaced_config_map("watched", self.namespace)
        seen = []
        selector = "metadata.name=watched"
        stream = watch.Watch().stream(
            self.core.list_namespaced_config_map, self.namespace, resource_version=before, field_selector=selector, timeout_seconds=20
        )
        for event in stream:
            seen.append((event["type"], event["object"].data["step"]))
            if event["type"] == "DELETED":
                break
        self.assertEqual(seen, [("ADDED", "1"), ("MODIFIED", "2"), ("DELETED", "2")])


    def test_a_watch_can_begin_with_what_is_there(self):
        for name in ("first", "second"):
            self.core.create_namespaced_config_map(self.namespace, config_map(name, labels={"streamed": "yes"}))
        stream = watch.Watch().stream(
            self.core.list_namespaced_config_map,
            self.namespace,
            label_selector="streamed=yes",
            send_initial_events=True,
            resource_version_match="NotOlderThan",
            allow_watch_bookmarks=True,
            timeout_seconds=20,
        )
        seen = []
        for event in stream:
            raw = event["raw_object"]
            seen.append((event["type"], raw["metadata"].get("name")))
            if event["type"] == "BOOKMARK":
                self.assertEqual(raw["metadata"]["annotations"], {"k8s.io/initial-events-end": "true"})
                break
        self.assertEqual(seen, [("ADDED", "first"), ("ADDED", "second"), ("BOOKMARK", None)])


class Leading(Tour):
    def test_one_candidate_leads(self):
        def candidate(name):
            lock = LeaseLock("leader", self.namespace, name)
            return LeaderElection(Config(lock, 15, 10, 2, onstarted_leading=lambda: None, onstopped_leading=lambda: None))

        ann, bob = candidate("ann"), candidate("bob")
        self.assertTrue(ann.try_acquire_or_renew())
        self.assertFalse(bob.try_acquire_or_renew())
        self.assertTrue(ann.try_acquire_or_renew())
        lease = client.CoordinationV1Api().read_namespaced_lease("leader", self.namespace)
        self.assertEqual(lease.spec.holder_identity, "ann")


class Workloads(Tour):
    def test_a_deployment_comes_up_scales_and_goes_with_its_pods(self):
        labels = {"app": "web"}
        spec = client.V1DeploymentSpec(replicas=2, selector=client.V1LabelSelector(match_labels=labels), template=pod_template(labels))
        apps = client.AppsV1Api()
        apps.create_namespaced_deployment(self.namespace, client.V1Deployment(metadata=client.V1ObjectMeta(name="web"), spec=spec))

        def ready(count):
            return lambda: apps.read_namespaced_deployment_status("web", self.namespace).status.ready_replicas == count

        eventually("two replicas are ready", ready(2))
        apps.patch_namespaced_deployment_scale("web", self.namespace, {"spec": {"replicas": 3}})
        eventually("three replicas are ready", ready(3))
        self.assertEqual(apps.read_namespaced_deployment_scale("web", self.namespace).spec.replicas, 3)
        apps.delete_namespaced_deployment("web", self.namespace, propagation_policy="Foreground")
        eventually("its Pods are gone", lambda: not self.core.list_namespaced_pod(self.namespace, label_selector="app=web").items)

    def test_objects_are_made_from_yaml(self):
        objects = [
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "from-yaml"}, "data": {"a": "b"}},
            {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "from-yaml"}, "spec": {"selector": {"a": "b"}, "ports": [{"port": 80}]}},
        ]
        utils.create_from_yaml(client.ApiClient(), yaml_objects=objects, namespace=self.namespace)
        self.assertTrue(self.core.read_namespaced_service("from-yaml", self.namespace).spec.cluster_ip)

    def test_a_pod_is_evicted(self):
        self.core.create_namespaced_pod(self.namespace, client.V1Pod(metadata=client.V1ObjectMeta(name="evicted"), spec=pod_template({}).spec))
        eviction = client.V1Eviction(metadata=client.V1ObjectMeta(name="evicted"), delete_options=client.V1DeleteOptions(grace_period_seconds=0))
        self.core.create_namespaced_pod_eviction("evicted", self.namespace, eviction)
        gone = lambda: not self.core.list_namespaced_pod(self.namespace, field_selector="metadata.name=evicted").items
        eventually("it is gone", gone)


class Dynamic(Tour):
    def setUp(self):
        super().setUp()
        self.dynamic = dynamic.DynamicClient(client.ApiClient())

    def test_apply_keeps_owners_apart(self):
        maps = self.dynamic.resources.get(api_version="v1", kind="ConfigMap")

        def apply(manager, data, **more):
            body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "applied"}, "data": data}
            return maps.server_side_apply(body, name="applied", namespace=self.namespace, field_manager=manager, **more)

        apply("ann", {"a": "1", "b": "1"})
        with self.assertRaises(ApiException) as conflict:
            apply("bob", {"a": "2"})
        body = self.assert_status(conflict, 409, "Conflict")
        self.assertEqual([cause["field"] for cause in body["details"]["causes"]], [".data.a"])
        self.assertEqual(apply("bob", {"a": "2"}, force_conflicts=True).data.to_dict(), {"a": "2", "b": "1"})
        self.assertEqual(apply("ann", {}).data.to_dict(), {"a": "2"})

    def test_custom_resources_are_served_once_defined(self):
        plural = f"tours-{self.word}"
        kind = f"Tour{self.word}"
        schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        definition = {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{plural}.{GROUP}"},
            "spec": {
                "group": GROUP,
                "scope": "Namespaced",
                "names": {"plural": plural, "singular": plural[:-1], "kind": kind},
                "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
            },
        }
        self.define(definition)
        custom = client.CustomObjectsApi()
        body = {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": {"name": "one"}, "spec": {"stops": ["a", "b"]}}
        custom.create_namespaced_custom_object(GROUP, "v1", self.namespace, plural, body)
        patched = custom.patch_namespaced_custom_object(GROUP, "v1", self.namespace, plural, "one", {"spec": {"stops": ["c"]}})
        self.assertEqual(patched["spec"]["stops"], ["c"])
        listed = custom.list_namespaced_custom_object(GROUP, "v1", self.namespace, plural)
        self.assertEqual([item["metadata"]["name"] for item in listed["items"]], ["one"])

        tours = self.dynamic.resources.get(api_version=f"{GROUP}/v1", kind=kind)
        with self.assertRaises(ApiException) as refused:
            content_type = "application/strategic-merge-patch+json"
            tours.patch(body={"spec": {}}, name="one", namespace=self.namespace, content_type=content_type)
        self.assert_status(refused, 415, "UnsupportedMediaType")
        tours.delete(name="one", namespace=self.namespace)


if __name__ == "__main__":
    unittest.main()
