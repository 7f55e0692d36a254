//! `kubekcloud openapi`

/// Prints the document that `/openapi.json` serves.
pub(crate) fn run() -> anyhow::Result<()> {
    println!("{}", serde_json::to_string_pretty(&api::document())?);
    Ok(())
}
