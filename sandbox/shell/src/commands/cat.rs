//! `cat`, `head` and `tail`: commands that pass on what they read, or a part of it.

use bytes::Bytes;

use super::input::{first, inputs, last};
use super::options::{options, unknown};
use crate::io::Io;
use crate::places::absolute;
use crate::process::Process;
use crate::stop::Run;

pub(super) async fn cat(process: &mut Process, io: &Io, args: &[String]) -> Run<i32> {
    let (letters, files) = options(args);
    if unknown(process, io, "cat", &letters, "unA").await? {
        return Ok(1);
    }
    let (inputs, status) = inputs(process, io, "cat", files).await?;
    let mut number = 0;
    for (_, input) in inputs {
        if letters.contains('n') {
            while let Some(line) = input.line().await {
                number += 1;
                process.say(io, [format!("{number:6}  ").as_bytes(), &line].concat()).await?;
            }
        }
        while let Some(chunk) = input.chunk().await {
            process.say(io, chunk).await?;
        }
    }
    Ok(status)
}

/// `head` and `tail`.
pub(super) async fn part(process: &mut Process, io: &Io, name: &str, args: &[String]) -> Run<i32> {
    let (mut count, mut bytes, mut follow, mut files) = (10_usize, false, false, Vec::new());
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.strip_prefix('-') {
            Some("f" | "F") => follow = true,
            Some(flag) if flag.starts_with(['n', 'c']) => {
                bytes = flag.starts_with('c');
                let value = if flag.len() > 1 { Some(&flag[1..]) } else { args.next().map(String::as_str) };
                count = value.and_then(|v| v.trim_start_matches(['-', '+', '=']).parse().ok()).unwrap_or(count);
            }
            Some(flag) if !flag.is_empty() && flag.chars().all(|c| c.is_ascii_digit()) => count = flag.parse().unwrap_or(count),
            Some(flag) if !flag.is_empty() => {
                process.complain(io, &format!("{name}: unrecognized option: {flag}")).await?;
                return Ok(1);
            }
            _ => files.push(arg.clone()),
        }
    }
    let (inputs, status) = inputs(process, io, name, &files).await?;
    for (_, input) in inputs {
        if bytes && name == "head" {
            process.say(io, first(&input, count).await).await?;
        } else if bytes {
            let all = last(&input).await;
            process.say(io, Bytes::copy_from_slice(&all[all.len().saturating_sub(count)..])).await?;
        } else if name == "head" {
            for _ in 0..count {
                let Some(line) = input.line().await else { break };
                process.say(io, line).await?;
            }
        } else {
            let all = last(&input).await;
            let lines: Vec<&[u8]> = all.split_inclusive(|b| *b == b'\n').collect();
            process.say(io, lines[lines.len().saturating_sub(count)..].concat()).await?;
        }
    }
    if !follow {
        return Ok(status);
    }
    follow_file(process, io, &files).await
}

/// Waits for more in a file, for ever. `tail -f /dev/null` is how many containers pass their time.
async fn follow_file(process: &mut Process, io: &Io, files: &[String]) -> Run<i32> {
    let path = files.first().map(|f| absolute(&process.cwd, f)).unwrap_or_default();
    let mut seen = process.container.places.read(&path).map_or(0, |c| c.len());
    loop {
        let wait = if path == "/dev/null" { 3_600 } else { 1 };
        process.clock.sleep(std::time::Duration::from_secs(wait)).await?;
        let Ok(content) = process.container.places.read(&path) else { continue };
        if content.len() > seen {
            process.say(io, Bytes::copy_from_slice(&content[seen..])).await?;
        }
        seen = content.len();
    }
}
