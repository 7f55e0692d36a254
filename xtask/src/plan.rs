//! Stages of a task: what will be done, what was, and the totals.
//!
//! A failed stage does not end the task: the others still run, and the totals say it. Only an
//! interrupt does.

use crate::job::Interrupt;
use anyhow::Result;
use std::{
    fmt,
    ops::AddAssign,
    time::{Duration, Instant},
};

/// How many tests or checks ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u32,
    pub(crate) failed: u32,
    pub(crate) skipped: u32,
}

impl Counts {
    pub(crate) const ONE_PASSED: Self = Self { passed: 1, failed: 0, skipped: 0 };
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { passed, failed, skipped } = self;
        write!(f, "{passed} passed, {failed} failed")?;
        if *skipped > 0 { write!(f, ", {skipped} skipped") } else { Ok(()) }
    }
}

/// What a stage came to.
pub(crate) enum Outcome {
    Ran(Counts),
    /// It was made ready for; nothing was tested.
    Ready,
    /// This machine cannot hold it, and why.
    Missing(String),
}

pub(crate) struct Plan {
    interrupt: Interrupt,
    /// What is missing fails the task.
    strict: bool,
    stages: usize,
    done: usize,
    totals: Counts,
    started: Instant,
}

impl Plan {
    /// Prints the numbered plan.
    pub(crate) fn announce(interrupt: Interrupt, strict: bool, titles: &[&str]) -> Self {
        for (number, title) in titles.iter().enumerate() {
            println!("{:>3}  {title}", number + 1);
        }
        println!();
        Self { interrupt, strict, stages: titles.len(), done: 0, totals: Counts::default(), started: Instant::now() }
    }

    /// Runs the next stage and prints its line; whether all of it went well.
    pub(crate) fn stage(&mut self, title: &str, run: impl FnOnce(&Interrupt) -> Result<Outcome>) -> Result<bool> {
        self.value(title, |interrupt| Ok((run(interrupt)?, ()))).map(|value| value.is_some())
    }

    /// A stage that makes something which later ones need: `None` when it failed or is missing.
    pub(crate) fn value<T>(&mut self, title: &str, run: impl FnOnce(&Interrupt) -> Result<(Outcome, T)>) -> Result<Option<T>> {
        self.interrupt.check()?;
        self.done += 1;
        let head = format!("[{}/{}] {title}", self.done, self.stages);
        println!("{head} ...");
        let started = Instant::now();
        let result = run(&self.interrupt);
        self.interrupt.check()?;
        let (counts, words, value) = self.judge(result);
        self.totals += counts;
        println!("{head}: {words} ({})\n", seconds(started.elapsed()));
        Ok(value.filter(|_| counts.failed == 0))
    }

    fn judge<T>(&self, result: Result<(Outcome, T)>) -> (Counts, String, Option<T>) {
        let one_failed = Counts { failed: 1, ..Counts::default() };
        match result {
            Ok((Outcome::Ran(counts), value)) => (counts, counts.to_string(), Some(value)),
            Ok((Outcome::Ready, value)) => (Counts::default(), "ready".to_owned(), Some(value)),
            Ok((Outcome::Missing(why), _)) if self.strict => (one_failed, format!("FAILED, and CI may not skip it: {why}"), None),
            Ok((Outcome::Missing(why), _)) => (Counts { skipped: 1, ..Counts::default() }, format!("SKIPPED: {why}"), None),
            Err(error) => (one_failed, format!("FAILED\n{error:#}"), None),
        }
    }

    /// A stage that cannot run because one before it failed.
    pub(crate) fn give_up(&mut self, title: &str, why: &str) {
        self.done += 1;
        self.totals.skipped += 1;
        println!("[{}/{}] {title}: SKIPPED: {why}\n", self.done, self.stages);
    }

    /// Prints the closing line, the last one; whether nothing failed.
    pub(crate) fn close(self) -> bool {
        println!("{} in all", seconds(self.started.elapsed()));
        println!("{}", self.totals);
        self.totals.failed == 0
    }
}

fn seconds(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 60.0 { format!("{seconds:.1} s") } else { format!("{} min {:.0} s", seconds as u64 / 60, seconds % 60.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(strict: bool) -> Plan {
        Plan::announce(Interrupt::default(), strict, &["one", "two", "three"])
    }

    #[test]
    fn totals_are_over_all_stages_and_a_failure_does_not_end_them() {
        let mut plan = plan(false);
        let counts = Counts { passed: 3, failed: 0, skipped: 1 };
        assert!(plan.stage("one", |_| Ok(Outcome::Ran(counts))).unwrap());
        assert!(!plan.stage("two", |_| anyhow::bail!("broken")).unwrap());
        plan.stage("three", |_| Ok(Outcome::Missing("no such thing".into()))).unwrap();
        assert_eq!(plan.totals.to_string(), "3 passed, 1 failed, 2 skipped");
        assert!(!plan.close());
    }

    #[test]
    fn ci_skips_nothing() {
        let mut plan = plan(true);
        assert!(!plan.stage("one", |_| Ok(Outcome::Missing("no such thing".into()))).unwrap());
        assert_eq!(plan.totals.failed, 1);
    }

    #[test]
    fn nothing_skipped_is_not_mentioned() {
        assert_eq!(Counts { passed: 2, failed: 0, skipped: 0 }.to_string(), "2 passed, 0 failed");
    }
}
