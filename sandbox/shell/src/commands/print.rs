//! Commands that print what they are told.

use bytes::BytesMut;

use crate::io::Io;
use crate::process::{ARGUMENT, Process};
use crate::stop::Run;

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

pub(super) fn escaped(text: &str) -> String {
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
