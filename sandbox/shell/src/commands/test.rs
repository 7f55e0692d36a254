//! `test` and `[`.

use crate::io::Io;
use crate::places::absolute;
use crate::process::Process;
use crate::stop::Run;

pub(super) async fn test(process: &mut Process, io: &Io, name: &str, args: &[String]) -> Run<i32> {
    let mut words: Vec<&str> = args.iter().map(String::as_str).collect();
    if name == "[" && words.pop() != Some("]") {
        process.complain(io, "sh: [: missing ]").await?;
        return Ok(2);
    }
    match any(process, &words) {
        Ok(holds) => Ok(i32::from(!holds)),
        Err(wrong) => {
            process.complain(io, &format!("sh: {wrong}")).await?;
            Ok(2)
        }
    }
}

fn any(process: &Process, words: &[&str]) -> Result<bool, String> {
    for part in words.split(|w| *w == "-o") {
        let mut all = true;
        for part in part.split(|w| *w == "-a") {
            all &= one(process, part)?;
        }
        if all {
            return Ok(true);
        }
    }
    Ok(false)
}

fn one(process: &Process, words: &[&str]) -> Result<bool, String> {
    let number = |text: &str| text.trim().parse::<i64>().map_err(|_| format!("{text}: bad number"));
    match words {
        [] | [""] => Ok(false),
        [_] => Ok(true),
        ["!", rest @ ..] => one(process, rest).map(|holds| !holds),
        ["-z", text] => Ok(text.is_empty()),
        ["-n", text] => Ok(!text.is_empty()),
        ["-t", _] => Ok(process.tty.is_some()),
        [flag @ ("-e" | "-f" | "-d" | "-s" | "-r" | "-w" | "-x" | "-L" | "-h"), path] => {
            let path = absolute(&process.cwd, path);
            let Ok(node) = process.container.places.stat(&path) else {
                // No image has anything in there.
                if !path.starts_with("/tmp/") {
                    process.clock.lack();
                }
                return Ok(false);
            };
            Ok(match *flag {
                "-f" => !node.is_dir(),
                "-d" => node.is_dir(),
                "-s" => node.size() > 0,
                "-x" => node.is_dir() || node.mode & 0o111 != 0,
                "-L" | "-h" => false,
                _ => true,
            })
        }
        [a, "=" | "==", b] => Ok(a == b),
        [a, "!=", b] => Ok(a != b),
        [a, operator @ ("-eq" | "-ne" | "-lt" | "-le" | "-gt" | "-ge"), b] => {
            let (a, b) = (number(a)?, number(b)?);
            Ok(match *operator {
                "-eq" => a == b,
                "-ne" => a != b,
                "-lt" => a < b,
                "-le" => a <= b,
                "-gt" => a > b,
                _ => a >= b,
            })
        }
        [word, ..] => Err(format!("{word}: unknown operand")),
    }
}
