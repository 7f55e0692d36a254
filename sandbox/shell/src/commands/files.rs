//! Commands that change files.

use super::options::{options, unknown};
use crate::io::Io;
use crate::places::{Places, absolute};
use crate::process::Process;
use crate::stop::Run;
use crate::tree::Fault;

pub(super) async fn change(process: &mut Process, io: &Io, name: &str, args: &[String]) -> Run<i32> {
    let (letters, mut paths) = options(args);
    let known = match name {
        "rm" => "rfRi",
        "mkdir" | "rmdir" => "pm",
        "chmod" => "R",
        _ => "cam",
    };
    if unknown(process, io, name, &letters, known).await? {
        return Ok(1);
    }
    let mode = match (name, paths.split_first()) {
        ("chmod", Some((mode, rest))) => {
            paths = rest;
            mode.clone()
        }
        _ => String::new(),
    };
    if paths.is_empty() && name == "rm" && letters.contains('f') {
        return Ok(0);
    }
    if paths.is_empty() {
        process.complain(io, &format!("{name}: missing operand")).await?;
        return Ok(1);
    }
    if name == "chmod" && !is_mode(&mode) {
        process.complain(io, &format!("chmod: invalid mode '{mode}'")).await?;
        return Ok(1);
    }
    let (places, now, mut status) = (process.container.places.clone(), process.clock.seconds(), 0);
    for each in paths {
        let path = absolute(&process.cwd, each);
        let done = match name {
            "touch" => touch(&places, &path, letters.contains('c'), now),
            "mkdir" if letters.contains('p') => places.mkdirs(&path, now),
            "mkdir" => places.mkdir(&path, 0o755, now),
            "rmdir" => {
                if places.is_dir(&path) {
                    places.remove(&path)
                } else {
                    Err(Fault::NotDirectory)
                }
            }
            "chmod" => chmod(&places, &path, &mode, letters.contains('R')),
            _ => remove(&places, &path, &letters),
        };
        if let Err(fault) = done {
            let text = match name {
                "mkdir" => format!("mkdir: can't create directory '{each}': {fault}"),
                "rm" if fault == Fault::IsDirectory => format!("rm: '{each}' is a directory"),
                "rm" => format!("rm: can't remove '{each}': {fault}"),
                name => format!("{name}: {each}: {fault}"),
            };
            process.complain(io, &text).await?;
            status = 1;
        }
    }
    Ok(status)
}

/// Octal, or `u+x,go-w` and the like.
fn is_mode(mode: &str) -> bool {
    let symbolic = |each: &str| {
        let from = each.trim_start_matches(['u', 'g', 'o', 'a']);
        from.starts_with(['+', '-', '=']) && from.chars().all(|c| "+-=rwxXstugo".contains(c))
    };
    u32::from_str_radix(mode, 8).is_ok_and(|mode| mode <= 0o7777) || mode.split(',').all(symbolic)
}

fn touch(places: &Places, path: &str, only_present: bool, now: i64) -> Result<(), Fault> {
    match places.stat(path) {
        Ok(_) => places.set(path, None, now),
        Err(Fault::NotFound) if only_present => Ok(()),
        Err(_) => places.write(path, vec![], None, now),
    }
}

/// Octal modes, and `+x` or `-x`.
fn chmod(places: &Places, path: &str, mode: &str, deep: bool) -> Result<(), Fault> {
    places.stat(path)?;
    for (path, node) in places.walk(path).into_iter().take(if deep { usize::MAX } else { 1 }) {
        let bits = if mode.ends_with('x') {
            0o111
        } else if mode.ends_with('w') {
            0o222
        } else {
            0o444
        };
        let mode = match u32::from_str_radix(mode, 8) {
            Ok(octal) => octal & 0o7777,
            Err(_) if mode.contains('-') => node.mode & !bits,
            Err(_) => node.mode | bits,
        };
        places.set(&path, Some(mode), node.modified)?;
    }
    Ok(())
}

fn remove(places: &Places, path: &str, letters: &str) -> Result<(), Fault> {
    let node = match places.stat(path) {
        Err(Fault::NotFound) if letters.contains('f') => return Ok(()),
        other => other?,
    };
    if !node.is_dir() {
        return places.remove(path);
    }
    if !letters.contains(['r', 'R']) {
        return Err(Fault::IsDirectory);
    }
    places.walk(path).iter().rev().try_for_each(|(path, _)| places.remove(path))
}

/// `cp` and `mv`.
pub(super) async fn copy(process: &mut Process, io: &Io, name: &str, args: &[String]) -> Run<i32> {
    let (letters, paths) = options(args);
    if unknown(process, io, name, &letters, "rRafpd").await? {
        return Ok(1);
    }
    let Some((to, from @ [_, ..])) = paths.split_last() else {
        process.complain(io, &format!("{name}: missing operand")).await?;
        return Ok(1);
    };
    let (places, now, mut status) = (process.container.places.clone(), process.clock.seconds(), 0);
    for each in from {
        let source = absolute(&process.cwd, each);
        let mut target = absolute(&process.cwd, to);
        if places.is_dir(&target) {
            target = format!("{target}/{}", source.rsplit('/').next().unwrap_or_default());
        }
        let deep = name == "mv" || letters.contains(['r', 'R', 'a']);
        let mut done = copy_one(&places, &source, &target, deep, now);
        if done.is_ok() && name == "mv" {
            done = remove(&places, &source, "r");
        }
        if let Err(fault) = done {
            process.complain(io, &format!("{name}: can't copy '{each}': {fault}")).await?;
            status = 1;
        }
    }
    Ok(status)
}

fn copy_one(places: &Places, from: &str, to: &str, deep: bool, now: i64) -> Result<(), Fault> {
    if places.stat(from)?.is_dir() && !deep {
        return Err(Fault::IsDirectory);
    }
    if to == from || to.starts_with(&format!("{from}/")) {
        return Err(Fault::Busy);
    }
    for (path, node) in places.walk(from) {
        let target = format!("{to}{}", &path[from.len()..]);
        match node.content {
            Some(content) => places.write(&target, content.to_vec(), Some(node.mode), now)?,
            None if places.is_dir(&target) => {}
            None => places.mkdir(&target, node.mode, now)?,
        }
    }
    Ok(())
}
