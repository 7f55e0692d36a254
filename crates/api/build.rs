//! Writes the ReDoc page, script included, from the registry crate that carries it.

use std::{env, fs, path::Path};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let page = aide::redoc::Redoc::new("/openapi.json").with_title("KubeKCloud API").html();
    assert!(page.len() > 500_000, "this version of aide does not carry ReDoc's script");
    let out = env::var_os("OUT_DIR").expect("cargo sets OUT_DIR");
    fs::write(Path::new(&out).join("redoc.html"), page).expect("OUT_DIR can be written");
}
