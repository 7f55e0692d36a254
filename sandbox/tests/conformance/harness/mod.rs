//! Running a case: which server, a namespace, the comparison.

pub(crate) mod call;
pub(crate) mod differences;
mod exec;
pub(crate) mod machine;
pub(crate) mod normal;
pub(crate) mod pod;
pub(crate) mod recorded;
mod server;
mod talk;

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::time::Duration;

use futures::FutureExt;
use serde_json::Value;

pub(crate) use server::Needs;
use server::Server;
pub(crate) use talk::Talk;

/// Longer than any case takes, even on a busy machine; real containers take theirs.
const DEADLINE: Duration = Duration::from_secs(180);
const DEADLINE_ON_NODE: Duration = Duration::from_secs(360);

/// Declares the cases of an area: `name: |t| { ... }` makes a test each.
macro_rules! cases {
    ($($(#[$doc:meta])* $name:ident: |$t:ident| $body:block)*) => {
        cases! { needs Api; $($(#[$doc])* $name: |$t| $body)* }
    };
    (needs $needs:ident; $($(#[$doc:meta])* $name:ident: |$t:ident| $body:block)*) => {
        pub(crate) const NAMES: &[&str] = &[$(stringify!($name)),*];
        $($(#[$doc])* #[test]
        fn $name() {
            let needs = $crate::harness::Needs::$needs;
            $crate::harness::run(module_path!(), stringify!($name), needs, async |$t: &mut $crate::harness::Talk| $body);
        })*
    };
}
pub(crate) use cases;

/// Runs one case and judges it. `module` ends in the area's name.
pub(crate) fn run(module: &str, case: &str, needs: Needs, talk: impl AsyncFnOnce(&mut Talk)) {
    let area = module.rsplit("::").next().unwrap_or(module);
    let Some(server) = Server::of(needs) else {
        crate::skip::skip(&format!("{area}::{case} needs a real node; set {}", server::NODE_KUBECONFIG));
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let transcript = runtime.block_on(async {
        let mut t = Talk::begin(&server).await;
        let deadline = if needs == Needs::Node { DEADLINE_ON_NODE } else { DEADLINE };
        let talked = AssertUnwindSafe(tokio::time::timeout(deadline, talk(&mut t))).catch_unwind().await;
        let transcript = t.end().await;
        match talked {
            Ok(ended) => ended.unwrap_or_else(|_| panic!("{area}::{case} took too long; so far:\n{}", recorded::pretty(&transcript))),
            Err(panic) => {
                eprintln!("{area}::{case} so far:\n{}", recorded::pretty(&transcript));
                resume_unwind(panic)
            }
        }
        transcript
    });
    if server.real && std::env::var_os(recorded::RECORD).is_some() {
        return recorded::write(area, case, &transcript);
    }
    judge(area, case, transcript, server.real);
}

fn judge(area: &str, case: &str, mut transcript: Value, real: bool) {
    let mut expected = recorded::read(area, case).unwrap_or_else(|| panic!("{area}::{case} is not recorded; see the head of main.rs"));
    if real {
        machine::skipped(&expected, &mut transcript);
        [&mut expected, &mut transcript].into_iter().for_each(normal::conditions_in_order);
    }
    let found = differences::between(&expected, &transcript);
    let listed = if real { vec![] } else { differences::listed(&format!("{area}::{case}")) };
    let unlisted: Vec<String> = found.iter().filter(|d| !listed.iter().any(|p| p.covers(&d.path))).map(ToString::to_string).collect();
    let server = if real { "the real server no longer answers as recorded" } else { "the sandbox differs, unlisted" };
    assert!(unlisted.is_empty(), "{area}::{case}: {server}:\n{}", unlisted.join("\n"));
    let gone: Vec<&differences::Pattern> = listed.iter().filter(|p| !found.iter().any(|d| p.covers(&d.path))).collect();
    assert!(gone.is_empty(), "{area}::{case}: listed in docs/sandbox-differences.md, but no longer different: {gone:?}");
}
