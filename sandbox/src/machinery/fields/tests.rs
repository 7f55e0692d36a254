//! Patches and ownership, on plain values.

use serde_json::{Value, json};

use super::managed::{self, Writer};
use super::{apply, compare, strategic};
use crate::machinery::notation::value::{at, list, text};
use crate::machinery::registry::{Kind, Registry};

fn kind(table: &str) -> Kind {
    (*Registry::builtin().of_table(table).expect("a kind")).clone()
}

fn by(manager: &str) -> Writer {
    Writer { manager: manager.to_owned(), subresource: String::new() }
}

fn deployment(replicas: Value, containers: Value) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "labels": {"app": "web"}},
        "spec": {"replicas": replicas, "template": {"spec": {"containers": containers}}}})
}

#[test]
fn a_dropped_field_is_removed_and_a_co_owned_one_stays() {
    let kind = kind("deployments.apps");
    let both = json!([{"name": "a", "image": "a:1"}, {"name": "b", "image": "b:1", "ports": [{"containerPort": 80}]}]);
    let first = apply::apply(&kind, &json!({}), &deployment(json!(2), both), &by("one"), false).expect("applied");
    let less = json!([{"name": "a", "image": "a:1"}]);
    let second = apply::apply(&kind, &first, &deployment(json!(2), less.clone()), &by("two"), false).expect("no other value, no conflict");
    let mut without = deployment(json!(2), less);
    without["spec"].as_object_mut().expect("a map").remove("replicas");
    without["metadata"].as_object_mut().expect("a map").remove("labels");
    let third = apply::apply(&kind, &second, &without, &by("one"), false).expect("applied");
    assert_eq!(list(&third, "spec.template.spec.containers").len(), 1, "b belonged to one alone");
    assert_eq!(third["spec"]["replicas"], 2, "replicas belongs to two as well");
    assert_eq!(text(&third, "metadata.labels.app"), "web");
    let fourth = apply::apply(&kind, &third, &without, &by("two"), false).expect("applied");
    assert!(at(&fourth, "spec.replicas").is_none() && at(&fourth, "metadata.labels").is_none());
}

#[test]
fn another_value_conflicts_with_its_owner_and_force_takes_it() {
    let kind = kind("deployments.apps");
    let image = |tag: &str| json!([{"name": "a", "image": tag}]);
    let live = apply::apply(&kind, &json!({}), &deployment(json!(1), image("a:1")), &by("one"), false).expect("applied");
    let refused = apply::apply(&kind, &live, &deployment(json!(1), image("a:2")), &by("two"), false).expect_err("a conflict");
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].field, r#".spec.template.spec.containers[name="a"].image"#);
    assert_eq!(refused[0].message, r#"conflict with "one""#);
    let forced = apply::apply(&kind, &live, &deployment(json!(1), image("a:2")), &by("two"), true).expect("forced");
    let managers = managed::read(&forced);
    let one = managers.iter().find(|m| m.name == "one").expect("still there");
    assert!(!one.fields.paths().iter().any(|l| l.ends_with(".image")));
}

#[test]
fn applying_the_same_again_changes_nothing() {
    let kind = kind("deployments.apps");
    let config = deployment(json!(1), json!([{"name": "a", "image": "a:1", "env": [{"name": "X", "value": "1"}]}]));
    let first = apply::apply(&kind, &json!({}), &config, &by("one"), false).expect("applied");
    assert_eq!(apply::apply(&kind, &first, &config, &by("one"), false).expect("applied"), first);
}

#[test]
fn lists_of_custom_resources_are_atomic() {
    let kind = kind("virtualmachines.kubevirt.io");
    let vm = |names: &[&str]| json!({"metadata": {"name": "x"}, "spec": {"volumes": names.iter().map(|n| json!({"name": n})).collect::<Vec<_>>()}});
    let live = apply::apply(&kind, &json!({}), &vm(&["a"]), &by("one"), false).expect("applied");
    let refused = apply::apply(&kind, &live, &vm(&["b"]), &by("two"), false).expect_err("a conflict");
    assert_eq!(refused[0].field, ".spec.volumes");
}

