//! Commands on text and streams.

use bytes::{Bytes, BytesMut};

use super::{options, unknown};
use crate::expand::ARGUMENT;
use crate::io::{Input, Io, PIECE, Run};
use crate::places::absolute;
use crate::process::Process;
use crate::tree::Fault;

/// What `sort`, `tail` and the like hold at most.
const HELD: usize = 1 << 20;

pub(super) async fn echo(process: &mut Process, io: &Io, args: &[String]) -> Run<i32> {
    let flags = args.iter().take_while(|a| a.len() > 1 && a.starts_with('-') && a[1..].chars().all(|c| "neE".contains(c))).count();
    let (flags, words) = args.split_at(flags);
    let text = words.join(" ");
    let mut text = if flags.iter().any(|f| f.contains('e')) { escaped(&text) } else { text };
    if !flags.iter().any(|f| f.contains('n')) {
        text.push('\n');
    }
    process.say(io, text).await?;
    Ok(0)
}

fn escaped(text: &str) -> String {
    let (mut out, mut chars) = (String::new(), text.chars());
    while let Some(c) = chars.next() {
        match (c, if c == '\\' { chars.next() } else { None }) {
            ('\\', Some('n')) => out.push('\n'),
            ('\\', Some('t')) => out.push('\t'),
            ('\\', Some('r')) => out.push('\r'),
            ('\\', Some('e' | '0')) => out.push('\x1b'),
            ('\\', Some('\\')) => out.push('\\'),
            ('\\', Some(other)) => out.extend(['\\', other]),
            (c, _) => out.push(c),
        }
    }
    out
}

/// `%s`, `%d`, `%%` with widths, and escapes; the format is used again while arguments are left.
pub(super) async fn printf(process: &mut Process, io: &Io, args: &[String]) -> Run<i32> {
    let Some((format, args)) = args.split_first() else {
        process.complain(io, "printf: usage: printf FORMAT [ARG]...").await?;
        return Ok(1);
    };
    let format = escaped(format);
    let (mut out, mut left) = (String::new(), args.iter());
    loop {
        let mut chars = format.chars().peekable();
        while let Some(c) = chars.next() {
            if c != '%' {
                out.push(c);
                continue;
            }
            let mut spec = String::new();
            while let Some(c) = chars.next_if(|c| c.is_ascii_digit() || matches!(c, '-' | '.')) {
                spec.push(c);
            }
            let value = match chars.next() {
                Some('%') | None => "%".to_owned(),
                Some('d' | 'i') => left.next().map_or(0, |a| a.trim().parse::<i64>().unwrap_or(0)).to_string(),
                Some(_) => left.next().cloned().unwrap_or_default(),
            };
            let width = spec.trim_matches('-').split('.').next().and_then(|w| w.parse::<usize>().ok()).unwrap_or(0).min(1_000);
            match () {
                () if spec.starts_with('-') => out += &format!("{value:<width$}"),
                () if spec.starts_with('0') => out += &format!("{value:0>width$}"),
                () => out += &format!("{value:>width$}"),
            }
        }
        if left.len() == 0 || !format.contains('%') || out.len() > ARGUMENT {
            process.say(io, out).await?;
            return Ok(0);
        }
    }
}

/// The files named, or the standard input; a missing one is complained about.
async fn inputs<'a>(process: &Process, io: &Io, name: &str, files: &'a [String]) -> Run<(Vec<(&'a str, Input)>, i32)> {
    if files.is_empty() {
        return Ok((vec![("", io.stdin.clone())], 0));
    }
    let (mut found, mut status) = (Vec::new(), 0);
    for file in files {
        let path = absolute(&process.cwd, file);
        match process.container.places.read(&path) {
            _ if file == "-" || path == "/dev/stdin" => found.push(("-", io.stdin.clone())),
            Ok(content) => {
                process.clock.work(content.len() as u64 / PIECE)?;
                found.push((file, Input::fixed(content.to_vec().into())));
            }
            Err(fault) => {
                let why = match fault {
                    Fault::IsDirectory => "read error".to_owned(),
                    _ if name == "grep" => file.clone(),
                    _ => format!("can't open '{file}'"),
                };
                process.complain(io, &format!("{name}: {why}: {fault}")).await?;
                status = 1;
            }
        }
    }
    Ok((found, status))
}

/// All of a stream; `None` when that is more than is held.
async fn all(input: &Input) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    while let Some(chunk) = input.chunk().await {
        out.extend_from_slice(&chunk);
        if out.len() > HELD {
            return None;
        }
    }
    Some(out)
}

