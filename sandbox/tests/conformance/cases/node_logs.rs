//! Logs: what of them is asked for, of which container, and what is said when there is none.

use serde_json::json;

use crate::harness::cases;
use crate::harness::pod::{LOG, POD, container, create, ended, is_over, is_ready, loops, running, shell, sleeper, without_image};

const LINES: &str = "echo one; echo two; echo three";

cases! {
    needs Node;
    whole: |t| {
        ended(t, LINES).await;
        t.get(LOG).await;
    }
    of_both_streams: |t| {
        ended(t, "echo one; sleep 1; echo two >&2; sleep 1; echo three").await;
        t.get(LOG).await;
    }
    of_one_that_runs: |t| {
        create(t, shell("echo one; sleep 3600"), json!({})).await;
        t.until(POD, is_ready).await;
        t.until_log(LOG, |log| !log.is_empty()).await;
        t.get(LOG).await;
    }
    of_one_that_says_nothing: |t| {
        ended(t, "true").await;
        t.get(LOG).await;
    }
    without_a_last_newline: |t| {
        ended(t, "printf one").await;
        t.get(LOG).await;
    }
    tail: |t| {
        ended(t, LINES).await;
        t.get(&format!("{LOG}?tailLines=2")).await;
        t.get(&format!("{LOG}?tailLines=0")).await;
        t.get(&format!("{LOG}?tailLines=9")).await;
    }
    limited: |t| {
        ended(t, LINES).await;
        t.get(&format!("{LOG}?limitBytes=5")).await;
        t.get(&format!("{LOG}?limitBytes=5&tailLines=1")).await;
    }
    with_timestamps: |t| {
        ended(t, LINES).await;
        t.get(&format!("{LOG}?timestamps=true")).await;
    }
    since: |t| {
        ended(t, LINES).await;
        t.get(&format!("{LOG}?sinceSeconds=3600")).await;
        t.get(&format!("{LOG}?sinceTime=2020-01-01T00:00:00Z")).await;
        t.get(&format!("{LOG}?sinceTime=2100-01-01T00:00:00Z")).await;
    }
    since_both: |t| {
        running(t).await;
        t.get(&format!("{LOG}?sinceSeconds=5&sinceTime=2020-01-01T00:00:00Z")).await;
    }
    less_than_nothing: |t| {
        running(t).await;
        t.get(&format!("{LOG}?tailLines=-1")).await;
        t.get(&format!("{LOG}?sinceSeconds=0")).await;
        t.get(&format!("{LOG}?limitBytes=0")).await;
    }
    options_that_are_none: |t| {
        running(t).await;
        t.get(&format!("{LOG}?tailLines=few")).await;
        t.get(&format!("{LOG}?sinceTime=yesterday")).await;
    }
    followed_to_the_end: |t| {
        create(t, shell("echo one; sleep 3; echo two"), json!({"restartPolicy": "Never"})).await;
        t.until(POD, |pod| pod["status"]["containerStatuses"][0]["state"]["running"].is_object()).await;
        t.get(&format!("{LOG}?follow=true")).await;
    }
    followed_after_the_end: |t| {
        ended(t, LINES).await;
        t.get(&format!("{LOG}?follow=true&tailLines=1")).await;
    }
    of_the_previous_run: |t| {
        create(t, shell("echo one; exit 1"), json!({})).await;
        t.until(POD, loops).await;
        t.get(&format!("{LOG}?previous=true")).await;
        t.get(LOG).await;
    }
    of_a_run_before_the_first: |t| {
        running(t).await;
        t.get(&format!("{LOG}?previous=true")).await;
    }
    of_an_init_container: |t| {
        let init = container("i", json!({"command": ["sh", "-c", "echo prepared"]}));
        create(t, shell("echo served"), json!({"restartPolicy": "Never", "initContainers": [init]})).await;
        t.until(POD, is_over).await;
        t.get(&format!("{LOG}?container=i")).await;
        t.get(LOG).await;
    }
    of_one_among_two: |t| {
        create(t, sleeper("c"), json!({"containers": [sleeper("c"), sleeper("other")], "initContainers": [container("i", json!({"command": ["true"]}))]})).await;
        t.until(POD, is_ready).await;
        t.get(LOG).await;
        t.get(&format!("{LOG}?container=other")).await;
    }
    of_one_behind_an_init_container: |t| {
        create(t, sleeper("c"), json!({"initContainers": [sleeper("i")]})).await;
        t.until(POD, |pod| pod["status"]["initContainerStatuses"][0]["state"]["running"].is_object()).await;
        t.get(LOG).await;
    }
    of_a_missing_pod: |t| {
        t.get(LOG).await;
    }
    of_a_missing_container: |t| {
        running(t).await;
        t.get(&format!("{LOG}?container=x")).await;
    }
    of_a_container_without_image: |t| {
        without_image(t).await;
        t.get(LOG).await;
    }
    of_a_container_without_configuration: |t| {
        create(t, container("c", json!({"command": ["true"], "envFrom": [{"secretRef": {"name": "nope"}}]})), json!({})).await;
        crate::harness::pod::waits(t, &["CreateContainerConfigError"]).await;
        t.get(LOG).await;
    }
    of_a_pod_without_node: |t| {
        create(t, sleeper("c"), json!({"nodeSelector": {"shop.test/disk": "fast"}})).await;
        t.get(LOG).await;
    }
}
