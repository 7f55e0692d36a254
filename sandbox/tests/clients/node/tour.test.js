// A tour of a Kubernetes API with the official JavaScript client. KUBECONFIG names the server.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import {
  ApiException,
  AppsV1Api,
  Attach,
  CoreV1Api,
  Cp,
  CustomObjectsApi,
  Exec,
  KubeConfig,
  KubernetesObjectApi,
  Log,
  makeInformer,
  Metrics,
  PatchStrategy,
  PortForward,
  setHeaderOptions,
  topPods,
  VersionApi,
  Watch,
} from "@kubernetes/client-node";

// Whether somebody answers for containers: logs and exec.
const CONTAINERS = process.env.TOUR_CONTAINERS === "yes";
const DEADLINE = 180_000;

const config = new KubeConfig();
config.loadFromDefault();
const core = config.makeApiClient(CoreV1Api);
const apps = config.makeApiClient(AppsV1Api);
const objects = KubernetesObjectApi.makeApiClient(config);
const word = randomUUID().slice(0, 8);
const namespace = `tour-${word}`;

// Tries until something true comes back.
async function eventually(what, attempt) {
  const ends = Date.now() + DEADLINE;
  while (Date.now() < ends) {
    const found = await attempt();
    if (found) return found;
    await pause(50);
  }
  assert.fail(`not within ${DEADLINE} ms: ${what}`);
}

// Waits for a refusal, and returns its Status.
async function refused(promise, code, reason) {
  const error = await promise.then(() => assert.fail("it was not refused"), (error) => error);
  assert.ok(error instanceof ApiException, String(error));
  const status = typeof error.body === "string" ? JSON.parse(error.body) : error.body;
  assert.equal(error.code, code);
  assert.equal(status.reason, reason);
  return status;
}

const configMap = (name, data, labels) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace, labels },
  data,
});

before(async () => {
  await core.createNamespace({ body: { metadata: { name: namespace } } });
  await eventually("the namespace has its service account", async () => {
    const accounts = await core.listNamespacedServiceAccount({ namespace });
    return accounts.items.some((account) => account.metadata.name === "default");
  });
});

after(() => core.deleteNamespace({ name: namespace }));

test("the version is told", async () => {
  const version = await config.makeApiClient(VersionApi).getCode();
  assert.match(version.gitVersion, /^v1\.\d+\.\d+/);
});

test("an object is created, read, replaced and deleted", async () => {
  const made = await core.createNamespacedConfigMap({ namespace, body: configMap("crud", { a: "1" }) });
  const replaced = await core.replaceNamespacedConfigMap({ name: "crud", namespace, body: { ...made, data: { a: "2" } } });
  assert.deepEqual(replaced.data, { a: "2" });
  await refused(core.replaceNamespacedConfigMap({ name: "crud", namespace, body: made }), 409, "Conflict");
  await core.deleteNamespacedConfigMap({ name: "crud", namespace });
  await refused(core.readNamespacedConfigMap({ name: "crud", namespace }), 404, "NotFound");
});

test("patches of each kind change what they say", async () => {
  await objects.create(configMap("patched", { keep: "1", drop: "1" }));
  const patch = (body, strategy) => core.patchNamespacedConfigMap({ name: "patched", namespace, body }, setHeaderOptions("Content-Type", strategy));
  const merged = await patch({ data: { drop: null, new: "2" } }, PatchStrategy.MergePatch);
  assert.deepEqual(merged.data, { keep: "1", new: "2" });
  const strategic = await patch({ metadata: { labels: { a: "b" } } }, PatchStrategy.StrategicMergePatch);
  assert.equal(strategic.metadata.labels.a, "b");
  const steps = [{ op: "remove", path: "/data/new" }, { op: "add", path: "/data/last", value: "3" }];
  assert.deepEqual((await patch(steps, PatchStrategy.JsonPatch)).data, { keep: "1", last: "3" });
});

test("apply keeps owners apart", async () => {
  const apply = (manager, data, force = false) =>
    objects.patch(configMap("applied", data), undefined, undefined, manager, force, PatchStrategy.ServerSideApply);
  await apply("ann", { a: "1", b: "1" });
  const conflict = await refused(apply("bob", { a: "2" }), 409, "Conflict");
  assert.deepEqual(conflict.details.causes.map((cause) => cause.field), [".data.a"]);
  assert.deepEqual((await apply("bob", { a: "2" }, true)).data, { a: "2", b: "1" });
  assert.deepEqual((await apply("ann", {})).data, { a: "2" });
});

