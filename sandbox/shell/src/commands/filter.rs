//! Filters: commands that read text and print another.

use super::input::{HELD, all, inputs};
use super::options::{options, unknown};
use super::print::escaped;
use crate::io::Io;
use crate::places::absolute;
use crate::process::Process;
use crate::stop::Run;

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
