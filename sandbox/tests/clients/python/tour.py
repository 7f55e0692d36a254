"""What the tours share: a namespace of their own, definitions that go again, waiting with a deadline."""

import json
import os
import time
import unittest
import uuid

from kubernetes import client, config
from kubernetes.client.exceptions import ApiException

# Whether somebody answers for containers: logs and exec.
CONTAINERS = os.environ.get("TOUR_CONTAINERS") == "yes"
DEADLINE = 180


def eventually(what, attempt):
    """Tries until something true comes back."""
    ends = time.monotonic() + DEADLINE
    while time.monotonic() < ends:
        found = attempt()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {DEADLINE} s: {what}")


class Tour(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        config.load_kube_config()
        cls.word = uuid.uuid4().hex[:8]
        cls.namespace = f"tour-{cls.word}"
        cls.core = client.CoreV1Api()
        cls.core.create_namespace({"metadata": {"name": cls.namespace}})
        cls.addClassCleanup(cls.core.delete_namespace, cls.namespace)

        def furnished():
            return any(account.metadata.name == "default" for account in cls.core.list_namespaced_service_account(cls.namespace).items)

        eventually("the namespace has its service account", furnished)

    def assert_status(self, raised, code, reason):
        """Checks the Status of a refusal, and returns it."""
        self.assertEqual(raised.exception.status, code)
        body = raised.exception.body
        status = json.loads(body)
        self.assertEqual((status["kind"], status["reason"]), ("Status", reason))
        return status

    def define(self, definition):
        """Brings in a CustomResourceDefinition, and takes it away after the test."""
        api = client.ApiextensionsV1Api()
        name = definition["metadata"]["name"]
        api.create_custom_resource_definition(definition)
        self.addCleanup(api.delete_custom_resource_definition, name)
        spec = definition["spec"]

        def served():
            try:
                client.CustomObjectsApi().list_cluster_custom_object(spec["group"], "v1", spec["names"]["plural"])
            except ApiException as error:
                # A real server has no such path at first, and then asks for a moment's patience.
                if error.status in (404, 429):
                    return False
                raise
            return True

        eventually(f"{name} is served", served)