#[test]
fn a_plain_write_owns_what_it_changes_and_takes_it_from_others() {
    let kind = kind("configmaps");
    let applied =
        apply::apply(&kind, &json!({}), &json!({"metadata": {"name": "c"}, "data": {"a": "1", "b": "1"}}), &by("one"), false).expect("applied");
    let mut after = applied.clone();
    after["data"]["a"] = json!("2");
    after["data"].as_object_mut().expect("a map").remove("b");
    managed::record(&kind, Some(&applied), &mut after, &by("editor"));
    let managers = managed::read(&after);
    let of = |name: &str| managers.iter().find(|m| m.name == name).map(|m| m.fields.paths()).unwrap_or_default();
    assert_eq!(of("editor"), [".data.a"]);
    assert!(!of("one").iter().any(|f| f == ".data.a" || f == ".data.b"));
    let back = apply::apply(&kind, &after, &json!({"metadata": {"name": "c"}, "data": {"a": "1"}}), &by("one"), false).expect_err("editor's now");
    assert!(back[0].message.starts_with(r#"conflict with "editor" using v1"#), "{}", back[0].message);
}

#[test]
fn finalizers_are_owned_one_by_one() {
    let object = |finalizers: [&str; 2]| json!({"metadata": {"finalizers": finalizers}});
    let found = compare::compare(&kind("configmaps").shape, Some(&object(["a", "b"])), Some(&object(["b", "c"])));
    assert_eq!(found.added.paths(), [r#".metadata.finalizers[="c"]"#]);
    assert_eq!(found.removed.paths(), [r#".metadata.finalizers[="a"]"#]);
    assert!(found.modified.is_empty());
}

#[test]
fn strategic_merge_follows_merge_keys_and_directives() {
    let mut object = deployment(json!(1), json!([{"name": "a", "image": "a:1", "command": ["x"]}, {"name": "b", "image": "b:1"}]));
    object["metadata"]["finalizers"] = json!(["f1", "f2"]);
    let patch = json!({
        "metadata": {"labels": {"app": null, "tier": "1"}, "$deleteFromPrimitiveList/finalizers": ["f1"], "finalizers": ["f3"]},
        "spec": {"replicas": null, "template": {"spec": {
            "$setElementOrder/containers": [{"name": "c"}, {"name": "a"}],
            "containers": [{"name": "c", "image": "c:1"}, {"name": "b", "$patch": "delete"}, {"name": "a", "image": "a:2", "command": ["y"]}]}}}});
    strategic::merge(&kind("deployments.apps").shape, &mut object, &patch).expect("merged");
    assert_eq!(
        object["spec"],
        json!({"template": {"spec": {"containers": [{"name": "c", "image": "c:1"}, {"name": "a", "image": "a:2", "command": ["y"]}]}}})
    );
    assert_eq!(object["metadata"]["labels"], json!({"tier": "1"}));
    assert_eq!(object["metadata"]["finalizers"], json!(["f3", "f2"]));
}

#[test]
fn strategic_replace_takes_the_patch_as_a_whole() {
    let mut object = json!({"spec": {"nodeSelector": {"a": "1"}, "volumes": [{"name": "v", "emptyDir": {}}]}});
    let patch = json!({"spec": {"nodeSelector": {"$patch": "replace", "b": "2"}, "volumes": [{"$patch": "replace"}, {"name": "w"}]}});
    strategic::merge(&kind("pods").shape, &mut object, &patch).expect("merged");
    assert_eq!(object, json!({"spec": {"nodeSelector": {"b": "2"}, "volumes": [{"name": "w"}]}}));
}

/// Random sequences on a real server found each of these.
#[test]
fn empty_maps_are_leaves_and_a_manager_that_changes_nothing_has_no_time() {
    let kind = kind("configmaps");
    let config = |a: &str| json!({"metadata": {"name": "c", "labels": {}}, "data": {"a": a}});
    let live = apply::apply(&kind, &json!({}), &config("1"), &by("one"), false).expect("applied");
    let refused = apply::apply(&kind, &live, &config("2"), &by("two"), false).expect_err("a conflict");
    assert_eq!(refused.iter().map(|c| c.field.as_str()).collect::<Vec<_>>(), [".data.a"]);
    let joined = apply::apply(&kind, &live, &config("1"), &by("two"), false).expect("the same values");
    assert_eq!(managed::read(&joined).iter().map(|m| m.time.is_empty()).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn a_patch_that_cannot_be_merged_says_why() {
    let deployment = kind("deployments.apps").shape;
    let refused = |patch: Value| {
        let mut object = deployment_object();
        strategic::merge(&deployment, &mut object, &patch).expect_err("refused")
    };
    let keyless = json!({"spec": {"template": {"spec": {"containers": [{"image": "x"}]}}}});
    assert_eq!(refused(keyless), strategic::Refused::Unmergeable(r#"map: {"image":"x"} does not contain declared merge key: name"#.to_owned()));
    let bogus = json!({"spec": {"$patch": "bogus"}});
    assert_eq!(refused(bogus), strategic::Refused::Unmergeable(r#"unknown patch type: bogus in map: {"$patch":"bogus"}"#.to_owned()));
    let keys = json!({"spec": {"strategy": {"$retainKeys": ["type"], "rollingUpdate": {}}}});
    assert_eq!(refused(keys), strategic::Refused::Malformed("invalid patch format of retainKeys"));
}

fn deployment_object() -> Value {
    let mut object = deployment(json!(1), json!([{"name": "a", "image": "a:1"}]));
    object["spec"]["strategy"] = json!({"type": "Recreate"});
    object
}
