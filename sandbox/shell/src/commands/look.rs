//! Commands that look at files.

use jiff::Timestamp;

use super::options::{options, unknown};
use crate::io::Io;
use crate::pattern;
use crate::places::{absolute, shown};
use crate::process::Process;
use crate::stop::Run;
use crate::tree::Inode;

pub(super) async fn ls(process: &mut Process, io: &Io, name: &str, args: &[String]) -> Run<i32> {
    let (letters, paths) = options(args);
    if unknown(process, io, name, &letters, "la1AdhRFtr").await? {
        return Ok(1);
    }
    let here = [".".to_owned()];
    let paths = if paths.is_empty() { &here } else { paths };
    let long = letters.contains('l') || name == "stat";
    let (mut status, mut out, mut heads, mut first) = (0, String::new(), paths.len() > 1, true);
    let mut left: Vec<String> = paths.iter().rev().cloned().collect();
    while let Some(path) = left.pop() {
        let clean = absolute(&process.cwd, &path);
        let node = match process.container.places.stat(&clean) {
            Ok(node) => node,
            Err(fault) => {
                process.complain(io, &format!("{name}: {path}: {fault}")).await?;
                status = 1;
                continue;
            }
        };
        if !node.is_dir() || letters.contains('d') || name == "stat" {
            out += &line(process, &path, &node, long);
            continue;
        }
        let seen = |name: &String| letters.contains(['a', 'A']) || !name.starts_with('.');
        let names: Vec<String> = process.container.places.names(&clean).into_iter().filter(seen).collect();
        heads |= letters.contains('R');
        if heads {
            out += &format!("{}{path}:\n", if first { "" } else { "\n" });
        }
        first = false;
        let dots: &[&str] = if letters.contains('a') { &[".", ".."] } else { &[] };
        let dots: Vec<_> = dots.iter().map(|name| ((*name).to_owned(), node.clone())).collect();
        let inside = names.iter().filter_map(|name| Some((name.clone(), process.container.places.stat(&format!("{clean}/{name}")).ok()?)));
        let each: Vec<(String, Inode)> = dots.into_iter().chain(inside).collect();
        if long {
            out += &format!("total {}\n", each.iter().map(|(_, n)| n.size().div_ceil(4096) * 4).sum::<usize>());
        }
        each.iter().for_each(|(name, node)| out += &line(process, name, node, long));
        if letters.contains('R') {
            let below = each.iter().filter(|(name, node)| node.is_dir() && !name.starts_with('.'));
            left.extend(below.rev().map(|(name, _)| format!("{}/{name}", path.trim_end_matches('/'))));
        }
        process.say(io, std::mem::take(&mut out)).await?;
    }
    process.say(io, out).await?;
    Ok(status)
}

fn line(process: &Process, name: &str, node: &Inode, long: bool) -> String {
    if !long {
        return format!("{name}\n");
    }
    let bits = "rwxrwxrwx".chars().enumerate().map(|(i, c)| if node.mode >> (8 - i) & 1 == 1 { c } else { '-' });
    let mode: String = std::iter::once(if node.is_dir() { 'd' } else { '-' }).chain(bits).collect();
    let links = if node.is_dir() { 2 } else { 1 };
    let modified = Timestamp::from_second(node.modified).unwrap_or_default();
    let old = process.clock.seconds() - node.modified > 15_552_000;
    let time = modified.strftime(if old { "%b %e  %Y" } else { "%b %e %H:%M" });
    format!("{mode} {links:4} root     root     {:9} {time} {name}\n", node.size())
}

/// `find PATH... [-name PATTERN] [-type f|d]`.
pub(super) async fn find(process: &mut Process, io: &Io, args: &[String]) -> Run<i32> {
    let split = args.iter().position(|a| a.starts_with('-')).unwrap_or(args.len());
    let (paths, tests) = args.split_at(split);
    let (mut name, mut kind) = (None, None);
    for pair in tests.chunks(2) {
        match pair {
            [test, value] if test == "-name" => name = Some(value),
            [test, value] if test == "-type" => kind = Some(value == "d"),
            _ => {
                process.complain(io, &format!("find: unrecognized: {}", pair[0])).await?;
                return Ok(1);
            }
        }
    }
    let here = [".".to_owned()];
    let mut status = 0;
    for path in if paths.is_empty() { &here } else { paths } {
        let clean = absolute(&process.cwd, path);
        if let Err(fault) = process.container.places.stat(&clean) {
            process.complain(io, &format!("find: {path}: {fault}")).await?;
            status = 1;
        }
        for (found, node) in process.container.places.walk(&clean) {
            let base = found.rsplit('/').next().unwrap_or_default();
            if name.is_none_or(|n| pattern::matches(n, base)) && kind.is_none_or(|dir| dir == node.is_dir()) {
                let below = &found[clean.len()..];
                process.say(io, format!("{}{below}\n", if below.is_empty() { path } else { path.trim_end_matches('/') })).await?;
            }
        }
    }
    Ok(status)
}

pub(super) async fn path(process: &mut Process, io: &Io, name: &str, args: &[String]) -> Run<i32> {
    let path = args.first().map_or("", |p| if p == "/" { p } else { p.trim_end_matches('/') });
    let (dir, base) = path.rsplit_once('/').unwrap_or((".", path));
    let text = if name == "dirname" { shown(dir) } else { base.strip_suffix(args.get(1).map_or("", String::as_str)).unwrap_or(base).to_owned() };
    process.say(io, format!("{text}\n")).await?;
    Ok(0)
}
