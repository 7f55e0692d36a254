"""An operator as people write them with kopf: status from handlers, a finalizer, events. Run by `test_kopf.py`."""

import os

import kopf
from kubernetes import client, config

GROUP, PLURAL = os.environ["TOUR_GROUP"], os.environ["TOUR_PLURAL"]


@kopf.on.startup()
def configure(settings, **_):
    settings.persistence.finalizer = f"{GROUP}/travelling"


@kopf.on.create(GROUP, "v1", PLURAL)
def departed(body, spec, patch, **_):
    kopf.info(body, reason="Departed", message=f"from {spec['stops'][0]}")
    patch.status["stops"] = len(spec["stops"])
    return {"from": spec["stops"][0]}


@kopf.on.update(GROUP, "v1", PLURAL, field="spec.stops")
def rerouted(new, patch, **_):
    patch.status["stops"] = len(new)


@kopf.on.delete(GROUP, "v1", PLURAL)
def arrived(name, namespace, **_):
    """Leaves a trace, so that the test sees that it ran before the object went."""
    config.load_kube_config()
    body = {"metadata": {"name": f"arrived-{name}"}}
    client.CoreV1Api().create_namespaced_config_map(namespace, body)
