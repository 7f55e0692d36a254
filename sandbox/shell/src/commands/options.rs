//! The options of commands: letters.

use crate::io::Io;
use crate::process::Process;
use crate::stop::Run;

/// Options and operands: letters after `-`, until `--` or the first other word.
pub(crate) fn options(args: &[String]) -> (String, &[String]) {
    let mut letters = String::new();
    for (index, arg) in args.iter().enumerate() {
        match arg.strip_prefix('-') {
            Some("-") => return (letters, &args[index + 1..]),
            Some(flags) if !flags.is_empty() => letters += flags,
            _ => return (letters, &args[index..]),
        }
    }
    (letters, &[])
}

/// Says that an option is not known; the status is 1.
pub(crate) async fn unknown(process: &Process, io: &Io, name: &str, letters: &str, known: &str) -> Run<bool> {
    let Some(letter) = letters.chars().find(|c| !known.contains(*c)) else { return Ok(false) };
    process.complain(io, &format!("{name}: unrecognized option: {letter}")).await?;
    Ok(true)
}
