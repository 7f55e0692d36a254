//! Reading what a Rust test binary prints.

use crate::plan::Counts;

/// What a test prints, in capitals or not, at the start of a line, before it returns without having tested.
const SKIPPED: &str = "skipped:";

/// What one run of a test binary came to; `None` when it did not reach its summary.
pub(crate) fn counts(output: &str) -> Option<Counts> {
    let mut found = None;
    for line in output.lines() {
        let Some(rest) = line.trim().strip_prefix("test result: ") else { continue };
        let counts: &mut Counts = found.get_or_insert_default();
        counts.passed += number(rest, " passed")?;
        counts.failed += number(rest, " failed")?;
        counts.skipped += number(rest, " ignored")?;
    }
    // The test harness takes a test that skipped itself for one that passed.
    let mut counts: Counts = found?;
    let own = u32::try_from(skips(output).count()).unwrap_or(0).min(counts.passed);
    counts.passed -= own;
    counts.skipped += own;
    Some(counts)
}

/// Lines in which tests say that they skipped themselves, and why.
pub(crate) fn skips(output: &str) -> impl Iterator<Item = &str> {
    output.lines().filter(|line| line.get(..SKIPPED.len()).is_some_and(|start| start.eq_ignore_ascii_case(SKIPPED)))
}

fn number(text: &str, unit: &str) -> Option<u32> {
    let (before, _) = text.split_once(unit)?;
    before.rsplit(' ').next()?.parse().ok()
}

/// What to show of a failed run: from the failures on, but not more than `most` lines.
pub(crate) fn failures(output: &str, most: usize) -> String {
    let lines: Vec<&str> = output.lines().collect();
    let from = lines.iter().position(|line| *line == "failures:").unwrap_or(0);
    let shown = &lines[from..];
    if shown.len() <= most {
        return shown.join("\n");
    }
    // The first failure is often the cause, the last lines are the list of names.
    let (head, tail) = (most * 2 / 3, most / 3);
    let left_out = shown.len() - head - tail;
    format!("{}\n... {left_out} lines left out ...\n{}", shown[..head].join("\n"), shown[shown.len() - tail..].join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_that_skip_themselves_are_not_counted_as_passed() {
        let output = "\
running 3 tests
test a ... ok
successes:

---- b stdout ----
SKIPPED: no kubectl

test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s
";
        assert_eq!(counts(output), Some(Counts { passed: 1, failed: 0, skipped: 2 }));
        assert_eq!(skips(output).collect::<Vec<_>>(), ["SKIPPED: no kubectl"]);
    }

    #[test]
    fn a_run_without_a_summary_is_none() {
        assert_eq!(counts("running 3 tests\ntest a ... ok\n"), None);
    }

    #[test]
    fn the_failures_are_shown_within_bounds() {
        let output = format!("test a ... FAILED\n\nfailures:\n{}\n    a\n", "x\n".repeat(100));
        let shown = failures(&output, 30);
        assert!(shown.starts_with("failures:") && shown.ends_with("    a") && shown.contains("left out"));
        assert!(shown.lines().count() <= 31);
        assert!(!shown.contains("FAILED"));
    }
}
