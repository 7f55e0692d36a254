//! Images, made of Debian's static busybox and upstream's pause: nothing is downloaded for them.
//!
//! Those under `registry.test/` behave, or misbehave, by themselves, for whoever cannot say a command.

use super::host::BUSYBOX;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{collections::HashMap, fs, path::Path, process::Command};
use tar::{Builder, EntryType, Header};

pub(super) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// Under which name and tags an image is found, and what it runs.
struct Recipe {
    /// As a registry's path: names without a host get `library/`.
    repository: &'static str,
    tags: &'static [&'static str],
    entrypoint: &'static [&'static str],
    command: &'static [&'static str],
}

/// A web server that stands for the product's default image. The first process of a container ignores
/// signals that it does not handle, so the shell does.
const WEB: &str = "trap 'exit 0' TERM QUIT; echo serving; httpd -f -v -p 80 -h /www & wait";

const RECIPES: &[Recipe] = &[
    Recipe { repository: "library/busybox", tags: &["latest", "stable", "1.36", "1.35", "1.35.0"], entrypoint: &[], command: &["sh"] },
    Recipe { repository: "library/nginx", tags: &["latest", "stable"], entrypoint: &["sh", "-c", WEB], command: &[] },
    Recipe { repository: "crash", tags: &["1"], entrypoint: &["sh", "-c", "echo 'no such table' >&2; exit 3"], command: &[] },
    // Fills a buffer of 1 GiB.
    Recipe { repository: "hungry", tags: &["1"], entrypoint: &["dd", "if=/dev/zero", "of=/dev/null", "bs=1024M", "count=1"], command: &[] },
];

const PAUSE: Recipe = Recipe { repository: "pause", tags: &["1"], entrypoint: &["/pause"], command: &[] };

/// What the images are, for telling whether they are still the same.
pub(super) fn names() -> String {
    let one = |recipe: &Recipe| format!("{} {:?} {:?} {:?}", recipe.repository, recipe.tags, recipe.entrypoint, recipe.command);
    RECIPES.iter().map(one).collect::<Vec<_>>().join("\n")
}

/// One that a registry can hand out.
pub(super) struct Image {
    repository: &'static str,
    tags: &'static [&'static str],
    manifest: Blob,
    parts: [Blob; 2],
}

#[derive(Clone)]
pub(super) struct Blob {
    pub(super) media_type: &'static str,
    pub(super) digest: String,
    pub(super) bytes: Vec<u8>,
}

/// Images by what clients ask for.
pub(super) struct Images {
    manifests: HashMap<(String, String), Blob>,
    blobs: HashMap<String, Blob>,
}

impl Images {
    pub(super) fn new(images: Vec<Image>) -> Self {
        let (mut manifests, mut blobs) = (HashMap::new(), HashMap::new());
        for image in images {
            for reference in image.tags.iter().copied().chain([image.manifest.digest.as_str()]) {
                manifests.insert((image.repository.to_owned(), reference.to_owned()), image.manifest.clone());
            }
            blobs.extend(image.parts.into_iter().map(|blob| (blob.digest.clone(), blob)));
        }
        Self { manifests, blobs }
    }

    pub(super) fn manifest(&self, repository: &str, reference: &str) -> Option<&Blob> {
        self.manifests.get(&(repository.to_owned(), reference.to_owned()))
    }

    pub(super) fn blob(&self, digest: &str) -> Option<&Blob> {
        self.blobs.get(digest)
    }
}

/// Makes all of them.
pub(super) fn make(pause: &Path) -> Result<Vec<Image>> {
    let userland = userland().context("make an image of busybox")?;
    let mut layer = Layer::new();
    layer.file("pause", 0o755, &fs::read(pause)?)?;
    let mut images = vec![image(&PAUSE, &layer.finish()?)?];
    for recipe in RECIPES {
        images.push(image(recipe, &userland)?);
    }
    Ok(images)
}

