//! Words become arguments: variables, command output, sums, fields and file names.

use futures::{FutureExt, future::BoxFuture};

use super::arithmetic::sum;
use super::run::subshell;
use crate::io::{Io, pipe};
use crate::pattern;
use crate::process::{ARGUMENT, Process};
use crate::stop::{Run, Stop};
use crate::syntax::{Part, Word};

/// More fields than this are refused, and more bytes of them.
const FIELDS: usize = 4_096;
const ARGUMENTS: usize = 2 * ARGUMENT;

/// The arguments that words stand for.
pub(crate) async fn words(process: &mut Process, io: &Io, words: &[Word]) -> Run<Vec<String>> {
    let (mut out, mut bytes) = (Vec::new(), 0);
    for word in words {
        let fields = fields(process, io, word).await?;
        bytes += fields.iter().map(String::len).sum::<usize>();
        if out.len() + fields.len() > FIELDS || bytes > ARGUMENTS {
            return too_long(process, io).await;
        }
        out.extend(fields);
    }
    Ok(out)
}

async fn too_long<T>(process: &Process, io: &Io) -> Run<T> {
    process.complain(io, "sh: argument list too long").await?;
    Err(Stop::Exit(126))
}

/// One word without splitting, as in an assignment.
pub(crate) async fn one(process: &mut Process, io: &Io, word: &Word) -> Run<String> {
    let mut out = String::new();
    for part in word {
        out += &value(process, io, part).await?.0;
        if out.len() > ARGUMENT {
            return too_long(process, io).await;
        }
    }
    Ok(out)
}

/// A word split at the blanks of its unquoted expansions; its `*` and `?` matched with files.
async fn fields(process: &mut Process, io: &Io, word: &Word) -> Run<Vec<String>> {
    let (mut out, mut open, mut globs) = (Vec::new(), None::<String>, false);
    for part in word {
        if matches!(part, Part::Variable { name, quoted: true, default: None } if name == "@") {
            let each = process.arguments.clone();
            for (index, argument) in each.iter().enumerate() {
                if index > 0 {
                    out.extend(open.take());
                }
                open.get_or_insert_default().push_str(argument);
            }
            continue;
        }
        let (text, quoted) = value(process, io, part).await?;
        globs |= !quoted && text.contains(['*', '?']);
        if quoted || matches!(part, Part::Text { .. }) {
            open.get_or_insert_default().push_str(&text);
        } else {
            let mut pieces = text.split([' ', '\t', '\n']);
            open = match (open.take(), pieces.next().unwrap_or_default()) {
                (None, "") => None,
                (before, piece) => Some(before.unwrap_or_default() + piece),
            };
            for piece in pieces {
                out.extend(open.take());
                open = (!piece.is_empty()).then(|| piece.to_owned());
            }
        }
        if out.len() > FIELDS || open.as_ref().is_some_and(|o| o.len() > ARGUMENT) {
            return too_long(process, io).await;
        }
    }
    out.extend(open);
    if globs && let [word] = out.as_slice() {
        let found = pattern::paths(&process.container.places, &process.cwd, word);
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Ok(out)
}

/// What one part stands for, and whether it is kept as it is.
fn value<'a>(process: &'a mut Process, io: &'a Io, part: &'a Part) -> BoxFuture<'a, Run<(String, bool)>> {
    async move {
        match part {
            Part::Text { text, quoted: false } if text.starts_with('~') && (text.len() == 1 || text.starts_with("~/")) => {
                Ok((format!("{}{}", process.variable("HOME"), &text[1..]), false))
            }
            Part::Text { text, quoted } => Ok((text.clone(), *quoted)),
            Part::Sum(word) => {
                let text = one(process, io, word).await?;
                match sum(process, &text) {
                    Ok(sum) => Ok((sum.to_string(), true)),
                    Err(wrong) => {
                        process.complain(io, &format!("sh: {wrong}")).await?;
                        Err(Stop::Exit(2))
                    }
                }
            }
            Part::Variable { name, default, quoted } => {
                let held = process.parameter(name);
                let Some((way, word)) = default else { return Ok((held.unwrap_or_default(), *quoted)) };
                let held = held.filter(|v| !v.is_empty());
                match (way, held) {
                    ('+', Some(_)) | ('-', None) => Ok((one(process, io, word).await?, *quoted)),
                    ('=', None) => {
                        let value = one(process, io, word).await?;
                        process.assign(name, value.clone())?;
                        Ok((value, *quoted))
                    }
                    (_, held) => Ok((if *way == '+' { String::new() } else { held.unwrap_or_default() }, *quoted)),
                }
            }
            Part::Output { list, quoted } => {
                let (stdout, input) = pipe();
                let mut inner = process.fork(io).await?;
                let inside = Io { stdin: io.stdin.clone(), stdout, stderr: io.stderr.clone() };
                let running = async {
                    let status = subshell(&mut inner, &inside, list).await;
                    drop(inside);
                    status
                };
                let reading = async {
                    let mut text = Vec::new();
                    while let Some(chunk) = input.chunk().await {
                        if text.len() < ARGUMENT {
                            text.extend_from_slice(&chunk);
                        }
                    }
                    text
                };
                let (status, text) = futures::join!(running, reading);
                process.status = status?;
                let text = String::from_utf8_lossy(&text);
                Ok((text.trim_end_matches('\n').to_owned(), *quoted))
            }
        }
    }
    .boxed()
}