/// The end of a stream, as far as it is held.
async fn last(input: &Input) -> Vec<u8> {
    let mut out = Vec::new();
    while let Some(chunk) = input.chunk().await {
        out.extend_from_slice(&chunk);
        if out.len() > 2 * HELD {
            out.drain(..out.len() - HELD);
        }
    }
    out
}

/// The begin of a stream.
async fn first(input: &Input, bytes: usize) -> Vec<u8> {
    let mut out = Vec::new();
    while out.len() < bytes.min(HELD)
        && let Some(chunk) = input.chunk().await
    {
        out.extend_from_slice(&chunk);
    }
    out.truncate(bytes);
    out
}

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

pub(super) async fn wc(process: &mut Process, io: &Io, args: &[String]) -> Run<i32> {
    let (letters, files) = options(args);
    if unknown(process, io, "wc", &letters, "lwc").await? {
        return Ok(1);
    }
    let (inputs, status) = inputs(process, io, "wc", files).await?;
    for (name, input) in inputs {
        let (mut lines, mut words, mut bytes, mut within) = (0_u64, 0_u64, 0_usize, false);
        while let Some(chunk) = input.chunk().await {
            bytes += chunk.len();
            for byte in &chunk {
                lines += u64::from(*byte == b'\n');
                words += u64::from(within && byte.is_ascii_whitespace());
                within = !byte.is_ascii_whitespace();
            }
        }
        words += u64::from(within);
        let wanted = |letter: char| letters.is_empty() || letters.contains(letter);
        let each = [('l', lines), ('w', words), ('c', bytes as u64)];
        let numbers: Vec<String> = each.iter().filter(|(letter, _)| wanted(*letter)).map(|(_, n)| n.to_string()).collect();
        let text = if let [one] = numbers.as_slice() { one.clone() } else { numbers.iter().map(|n| format!("{n:>9}")).collect::<Vec<_>>().join(" ") };
        process.say(io, format!("{text} {name}").trim_end().to_owned() + "\n").await?;
    }
    Ok(status)
}

/// Lines that contain a text; `^` and `$` at its ends, nothing else is special.
pub(super) async fn grep(process: &mut Process, io: &Io, args: &[String]) -> Run<i32> {
    let (letters, rest) = options(args);
    if unknown(process, io, "grep", &letters, "ivqcnFEe").await? {
        return Ok(2);
    }
    let Some((wanted, files)) = rest.split_first() else {
        process.complain(io, "grep: usage: grep [-ivqcn] TEXT [FILE]...").await?;
        return Ok(2);
    };
    let fold = |text: &str| if letters.contains('i') { text.to_lowercase() } else { text.to_owned() };
    let wanted = fold(wanted);
    let (start, end) = (wanted.starts_with('^'), wanted.ends_with('$'));
    let wanted = wanted.trim_start_matches('^').trim_end_matches('$').to_owned();
    let (inputs, missing) = inputs(process, io, "grep", files).await?;
    let (mut count, mut number) = (0, 0);
    for (_, input) in inputs {
        while let Some(line) = input.line().await {
            number += 1;
            let text = fold(String::from_utf8_lossy(&line).trim_end_matches('\n'));
            let found = match (start, end) {
                (true, true) => text == wanted,
                (true, false) => text.starts_with(&wanted),
                (false, true) => text.ends_with(&wanted),
                (false, false) => text.contains(&wanted),
            };
            if found == letters.contains('v') {
                continue;
            }
            count += 1;
            if letters.contains('q') {
                return Ok(0);
            }
            if !letters.contains('c') {
                let number = if letters.contains('n') { format!("{number}:") } else { String::new() };
                process.say(io, [number.as_bytes(), &line].concat()).await?;
            }
        }
    }
    if letters.contains('c') {
        process.say(io, format!("{count}\n")).await?;
    }
    Ok(if missing > 0 { 2 } else { i32::from(count == 0) })
}

