//! Schemathesis: requests made from the served OpenAPI document, valid and not. No answer may be a
//! 5xx, and none may be another than the document says.

use super::{clean, suite::log_file};
use crate::{
    job::{Interrupt, Job},
    plan::{Counts, Outcome},
    product::Product,
    python,
};
use anyhow::{Context, Result, bail};
use std::{
    fs::{self, File},
    path::Path,
    process::Command,
    time::Duration,
};

const REQUIREMENTS: &str = include_str!("../../python/schemathesis.txt");

const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,\
                      response_headers_conformance,negative_data_rejection";

/// Requests per operation and phase, at most. With the seed they are the same in each run.
const EXAMPLES: &str = "30";
const SEED: &str = "1";
const LIMIT: Duration = Duration::from_secs(10 * 60);

/// Tests a `dev` server of its own: its sandbox lets creates and operations come to their end.
pub(crate) fn run(kubekcloud: &Path, interrupt: &Interrupt) -> Result<Outcome> {
    let bin = match python::environment("schemathesis", REQUIREMENTS)? {
        Ok(bin) => bin,
        Err(how) => return Ok(Outcome::Missing(how)),
    };
    let dir = tempfile::tempdir().context("make a temporary directory")?;
    let mut product = Product::dev(kubekcloud, dir.path())?;
    let report = dir.path().join("junit.xml");
    let log = log_file("schemathesis")?;
    let out = File::create(&log).with_context(|| format!("create {}", log.display()))?;
    let mut command = Command::new(bin.join("schemathesis"));
    clean(&mut command);
    command
        .args(["--no-color", "run", &format!("{}/openapi.json", product.url)])
        .args(["--checks", CHECKS, "--max-examples", EXAMPLES, "--seed", SEED, "--generation-deterministic"])
        .args(["--phases", "examples,coverage,fuzzing", "--workers", "1", "--request-timeout", "30"])
        .args(["--continue-on-failure", "--report", "junit", "--report-junit-path"])
        .arg(&report)
        .args(["--header", &format!("Authorization: Bearer {}", product.admin_token)])
        .current_dir(dir.path())
        .stdout(out.try_clone()?)
        .stderr(out);
    let status = Job::start("schemathesis", &mut command)?.wait(LIMIT, interrupt)?;
    product.check_alive()?;
    let output = fs::read_to_string(&log).unwrap_or_default();
    let counts = fs::read_to_string(&report).ok().and_then(|xml| counts(&xml));
    let Some(mut counts) = counts else { bail!("schemathesis ended with {status}, and without a report:\n{output}") };
    if !status.success() {
        counts.failed = counts.failed.max(1);
        println!("{output}\nschemathesis ended with {status}; all of it: {}", log.display());
    }
    Ok(Outcome::Ran(counts))
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
