//! docs/benchmarks.md: one section a benchmark, the last run of each.

use crate::checkout;
use anyhow::{Context, Result};
use std::{fmt, fs};

const FILE: &str = "docs/benchmarks.md";

const HEAD: &str = "# Benchmarks

Written by `cargo xtask bench api|scale|sandbox|siege`: the last run of each. A figure below its
target stays here as an open item until it is met. Measured on loopback, with the load generator and the
peer on the same machine.
";

/// A figure beside its target.
#[derive(Clone, Copy)]
pub(super) enum Target {
    AtLeast(f64),
    AtMost(f64),
    /// Measured to be known.
    None,
}

pub(super) struct Row {
    pub(super) what: String,
    /// What it is compared with.
    pub(super) peer: String,
    pub(super) ours: String,
    /// What the target speaks of.
    pub(super) figure: f64,
    pub(super) unit: &'static str,
    pub(super) target: Target,
}

pub(super) struct Section {
    pub(super) title: &'static str,
    pub(super) machine: String,
    /// At the start.
    pub(super) load: f64,
    pub(super) rows: Vec<Row>,
    /// How it was measured.
    pub(super) notes: Vec<String>,
}

impl Row {
    /// A figure that is compared with nothing but its target.
    pub(super) fn alone(what: impl Into<String>, figure: f64, unit: &'static str, target: Target) -> Self {
        Self { what: what.into(), peer: "–".to_owned(), ours: format!("{figure:.1}"), figure, unit, target }
    }

    /// What is behind the figure.
    pub(super) fn said(mut self, ours: impl Into<String>) -> Self {
        self.ours = ours.into();
        self
    }

    fn met(&self) -> Option<bool> {
        match self.target {
            Target::AtLeast(least) => Some(self.figure >= least),
            Target::AtMost(most) => Some(self.figure <= most),
            Target::None => None,
        }
    }

    fn wanted(&self) -> String {
        match self.target {
            Target::AtLeast(least) => format!("at least {least} {}", self.unit).trim_end().to_owned(),
            Target::AtMost(most) => format!("at most {most} {}", self.unit).trim_end().to_owned(),
            Target::None => "–".to_owned(),
        }
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "## {}\n", self.title)?;
        writeln!(
            f,
            "{}; load average {:.2} when it began{}.\n",
            self.machine,
            self.load,
            if self.load > 1.0 { " (**busy**: measure again)" } else { "" }
        )?;
        writeln!(f, "| | peer | ours | figure | target | |\n|---|---|---|---|---|---|")?;
        for row in &self.rows {
            let verdict = match row.met() {
                Some(true) => "met",
                Some(false) => "**open**",
                None => "",
            };
            let Row { what, peer, ours, figure, unit, .. } = row;
            let figure = format!("{figure:.2} {unit}");
            writeln!(f, "| {what} | {peer} | {ours} | {} | {} | {verdict} |", figure.trim_end(), row.wanted())?;
        }
        writeln!(f)?;
        self.notes.iter().try_for_each(|note| writeln!(f, "- {note}"))
    }
}

/// Puts the section into the file in place of its former self.
pub(super) fn keep(section: &Section) -> Result<()> {
    let path = checkout::root().join(FILE);
    let text = fs::read_to_string(&path).unwrap_or_else(|_| HEAD.to_owned());
    fs::write(&path, replaced(&text, section)).with_context(|| format!("write {}", path.display()))?;
    println!("{FILE}");
    Ok(())
}

fn replaced(text: &str, section: &Section) -> String {
    let mut parts = text.split("\n## ");
    let head = parts.next().unwrap_or_default().trim_end().to_owned();
    let same = |part: &&str| part.lines().next() == Some(section.title);
    let others = parts.filter(|part| !same(part)).map(|part| format!("## {}", part.trim_end()));
    let mut sections: Vec<String> = others.chain([section.to_string().trim_end().to_owned()]).collect();
    sections.sort();
    format!("{head}\n\n{}\n", sections.join("\n\n"))
}

/// The value that so many hundredths are not above.
pub(super) fn percentile(mut values: Vec<f64>, hundredths: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    let rank = (values.len() * hundredths).div_ceil(100);
    values.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

/// The middle value; of an even number the upper one.
pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(title: &'static str, figure: f64) -> Section {
        let row = Row { what: "x".into(), peer: "1".into(), ours: "2".into(), figure, unit: "x", target: Target::AtLeast(1.5) };
        Section { title, machine: "here".into(), load: 0.1, rows: vec![row], notes: vec!["how".into()] }
    }

    #[test]
    fn a_section_takes_the_place_of_its_former_self() {
        let text = replaced(HEAD, &section("B", 2.0));
        let text = replaced(&text, &section("A", 2.0));
        let text = replaced(&text, &section("B", 1.0));
        assert!(text.starts_with("# Benchmarks\n"));
        assert_eq!(text.matches("## B").count(), 1);
        assert!(text.find("## A") < text.find("## B"));
        assert_eq!(text.matches("**open**").count(), 1);
        assert_eq!(text.matches("| met |").count(), 1);
        assert_eq!(replaced(&text, &section("B", 1.0)), text);
    }

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!((percentile(hundred.clone(), 99), percentile(hundred, 50)), (99.0, 50.0));
        assert_eq!(percentile(vec![1.0, 2.0, 3.0], 99), 3.0);
        assert!(percentile(Vec::new(), 99).is_nan());
    }

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 3.0);
        assert!(median(Vec::new()).is_nan());
    }
}