pub(super) async fn sort(process: &mut Process, io: &Io, args: &[String]) -> Run<i32> {
    let (letters, files) = options(args);
    if unknown(process, io, "sort", &letters, "rnu").await? {
        return Ok(2);
    }
    let (inputs, status) = inputs(process, io, "sort", files).await?;
    let mut text = Vec::new();
    for (_, input) in inputs {
        let Some(part) = all(&input).await.filter(|part| text.len() + part.len() <= HELD) else {
            process.complain(io, "sort: out of memory").await?;
            return Ok(2);
        };
        text.extend(part);
    }
    let text = String::from_utf8_lossy(&text);
    let mut lines: Vec<&str> = text.lines().collect();
    if letters.contains('n') {
        let number = |line: &str| line.split_whitespace().next().and_then(|n| n.parse::<f64>().ok()).unwrap_or(0.0);
        lines.sort_by(|a, b| number(a).total_cmp(&number(b)).then_with(|| a.cmp(b)));
    } else {
        lines.sort_unstable();
    }
    if letters.contains('u') {
        lines.dedup();
    }
    if letters.contains('r') {
        lines.reverse();
    }
    let out: String = lines.iter().map(|l| format!("{l}\n")).collect();
    process.say(io, out).await?;
    Ok(status)
}

/// One set of characters for another, or `-d`; sets are plain or `a-z`.
pub(super) async fn tr(process: &mut Process, io: &Io, args: &[String]) -> Run<i32> {
    let set = |text: &str| {
        let chars: Vec<char> = escaped(text).chars().collect();
        match chars.as_slice() {
            [from, '-', to] => (*from..=*to).take(256).collect(),
            _ => chars,
        }
    };
    let (delete, from, to) = match args {
        [flag, from] if flag == "-d" => (true, set(from), vec![]),
        [from, to] => (false, set(from), set(to)),
        _ => {
            process.complain(io, "tr: usage: tr [-d] SET1 [SET2]").await?;
            return Ok(1);
        }
    };
    while let Some(line) = io.stdin.line().await {
        let text = String::from_utf8_lossy(&line);
        let map = |c: char| match from.iter().position(|f| *f == c) {
            Some(_) if delete => None,
            Some(at) => to.get(at).or(to.last()).copied(),
            None => Some(c),
        };
        process.say(io, text.chars().filter_map(map).collect::<String>()).await?;
    }
    Ok(0)
}

pub(super) async fn tee(process: &mut Process, io: &Io, args: &[String]) -> Run<i32> {
    let (letters, files) = options(args);
    let (places, mut status, mut paths) = (process.container.places.clone(), 0, Vec::new());
    for file in files {
        let path = absolute(&process.cwd, file);
        let opened = if letters.contains('a') {
            places.append(&path, b"", process.clock.seconds())
        } else {
            places.write(&path, vec![], None, process.clock.seconds())
        };
        match opened {
            Ok(()) => paths.push(path),
            Err(fault) => {
                process.complain(io, &format!("tee: {file}: {fault}")).await?;
                status = 1;
            }
        }
    }
    while let Some(chunk) = io.stdin.chunk().await {
        for path in &paths {
            if places.append(path, &chunk, process.clock.seconds()).is_err() {
                status = 1;
            }
        }
        process.say(io, chunk).await?;
    }
    Ok(status)
}

pub(super) async fn seq(process: &mut Process, io: &Io, args: &[String]) -> Run<i32> {
    let numbers: Vec<i64> = args.iter().filter_map(|a| a.parse().ok()).collect();
    let (from, step, to) = match numbers.as_slice() {
        [to] => (1, 1, *to),
        [from, to] => (*from, 1, *to),
        [from, step, to] if *step != 0 => (*from, *step, *to),
        _ => {
            process.complain(io, "seq: usage: seq [FIRST [INCREMENT]] LAST").await?;
            return Ok(1);
        }
    };
    let (mut at, mut out) = (from, BytesMut::new());
    while (step > 0 && at <= to) || (step < 0 && at >= to) {
        out.extend_from_slice(format!("{at}\n").as_bytes());
        if out.len() > 4_096 {
            process.clock.step().await?;
            process.say(io, out.split().freeze()).await?;
        }
        let Some(next) = at.checked_add(step) else { break };
        at = next;
    }
    process.say(io, out.freeze()).await?;
    Ok(0)
}
