//! `$(( ... ))`: whole numbers, variables, the usual operators, assignment.

use crate::process::Process;

/// Deeper nesting is refused.
const DEPTH: usize = 40;
const WRONG: &str = "arithmetic syntax error";
/// Operators by rank, loosest first.
const RANKS: &[&[&str]] = &[&["||"], &["&&"], &["==", "!="], &["<=", ">=", "<", ">"], &["+", "-"], &["*", "/", "%"]];

struct Sum<'p> {
    process: &'p mut Process,
    text: &'p str,
    depth: usize,
}

/// The value of an expression, or what is wrong with it.
pub(super) fn sum(process: &mut Process, text: &str) -> Result<i64, String> {
    let mut sum = Sum { process, text, depth: 0 };
    let value = sum.assignment()?;
    match sum.text.trim() {
        "" => Ok(value),
        _ => Err(WRONG.to_owned()),
    }
}

impl Sum<'_> {
    fn take(&mut self, operator: &str) -> bool {
        let rest = self.text.trim_start();
        match rest.strip_prefix(operator) {
            Some(rest) => {
                self.text = rest;
                true
            }
            None => false,
        }
    }

    fn name(&mut self) -> Option<String> {
        let rest = self.text.trim_start();
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        if end == 0 || rest.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        self.text = &rest[end..];
        Some(rest[..end].to_owned())
    }

    fn assignment(&mut self) -> Result<i64, String> {
        let before = self.text;
        if let Some(name) = self.name() {
            if !self.text.trim_start().starts_with("==") && self.take("=") {
                let value = self.ranked(0)?;
                self.assign(&name, value)?;
                return Ok(value);
            }
            for operator in ["+", "-", "*"] {
                if self.take(&format!("{operator}=")) {
                    let value = apply(operator, self.held(&name), self.ranked(0)?)?;
                    self.assign(&name, value)?;
                    return Ok(value);
                }
            }
        }
        self.text = before;
        self.ranked(0)
    }

    fn assign(&mut self, name: &str, value: i64) -> Result<(), String> {
        self.process.assign(name, value.to_string()).map_err(|_| "out of memory".to_owned())
    }

    fn held(&self, name: &str) -> i64 {
        self.process.variable(name).trim().parse().unwrap_or(0)
    }

    fn ranked(&mut self, rank: usize) -> Result<i64, String> {
        let Some(operators) = RANKS.get(rank) else { return self.single() };
        let mut left = self.ranked(rank + 1)?;
        while let Some(operator) = operators.iter().find(|o| self.take(o)) {
            let right = self.ranked(rank + 1)?;
            left = apply(operator, left, right)?;
        }
        Ok(left)
    }

    fn single(&mut self) -> Result<i64, String> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err("nested too deeply".to_owned());
        }
        let value = self.operand();
        self.depth -= 1;
        value
    }

    fn operand(&mut self) -> Result<i64, String> {
        for sign in ["++", "--"] {
            if self.take(sign) {
                let name = self.name().ok_or(WRONG)?;
                let value = self.held(&name).wrapping_add(if sign == "++" { 1 } else { -1 });
                self.assign(&name, value)?;
                return Ok(value);
            }
        }
        if self.take("-") {
            return Ok(self.single()?.wrapping_neg());
        }
        if self.take("!") {
            return Ok(i64::from(self.single()? == 0));
        }
        if self.take("(") {
            let value = self.assignment()?;
            return if self.take(")") { Ok(value) } else { Err(WRONG.to_owned()) };
        }
        if let Some(name) = self.name() {
            let value = self.held(&name);
            for (sign, step) in [("++", 1), ("--", -1)] {
                if self.take(sign) {
                    self.assign(&name, value.wrapping_add(step))?;
                }
            }
            return Ok(value);
        }
        let rest = self.text.trim_start();
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        self.text = &rest[end..];
        rest[..end].parse().map_err(|_| WRONG.to_owned())
    }
}

fn apply(operator: &str, a: i64, b: i64) -> Result<i64, String> {
    Ok(match operator {
        "||" => i64::from(a != 0 || b != 0),
        "&&" => i64::from(a != 0 && b != 0),
        "==" => i64::from(a == b),
        "!=" => i64::from(a != b),
        "<=" => i64::from(a <= b),
        ">=" => i64::from(a >= b),
        "<" => i64::from(a < b),
        ">" => i64::from(a > b),
        "+" => a.wrapping_add(b),
        "-" => a.wrapping_sub(b),
        "*" => a.wrapping_mul(b),
        _ if b == 0 => return Err("divide by zero".to_owned()),
        "/" => a.wrapping_div(b),
        _ => a.wrapping_rem(b),
    })
}
