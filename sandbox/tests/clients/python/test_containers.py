"""What Python's client does inside containers: exec, copy, attach, logs, usage."""

import io
import tarfile
import unittest

from kubernetes import client, stream, watch
from kubernetes.client.exceptions import ApiException

from tour import CONTAINERS, Tour, eventually


@unittest.skipUnless(CONTAINERS, "nothing answers for containers here")
class Containers(Tour):
    def run_pod(self, name, *command, **more):
        container = client.V1Container(name="app", image="busybox", command=list(command), **more)
        spec = client.V1PodSpec(containers=[container], restart_policy="Never", termination_grace_period_seconds=0)
        self.core.create_namespaced_pod(self.namespace, client.V1Pod(metadata=client.V1ObjectMeta(name=name), spec=spec))
        eventually("the Pod runs", lambda: self.phase(name) not in (None, "Pending"))

    def phase(self, name):
        return self.core.read_namespaced_pod(name, self.namespace).status.phase

    def connect(self, name, *command, stdin=False, call=None, **more):
        if command:
            more["command"] = list(command)
        call = call or self.core.connect_get_namespaced_pod_exec
        return stream.stream(
            call, name, self.namespace, stdin=stdin, stdout=True, stderr=True, tty=False, _preload_content=False, **more
        )

    def exec(self, name, *command):
        """Both streams and the exit code."""
        session = self.connect(name, *command)
        session.run_forever(timeout=30)
        return session.read_stdout(timeout=0), session.read_stderr(timeout=0), session.returncode

    def test_commands_run_with_their_streams_and_exit_codes(self):
        self.run_pod("runs", "sleep", "3600")
        self.assertEqual(self.exec("runs", "echo", "two  words"), ("two  words\n", "", 0))
        self.assertEqual(self.exec("runs", "sh", "-c", "echo out; echo err >&2; exit 7"), ("out\n", "err\n", 7))
        session = self.connect("runs", "sh", stdin=True)
        session.write_stdin("echo $((6*7))\n")
        self.assertEqual(session.readline_stdout(timeout=30), "42")
        session.write_stdin("exit 3\n")
        session.run_forever(timeout=30)
        self.assertEqual(session.returncode, 3)
        with self.assertRaises(ApiException) as wrong:
            self.connect("runs", "true", container="other")
        self.assertIn("container other is not valid for pod runs", str(wrong.exception))

    def test_files_are_copied_as_archives(self):
        self.run_pod("keeps", "sleep", "3600")
        content = bytes(range(256)) * 1000
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            info = tarfile.TarInfo("folder/big")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        session = self.connect("keeps", "tar", "xf", "-", "-C", "/tmp", stdin=True, binary=True)
        session.write_stdin(archive.getvalue())
        eventually("it is there", lambda: self.exec("keeps", "sh", "-c", "wc -c < /tmp/folder/big")[0].strip() == str(len(content)))
        session.close()
        session = self.connect("keeps", "tar", "cf", "-", "-C", "/tmp", "folder", binary=True)
        session.run_forever(timeout=30)
        with tarfile.open(fileobj=io.BytesIO(session.read_stdout(timeout=0))) as tar:
            self.assertEqual(tar.extractfile("folder/big").read(), content)

    def test_a_log_is_followed_to_its_end(self):
        self.run_pod("talks", "sh", "-c", "echo one; sleep 1; echo two; exit 1")
        lines = list(watch.Watch().stream(self.core.read_namespaced_pod_log, "talks", self.namespace))
        self.assertEqual(lines, ["one", "two"])
        eventually("it failed", lambda: self.phase("talks") == "Failed")

    def test_a_client_attaches_to_what_reads(self):
        self.run_pod("reads", "cat", stdin=True, stdin_once=True)
        session = self.connect("reads", stdin=True, call=self.core.connect_get_namespaced_pod_attach)
        session.write_stdin("a word\n")
        self.assertEqual(session.readline_stdout(timeout=30), "a word")
        session.close()
        eventually("it ends with its only client", lambda: self.phase("reads") == "Succeeded")

    def test_what_is_running_uses_something(self):
        self.run_pod("uses", "sleep", "3600")
        metrics = client.CustomObjectsApi()
        listed = metrics.list_namespaced_custom_object("metrics.k8s.io", "v1beta1", self.namespace, "pods")
        used = {pod["metadata"]["name"]: pod["containers"] for pod in listed["items"]}
        self.assertRegex(used["uses"][0]["usage"]["cpu"], r"^\d+n$")
        nodes = metrics.list_cluster_custom_object("metrics.k8s.io", "v1beta1", "nodes")
        self.assertTrue(nodes["items"])

    def test_ports_are_not_forwarded(self):
        self.run_pod("listens", "sleep", "3600")
        with self.assertRaises(ApiException) as refused:
            stream.portforward(self.core.connect_get_namespaced_pod_portforward, "listens", self.namespace, ports="80")
        self.assertIn("the sandbox has no portforward", str(refused.exception))


if __name__ == "__main__":
    unittest.main()
