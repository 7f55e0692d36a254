//! `cargo xtask openapi`: writes the checked-in OpenAPI document.
//!
//! Clients are generated from it, and its changes are read in reviews. That it is what the API serves is checked by a
//! test of crates/kubekcloud (`tests/it/documents.rs`).

use crate::{checkout, job::output};
use anyhow::{Context, Result};
use std::fs;

const FILE: &str = "openapi/kubekcloud.json";

pub(crate) fn run() -> Result<()> {
    let document = output(checkout::cargo().args(["run", "--quiet", "--package", "kubekcloud", "--", "openapi"]))?.stdout;
    let path = checkout::root().join(FILE);
    fs::write(&path, document).with_context(|| format!("write {}", path.display()))?;
    println!("{FILE}");
    Ok(())
}