fn image(recipe: &Recipe, layer: &Blob) -> Result<Image> {
    let config = json!({
        "architecture": "amd64",
        "os": "linux",
        "created": "1970-01-01T00:00:00Z",
        "config": {
            "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
            "Entrypoint": recipe.entrypoint,
            "Cmd": recipe.command,
        },
        "rootfs": {"type": "layers", "diff_ids": [layer.digest]},
    });
    let config = Blob::new(CONFIG, serde_json::to_vec(&config)?);
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": descriptor(&config),
        "layers": [descriptor(layer)],
    });
    let manifest = Blob::new(MANIFEST, serde_json::to_vec(&manifest)?);
    Ok(Image { repository: recipe.repository, tags: recipe.tags, manifest, parts: [config, layer.clone()] })
}

fn descriptor(blob: &Blob) -> Value {
    json!({"mediaType": blob.media_type, "digest": blob.digest, "size": blob.bytes.len()})
}

impl Blob {
    fn new(media_type: &'static str, bytes: Vec<u8>) -> Self {
        let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        Self { media_type, digest: format!("sha256:{digest}"), bytes }
    }
}

/// Busybox under all its names, and the files that programs look for.
fn userland() -> Result<Blob> {
    let mut layer = Layer::new();
    for (dir, mode) in
        [("bin", 0o755), ("dev", 0o755), ("etc", 0o755), ("proc", 0o755), ("root", 0o700), ("sys", 0o755), ("tmp", 0o1777), ("www", 0o755)]
    {
        layer.dir(dir, mode)?;
    }
    layer.file("etc/passwd", 0o644, b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n")?;
    layer.file("etc/group", 0o644, b"root:x:0:\nnobody:x:65534:\n")?;
    layer.file("www/index.html", 0o644, b"It works\n")?;
    layer.file("bin/busybox", 0o755, &fs::read(BUSYBOX)?)?;
    let applets = crate::job::output(Command::new(BUSYBOX).arg("--list"))?.stdout;
    for applet in String::from_utf8(applets)?.lines().filter(|applet| *applet != "busybox") {
        layer.link(&format!("bin/{applet}"), "/bin/busybox")?;
    }
    layer.finish()
}

/// A layer in the making: files of root's, without times.
struct Layer(Builder<Vec<u8>>);

impl Layer {
    fn new() -> Self {
        Self(Builder::new(Vec::new()))
    }

    fn dir(&mut self, path: &str, mode: u32) -> Result<()> {
        let mut header = header(EntryType::Directory, mode, 0);
        Ok(self.0.append_data(&mut header, path, &[][..])?)
    }

    fn file(&mut self, path: &str, mode: u32, bytes: &[u8]) -> Result<()> {
        let mut header = header(EntryType::Regular, mode, bytes.len() as u64);
        Ok(self.0.append_data(&mut header, path, bytes)?)
    }

    fn link(&mut self, path: &str, target: &str) -> Result<()> {
        let mut header = header(EntryType::Symlink, 0o777, 0);
        Ok(self.0.append_link(&mut header, path, target)?)
    }

    fn finish(self) -> Result<Blob> {
        Ok(Blob::new(LAYER, self.0.into_inner()?))
    }
}

fn header(kind: EntryType, mode: u32, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_found_by_tag_and_by_digest_and_its_parts_are_what_it_says() {
        let mut layer = Layer::new();
        layer.file("hello", 0o644, b"hello").unwrap();
        let recipe = Recipe { repository: "a/b", tags: &["1", "2"], entrypoint: &["/hello"], command: &[] };
        let images = Images::new(vec![image(&recipe, &layer.finish().unwrap()).unwrap()]);
        let manifest = images.manifest("a/b", "2").unwrap();
        assert_eq!(images.manifest("a/b", &manifest.digest).unwrap().bytes, manifest.bytes);
        assert!(images.manifest("a/b", "3").is_none());
        let read: Value = serde_json::from_slice(&manifest.bytes).unwrap();
        for part in [&read["config"], &read["layers"][0]] {
            let blob = images.blob(part["digest"].as_str().unwrap()).unwrap();
            assert_eq!(part["size"], blob.bytes.len());
        }
    }
}
