//! What the sandbox answers, held against what a real API server was recorded to answer.
//!
//! A case ([`cases`]) is a short talk with a server in a namespace of its own. Its transcript is normalized and compared:
//! - without an environment variable: the sandbox against `recorded/AREA.json`. Each difference must stand in
//!   `docs/sandbox-differences.md`, and what stands there must still differ;
//! - with `KUBEKCLOUD_TEST_KUBECONFIG`: that real server against the same recordings, so that they cannot rot. Areas that need
//!   a node that runs containers are held against `KUBEKCLOUD_TEST_NODE_KUBECONFIG` instead;
//! - with `KUBEKCLOUD_CONFORMANCE_RECORD=1` besides: what the real server answers is written down anew.
//!
//! To add a case, write it in its area's file, record it, and run the suite on the sandbox. Not compared, here or anywhere:
//! what differs between two runs on one server (see [`harness::normal`]).

mod cases;
mod harness;
#[path = "../support/skip.rs"]
mod skip;

use harness::{differences, recorded};

/// A recording or a listed difference that no case uses would only seem to promise something.
#[test]
fn every_recording_and_every_listed_difference_belongs_to_a_case() {
    for (area, names) in cases::AREAS {
        let recorded = recorded::names(area);
        let missing: Vec<&&str> = names.iter().filter(|n| !recorded.iter().any(|r| r == **n)).collect();
        let unused: Vec<&String> = recorded.iter().filter(|r| !names.contains(&r.as_str())).collect();
        assert!(missing.is_empty() && unused.is_empty(), "{area}: not recorded: {missing:?}; recorded for nothing: {unused:?}");
    }
    for row in differences::rows() {
        let known = |case: &String| cases::AREAS.iter().any(|(area, names)| names.iter().any(|n| format!("{area}::{n}") == *case));
        assert!(row.cases.iter().all(known), "no such case: {row:?}");
        assert!(row.reason.len() > 10, "a difference needs a reason: {row:?}");
    }
}

/// Who adds or removes a case changes the number, so that none gets lost unseen.
#[test]
fn no_case_is_lost() {
    let (on_node, elsewhere): (Vec<_>, Vec<_>) = cases::AREAS.iter().partition(|(area, _)| area.starts_with("node_"));
    let count = |areas: Vec<&(&str, &[&str])>| areas.iter().map(|(_, names)| names.len()).sum::<usize>();
    assert_eq!((count(elsewhere), count(on_node)), (ON_CONTROL_PLANE, ON_NODE));
}

/// Cases that a real control plane is held against.
const ON_CONTROL_PLANE: usize = 510;
/// Cases that need a node which runs containers. The sandbox is held against these and the others.
const ON_NODE: usize = 94;