test("a watch tells every change in order", async () => {
  const { metadata } = await core.listNamespacedConfigMap({ namespace });
  const seen = [];
  let failure;
  const query = { resourceVersion: metadata.resourceVersion, fieldSelector: "metadata.name=watched" };
  const watch = await new Watch(config).watch(
    `/api/v1/namespaces/${namespace}/configmaps`,
    query,
    (type, object) => seen.push([type, object.data.step]),
    (error) => (failure = error),
  );
  const body = configMap("watched", { step: "1" });
  const made = await objects.create(body);
  await objects.replace({ ...made, data: { step: "2" } });
  await objects.delete(body);
  await eventually("three changes", () => seen.length >= 3);
  assert.deepEqual(seen, [["ADDED", "1"], ["MODIFIED", "2"], ["DELETED", "2"]]);
  assert.equal(failure, undefined);
  watch.abort();
});

test("an informer's cache is what a list shows", async () => {
  const labelSelector = "cached=yes";
  const list = () => core.listNamespacedConfigMap({ namespace, labelSelector });
  const informer = makeInformer(config, `/api/v1/namespaces/${namespace}/configmaps`, list, labelSelector);
  const told = [];
  for (const verb of ["add", "update", "delete"]) informer.on(verb, (object) => told.push(`${verb} ${object.metadata.name}`));
  await objects.create(configMap("was-there", undefined, { cached: "yes" }));
  await informer.start();
  await objects.create(configMap("came", undefined, { cached: "yes" }));
  await eventually("what came is cached", () => informer.get("came", namespace));
  const moved = await core.readNamespacedConfigMap({ name: "came", namespace });
  await core.replaceNamespacedConfigMap({ name: "came", namespace, body: { ...moved, metadata: { ...moved.metadata, labels: {} } } });
  await eventually("what left the selector is gone", () => !informer.get("came", namespace));
  assert.deepEqual(informer.list(namespace).map((object) => object.metadata.name), ["was-there"]);
  assert.deepEqual(told, ["add was-there", "add came", "delete came"]);
  await informer.stop();
});

test("a deployment comes up, scales, and goes with its Pods", async () => {
  const labels = { app: "web" };
  const template = { metadata: { labels }, spec: { containers: [{ name: "app", image: "nginx:1" }] } };
  const body = { metadata: { name: "web" }, spec: { replicas: 2, selector: { matchLabels: labels }, template } };
  await apps.createNamespacedDeployment({ namespace, body });
  const ready = (count) => async () => (await apps.readNamespacedDeployment({ name: "web", namespace })).status.readyReplicas === count;
  await eventually("two replicas are ready", ready(2));
  const scale = { name: "web", namespace, body: { spec: { replicas: 1 } } };
  await apps.patchNamespacedDeploymentScale(scale, setHeaderOptions("Content-Type", PatchStrategy.MergePatch));
  await eventually("one replica is left", ready(1));
  await apps.deleteNamespacedDeployment({ name: "web", namespace, propagationPolicy: "Foreground" });
  await eventually("its Pods are gone", async () => (await core.listNamespacedPod({ namespace, labelSelector: "app=web" })).items.length === 0);
});

test("custom resources are served once defined", async () => {
  const group = `${word}.node.example.com`;
  const stops = { type: "array", items: { type: "string" } };
  const schema = { type: "object", properties: { spec: { type: "object", properties: { stops } } } };
  const definition = {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `trips.${group}` },
    spec: {
      group,
      scope: "Namespaced",
      names: { plural: "trips", singular: "trip", kind: "Trip" },
      versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: schema } }],
    },
  };
  await objects.create(definition);
  try {
    const custom = config.makeApiClient(CustomObjectsApi);
    const at = { group, version: "v1", namespace, plural: "trips" };
    // A real server has no such path at first, and then asks for a moment's patience.
    const notYet = (error) => ([404, 429].includes(error.code) ? undefined : Promise.reject(error));
    const list = () => custom.listNamespacedCustomObject(at).catch(notYet);
    await eventually("it is served", list);
    await objects.create({ apiVersion: `${group}/v1`, kind: "Trip", metadata: { name: "one", namespace }, spec: { stops: ["a"] } });
    assert.deepEqual((await list()).items.map((trip) => trip.spec.stops), [["a"]]);
  } finally {
    await objects.delete(definition);
  }
});

test("a watch can begin with what is there", async () => {
  for (const name of ["first", "second"]) await objects.create(configMap(name, undefined, { streamed: "yes" }));
  const query = { labelSelector: "streamed=yes", sendInitialEvents: true, resourceVersionMatch: "NotOlderThan", allowWatchBookmarks: true };
  const seen = [];
  const watch = await new Watch(config).watch(
    `/api/v1/namespaces/${namespace}/configmaps`,
    query,
    (type, object) => seen.push([type, object.metadata.name ?? object.metadata.annotations]),
    () => {},
  );
  await eventually("a bookmark", () => seen.length >= 3);
  assert.deepEqual(seen, [["ADDED", "first"], ["ADDED", "second"], ["BOOKMARK", { "k8s.io/initial-events-end": "true" }]]);
  watch.abort();
});

