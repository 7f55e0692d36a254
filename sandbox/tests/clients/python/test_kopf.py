"""An operator of kopf's does its work: it watches, patches status, holds deletion by its finalizer, posts events."""

import os
import pathlib

from kubernetes import client
from kubernetes.client.exceptions import ApiException
from kopf.testing import KopfRunner

from tour import Tour, eventually

OPERATOR = pathlib.Path(__file__).with_name("travel_operator.py")


class Operator(Tour):
    def test_handlers_run_and_the_finalizer_holds(self):
        group, plural, kind = f"{self.word}.tour.example.com", "travels", "Travel"
        schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        version = {"name": "v1", "served": True, "storage": True, "subresources": {"status": {}}, "schema": {"openAPIV3Schema": schema}}
        names = {"plural": plural, "singular": "travel", "kind": kind}
        self.define(
            {
                "apiVersion": "apiextensions.k8s.io/v1",
                "kind": "CustomResourceDefinition",
                "metadata": {"name": f"{plural}.{group}"},
                "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": [version]},
            }
        )
        os.environ.update(TOUR_GROUP=group, TOUR_PLURAL=plural)
        custom = client.CustomObjectsApi()
        at = (group, "v1", self.namespace, plural)

        def travel():
            try:
                return custom.get_namespaced_custom_object(*at, "there")
            except ApiException as error:
                if error.status == 404:
                    return None
                raise

        with KopfRunner(["run", "--namespace", self.namespace, str(OPERATOR)], timeout=120) as runner:
            body = {"apiVersion": f"{group}/v1", "kind": kind, "metadata": {"name": "there"}, "spec": {"stops": ["a", "b"]}}
            custom.create_namespaced_custom_object(*at, body)
            eventually("the operator has counted", lambda: (travel().get("status") or {}).get("stops") == 2)
            self.assertEqual(travel()["status"]["departed"], {"from": "a"})
            self.assertEqual(travel()["metadata"]["finalizers"], [f"{group}/travelling"])

            custom.patch_namespaced_custom_object(*at, "there", {"spec": {"stops": ["a", "b", "c"]}})
            eventually("the operator has counted again", lambda: travel()["status"]["stops"] == 3)

            custom.delete_namespaced_custom_object(*at, "there")
            eventually("the object is gone", lambda: travel() is None)
            self.core.read_namespaced_config_map("arrived-there", self.namespace)

            def told():
                events = self.core.list_namespaced_event(self.namespace, field_selector="involvedObject.name=there").items
                return [(event.reason, event.message) for event in events] == [("Departed", "from a")]

            eventually("the operator's event was posted", told)
        self.assertIsNone(runner.exception)
        self.assertEqual(runner.exit_code, 0, runner.output)
