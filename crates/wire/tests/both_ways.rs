//! Every body is read as it was written, also one with words that are newer than its reader.

mod arbitrary;

use std::{collections::BTreeSet, fmt::Debug, fs, path::Path};

use arbitrary::{Arbitrary, BODIES, Values};
use proptest::test_runner::Config;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use types::{ClusterStatus, Error, InstanceStatus, error::QuotaShortage};
use wire::{
    cluster::{Cluster, CreateCluster},
    instance::OperateInstance,
    problem::{Code, Problem},
    user::{CreateUser, UpdateUser, User},
    word::Word,
};

/// Writes and reads values until one of them comes back another.
pub(crate) fn comes_back<T: Arbitrary + Serialize + DeserializeOwned + PartialEq + Debug>() {
    let mut values = Values::new();
    for _ in 0..Config::default().cases {
        let value = T::arbitrary(&mut values);
        let text = serde_json::to_string(&value).expect("is written");
        let read = serde_json::from_str::<T>(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(read, value, "{text}");
    }
}

#[test]
fn every_body_is_read_as_it_was_written() {
    for (_, comes_back) in BODIES {
        comes_back();
    }
}

#[test]
fn no_body_is_left_out() {
    let tested: BTreeSet<String> = BODIES.iter().map(|(name, _)| (*name).to_owned()).collect();
    let mut there = BTreeSet::new();
    for file in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).expect("the sources") {
        let path = file.expect("a file").path();
        let text = fs::read_to_string(&path).expect("reads");
        let types = text.lines().filter_map(|line| line.strip_prefix("pub struct ").or_else(|| line.strip_prefix("pub enum ")));
        there.extend(types.filter_map(|rest| rest.split(|c: char| !c.is_alphanumeric()).next()).map(ToOwned::to_owned));
    }
    assert_eq!(tested, there);
}

fn cluster() -> Value {
    let mut values = Values::new();
    serde_json::to_value(Cluster::arbitrary(&mut values)).expect("is written")
}

#[test]
fn what_a_newer_server_says_is_understood_and_kept() {
    let mut said = cluster();
    said["status"] = json!("hibernating");
    said["instance_type"] = json!("unikernel");
    let read: Cluster = serde_json::from_value(said.clone()).expect("an older client reads it");
    assert_eq!(read.status, Word::Other("hibernating".into()));
    assert!(read.status != ClusterStatus::Running && read.status.known().is_none());
    assert_eq!(serde_json::to_value(&read).expect("is written"), said);

    said["added_since"] = json!({"by": "a newer server"});
    assert_eq!(serde_json::from_value::<Cluster>(said).expect("fields may be added"), read);
}

#[test]
fn a_word_is_text() {
    for bad in [json!(1), json!(null), json!(["running"]), json!({"running": 1})] {
        assert!(serde_json::from_value::<Word<InstanceStatus>>(bad.clone()).is_err(), "{bad}");
    }
    assert_eq!(Word::<InstanceStatus>::of("running"), InstanceStatus::Running);
    assert_eq!(Word::<InstanceStatus>::of("lost"), Word::Other("lost".into()));
}

#[test]
fn requests_refuse_fields_and_words_that_they_do_not_know() {
    let create = json!({"name": "web", "instance_type": "container", "cpu_per_instance": 1, "memory_per_instance": "512Mi", "instance_count": 1});
    let read = |body: &Value| serde_json::from_str::<CreateCluster>(&body.to_string());
    read(&create).expect("is good");
    for (field, value) in [("instance_type", json!("unikernel")), ("added_since", json!(1))] {
        let mut newer = create.clone();
        newer[field] = value;
        assert!(read(&newer).is_err(), "{field}");
    }
    assert!(serde_json::from_str::<OperateInstance>(r#"{"operation": "hibernate"}"#).is_err());
    assert!(serde_json::from_str::<UpdateUser>(r#"{"role": "auditor"}"#).is_err());
}

#[test]
fn what_a_request_leaves_out_is_not_sent() {
    let text = r#"{"username":"ann","quota_cpu":0.5,"quota_memory":"4Gi"}"#;
    let request: CreateUser = serde_json::from_str(text).expect("is good");
    assert_eq!(serde_json::to_string(&request).expect("is written"), text, "an older server refuses fields that it does not know");
    assert_eq!(serde_json::to_string(&UpdateUser::default()).expect("is written"), "{}");
}

#[test]
fn every_error_has_a_code_that_clients_know() {
    let (message, member) = (String::new, String::new);
    let shortage = QuotaShortage { resource: "cpu", requested: 1.0, used: 1.0, limit: 1.0, available: 0.0 };
    let errors = [
        (Error::Malformed(message()), Code::Malformed),
        (Error::Invalid(Vec::new()), Code::Invalid),
        (Error::Unauthenticated(""), Code::Unauthenticated),
        (Error::Forbidden(""), Code::Forbidden),
        (Error::NotFound { what: "Cluster" }, Code::NotFound),
        (Error::conflict(""), Code::Conflict),
        (Error::SuspendNotSupported, Code::SuspendNotSupported),
        (Error::QuotaExceeded(vec![shortage]), Code::QuotaExceeded),
        (Error::Unavailable { message: message(), retry_after_seconds: 1 }, Code::Unavailable),
        (Error::Contended, Code::Unavailable),
        (Error::TooMany { message: message(), retry_after_seconds: 1 }, Code::TooManyRequests),
        (Error::Member { member: member(), message: message(), timed_out: false }, Code::MemberFailed),
        (Error::Member { member: member(), message: message(), timed_out: true }, Code::MemberTimeout),
        (Error::internal(""), Code::Internal),
    ];
    for (error, code) in errors {
        assert_eq!(Word::of(error.code()), code);
    }
}

#[test]
fn a_problem_without_particulars_is_short() {
    let text = r#"{"type":"about:blank","title":"Not Found","status":404,"detail":"User not found","code":"not_found","request_id":"r"}"#;
    let problem: Problem = serde_json::from_str(text).expect("reads");
    assert_eq!(serde_json::to_string(&problem).expect("is written"), text);
    assert!(serde_json::from_str::<User>(text).is_err());
}