test("a Pod is evicted", async () => {
  await core.createNamespacedPod({ namespace, body: { metadata: { name: "evicted" }, spec: { containers: [{ name: "app", image: "nginx:1" }] } } });
  await core.createNamespacedPodEviction({ name: "evicted", namespace, body: { metadata: { name: "evicted" }, deleteOptions: { gracePeriodSeconds: 0 } } });
  const left = async () => (await core.listNamespacedPod({ namespace, fieldSelector: "metadata.name=evicted" })).items;
  await eventually("it is gone", async () => (await left()).length === 0);
});

// Starts a Pod with one container, and waits until it runs.
async function runPod(name, command, more = {}) {
  const containers = [{ name: "app", image: "busybox", command, ...more }];
  await core.createNamespacedPod({ namespace, body: { metadata: { name }, spec: { containers, restartPolicy: "Never", terminationGracePeriodSeconds: 0 } } });
  const phase = async () => (await core.readNamespacedPod({ name, namespace })).status.phase;
  await eventually("the Pod runs", async () => (await phase()) === "Running");
  return phase;
}

// What is written to it, as text.
function collector() {
  const out = new Writable({ write: (chunk, _, done) => ((out.text += chunk), done()) });
  out.text = "";
  return out;
}

test("commands run with their streams and exit codes", { skip: !CONTAINERS }, async () => {
  await runPod("runs", ["sleep", "3600"]);
  const exec = async (command, input = null) => {
    const [out, err] = [collector(), collector()];
    const status = await new Promise((resolve, reject) => {
      new Exec(config).exec(namespace, "runs", "app", command, out, err, input, false, resolve).catch(reject);
    });
    const code = status.details?.causes?.find((cause) => cause.reason === "ExitCode")?.message;
    return [out.text, err.text, status.status, code];
  };
  assert.deepEqual(await exec(["echo", "two  words"]), ["two  words\n", "", "Success", undefined]);
  assert.deepEqual(await exec(["sh", "-c", "echo out; echo err >&2; exit 7"]), ["out\n", "err\n", "Failure", "7"]);
  assert.deepEqual(await exec(["cat"], Readable.from(["one\n", "two\n"])), ["one\ntwo\n", "", "Success", undefined]);

  const up = await mkdtemp(join(tmpdir(), "tour-"));
  await writeFile(join(up, "file"), "copied");
  await new Cp(config).cpToPod(namespace, "runs", "app", up, "/tmp");
  await eventually("the file is there", async () => (await exec(["sh", "-c", "cat /tmp/file 2>/dev/null"]))[0] === "copied");
  await rm(up, { recursive: true });
});

test("a client attaches to what reads", { skip: !CONTAINERS }, async () => {
  const phase = await runPod("reads", ["cat"], { stdin: true, stdinOnce: true });
  const out = collector();
  await new Attach(config).attach(namespace, "reads", "app", out, null, Readable.from(["a word\n"]), false);
  await eventually("it comes back", () => out.text === "a word\n");
  await eventually("it ends with its only client", async () => (await phase()) === "Succeeded");
});

test("what is running uses something", { skip: !CONTAINERS }, async () => {
  await runPod("uses", ["sleep", "3600"]);
  const metrics = new Metrics(config);
  const used = (await metrics.getPodMetrics(namespace)).items.find((pod) => pod.metadata.name === "uses");
  assert.match(used.containers[0].usage.cpu, /^\d+n$/);
  assert.ok((await metrics.getNodeMetrics()).items.length > 0);
  const top = await topPods(core, metrics, namespace);
  assert.ok(top.some((status) => status.Pod.metadata.name === "uses" && Number(status.CPU.CurrentUsage) > 0));
});

test("ports are not forwarded", { skip: !CONTAINERS }, async () => {
  await runPod("listens", ["sleep", "3600"]);
  const forward = new PortForward(config).portForward(namespace, "listens", [80], collector(), null, new Readable({ read() {} }));
  await assert.rejects(forward);
});

test("a Pod's log is followed to its end", { skip: !CONTAINERS }, async () => {
  const body = { metadata: { name: "talks" }, spec: { containers: [{ name: "app", image: "nginx:1" }] } };
  await core.createNamespacedPod({ namespace, body });
  const phase = async () => (await core.readNamespacedPod({ name: "talks", namespace })).status.phase;
  await eventually("the Pod runs", async () => (await phase()) === "Running");
  let text = "";
  const out = new Writable({ write: (chunk, _, done) => ((text += chunk), done()) });
  const ended = new Promise((resolve) => out.on("finish", resolve));
  await new Log(config).log(namespace, "talks", "app", out, { follow: true });
  await eventually("lines arrive", () => text.length > 0);
  await core.deleteNamespacedPod({ name: "talks", namespace });
  await ended;
});
