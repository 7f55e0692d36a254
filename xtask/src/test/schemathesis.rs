//! Schemathesis: requests made from the served OpenAPI document, valid and not. No answer may be a
//! 5xx, and none may be another than the document says.

use super::suite::log_file;
use crate::{
    checkout::clean,
    job::{Interrupt, Job},
    plan::{Counts, Outcome},
    product::Product,
    python,
};
use anyhow::{Context, Result, bail};
use reqwest::Method;
use serde_json::json;
use std::{
    fs::{self, File},
    path::Path,
    process::Command,
    time::Duration,
};

const REQUIREMENTS: &str = include_str!("../../python/schemathesis.txt");

const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,\
                      response_headers_conformance,negative_data_rejection";

/// Requests per operation and phase, at most. They are the same in each run.
const EXAMPLES: &str = "30";
const LIMIT: Duration = Duration::from_secs(10 * 60);

/// Things that are there, so that requests get further than to a 404.
const CLUSTERS: i64 = 16;
const OTHER_USERS: i64 = 60;
const TOKEN: &str = "token-of-the-one-who-asks";

/// Two times of three a path names one of them. Users up to here may be changed and deleted.
const CONFIG: &str = r#"
[dictionaries]
clusters = { values = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16] }
users = { values = [3, 4, 5, 6, 7, 8, 9, 10, 11, 12] }

[parameters]
"path.cluster_id" = { dictionary = "clusters", probability = 0.66 }
"path.instance_id" = { dictionary = "clusters", probability = 0.66 }
"path.user_id" = { dictionary = "users", probability = 0.66 }
"#;

/// Tests a `dev` server of its own: its sandbox lets creates and operations come to their end.
pub(crate) fn run(kubekcloud: &Path, interrupt: &Interrupt) -> Result<Outcome> {
    let bin = match python::environment("schemathesis", REQUIREMENTS)? {
        Ok(bin) => bin,
        Err(how) => return Ok(Outcome::Missing(how)),
    };
    let dir = tempfile::tempdir().context("make a temporary directory")?;
    let mut product = Product::dev(kubekcloud, dir.path())?;
    furnish(&product)?;
    fs::write(dir.path().join("schemathesis.toml"), CONFIG)?;
    let report = dir.path().join("junit.xml");
    let log = log_file("schemathesis")?;
    let mut command = command(&bin.join("schemathesis"), &product.url, &report);
    let out = File::create(&log).with_context(|| format!("create {}", log.display()))?;
    command.current_dir(dir.path()).stdout(out.try_clone()?).stderr(out);
    let status = Job::start("schemathesis", &mut command)?.wait(LIMIT, interrupt)?;

    product.check_alive()?;
    let output = fs::read_to_string(&log).unwrap_or_default();
    let counts = fs::read_to_string(&report).ok().and_then(|xml| counts(&xml));
    let Some(mut counts) = counts else { bail!("schemathesis ended with {status}, and without a report:\n{output}") };
    if !status.success() {
        counts.failed = counts.failed.max(1);
        println!("{output}\nschemathesis ended with {status}; all of it: {}", log.display());
    }
    // Had it shut itself out, most answers would have been a 401, and most of this a show.
    product.call(Method::GET, "/api/v1/users/me", TOKEN, None).context("schemathesis took its own rights away")?;
    Ok(Outcome::Ran(counts))
}

/// Users enough that no request made up hits the one who asks, and clusters with instances.
fn furnish(product: &Product) -> Result<()> {
    let quota = |name: &str| json!({"username": name, "quota_cpu": 10_000, "quota_memory": 10_000, "quota_storage": 10_000});
    for number in 1..=OTHER_USERS {
        product.call(Method::POST, "/api/v1/users/", &product.admin_token, Some(&quota(&format!("somebody-{number}"))))?;
    }
    let mut asking = quota("asking");
    asking["token"] = json!(TOKEN);
    asking["role"] = json!("admin");
    product.call(Method::POST, "/api/v1/users/", &product.admin_token, Some(&asking))?;
    for number in 1..=CLUSTERS {
        let kind = if number % 4 == 0 { "vm" } else { "container" };
        let cluster =
            json!({"name": format!("there-{number}"), "instance_type": kind, "cpu_per_instance": 1, "memory_per_instance": 1, "instance_count": 1});
        product.call(Method::POST, "/api/v1/clusters/?wait=20", TOKEN, Some(&cluster))?;
    }
    Ok(())
}

fn command(program: &Path, url: &str, report: &Path) -> Command {
    let mut command = Command::new(program);
    clean(&mut command);
    command
        .args(["--no-color", "run", &format!("{url}/openapi.json")])
        .args(["--checks", CHECKS, "--max-examples", EXAMPLES, "--generation-deterministic"])
        .args(["--phases", "examples,coverage,fuzzing", "--workers", "1", "--request-timeout", "30"])
        .args(["--continue-on-failure", "--report", "junit", "--report-junit-path"])
        .arg(report)
        .args(["--header", &format!("Authorization: Bearer {TOKEN}")]);
    command
}

/// Totals of a JUnit report: one test case per operation of the API.
fn counts(xml: &str) -> Option<Counts> {
    let (_, rest) = xml.split_once("<testsuites")?;
    let (head, _) = rest.split_once('>')?;
    let number = |name: &str| -> Option<u32> {
        let (_, rest) = head.split_once(&format!(" {name}=\""))?;
        rest.split_once('"')?.0.parse().ok()
    };
    let failed = number("failures")? + number("errors")?;
    let skipped = xml.matches("<skipped").count().try_into().ok()?;
    Some(Counts { passed: number("tests")?.checked_sub(failed + skipped)?, failed, skipped })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_counted() {
        let xml = r#"<?xml version="1.0" ?><testsuites disabled="0" errors="0" failures="1" tests="4" time="1.5">
<testsuite name="schemathesis" tests="4"><testcase name="GET /a"/><testcase name="GET /b"><skipped/></testcase></testsuite></testsuites>"#;
        assert_eq!(counts(xml), Some(Counts { passed: 2, failed: 1, skipped: 1 }));
        assert_eq!(counts("<nothing/>"), None);
    }
}
