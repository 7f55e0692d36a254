//! Label selectors: `a=b,c!=d,e in (f,g),!h,i>1`. The grammar and the words of its errors are the real server's.

use crate::machinery::notation::name::{LABEL_VALUE, QUALIFIED, is_label_value, is_qualified};

/// What a label must be.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Test {
    In(Vec<String>),
    NotIn(Vec<String>),
    Exists,
    Absent,
    Greater(i64),
    Less(i64),
}

impl Test {
    pub(super) fn holds(&self, label: Option<&str>) -> bool {
        match self {
            Test::In(values) => label.is_some_and(|l| values.iter().any(|v| v == l)),
            Test::NotIn(values) => label.is_none_or(|l| values.iter().all(|v| v != l)),
            Test::Exists => label.is_some(),
            Test::Absent => label.is_none(),
            Test::Greater(n) => label.and_then(|l| l.parse::<i64>().ok()).is_some_and(|l| l > *n),
            Test::Less(n) => label.and_then(|l| l.parse::<i64>().ok()).is_some_and(|l| l < *n),
        }
    }
}

/// Either a symbol or a word; `in` and `notin` are words, told apart by where they stand.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Token<'t>(&'t str);

const SYMBOLS: &str = "=!(),><";
const END: Token<'static> = Token("");

impl Token<'_> {
    fn is_word(self) -> bool {
        !self.0.is_empty() && !self.0.starts_with(|c| SYMBOLS.contains(c))
    }
}

fn tokens(mut text: &str) -> Vec<Token<'_>> {
    let mut out = Vec::new();
    loop {
        text = text.trim_start();
        let two = ["==", "!="].iter().any(|s| text.starts_with(s));
        let length = match text.chars().next() {
            None => return out,
            Some(_) if two => 2,
            Some(c) if SYMBOLS.contains(c) => 1,
            Some(_) => text.find(|c: char| SYMBOLS.contains(c) || c.is_whitespace()).unwrap_or(text.len()),
        };
        let (token, rest) = text.split_at(length);
        out.push(Token(token));
        text = rest;
    }
}

struct Parser<'t> {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token<'t>>>,
}

type Parsed<T> = Result<T, String>;

/// The requirements of a selector; the error is the message of a 400.
pub(super) fn parse(text: &str) -> Parsed<Vec<(String, Test)>> {
    let mut parser = Parser { tokens: tokens(text).into_iter().peekable() };
    let mut out = Vec::new();
    loop {
        match parser.peek() {
            END => return Ok(out),
            t if t.is_word() || t.0 == "!" => {
                out.push(parser.requirement().map_err(|why| format!("unable to parse requirement: {why}"))?);
            }
            other => return Err(format!("found '{}', expected: !, identifier, or 'end of string'", other.0)),
        }
        match parser.next() {
            END => return Ok(out),
            Token(",") => {
                let after = parser.peek();
                if !after.is_word() && after.0 != "!" {
                    return Err(format!("found '{}', expected: identifier after ','", after.0));
                }
            }
            other => return Err(format!("found '{}', expected: ',' or 'end of string'", other.0)),
        }
    }
}

impl<'t> Parser<'t> {
    fn peek(&mut self) -> Token<'t> {
        self.tokens.peek().copied().unwrap_or(END)
    }

    fn next(&mut self) -> Token<'t> {
        self.tokens.next().unwrap_or(END)
    }

    fn requirement(&mut self) -> Parsed<(String, Test)> {
        let absent = self.peek().0 == "!";
        if absent {
            self.next();
        }
        let key = self.next();
        if !key.is_word() {
            return Err(format!("found '{}', expected: identifier", key.0));
        }
        if !is_qualified(key.0) {
            return Err(format!("<nil>: Invalid value: {:?}: {QUALIFIED}", key.0));
        }
        let key = key.0.to_owned();
        if absent {
            return Ok((key, Test::Absent));
        }
        let test = match self.peek().0 {
            "" | "," => return Ok((key, Test::Exists)),
            "=" | "==" => Test::In(self.value(&key)?),
            "!=" => Test::NotIn(self.value(&key)?),
            ">" | "gt" => Test::Greater(self.number()?),
            "<" | "lt" => Test::Less(self.number()?),
            "in" => Test::In(self.values(&key)?),
            "notin" => Test::NotIn(self.values(&key)?),
            other => return Err(format!("found '{other}', expected: in, notin, =, ==, !=, gt, lt")),
        };
        Ok((key, test))
    }

    /// One value after an operator; none is the empty one.
    fn value(&mut self, key: &str) -> Parsed<Vec<String>> {
        self.next();
        match self.peek() {
            END | Token(",") => Ok(vec![String::new()]),
            word if word.is_word() => {
                self.next();
                checked(key, vec![word.0.to_owned()])
            }
            other => Err(format!("found '{}', expected: identifier", other.0)),
        }
    }

    fn number(&mut self) -> Parsed<i64> {
        self.next();
        let word = self.next();
        if !word.is_word() {
            return Err(format!("found '{}', expected: identifier", word.0));
        }
        let why = "for 'Gt', 'Lt' operators, the value must be an integer";
        word.0.parse().map_err(|_| format!("values[0]: Invalid value: {:?}: {why}", word.0))
    }

    /// `(a, b)` after an operator; what is missing between commas is the empty value.
    fn values(&mut self, key: &str) -> Parsed<Vec<String>> {
        self.next();
        match self.next() {
            Token("(") => {}
            other => return Err(format!("found '{}' expected: '('", other.0)),
        }
        let (mut values, mut open) = (Vec::new(), true);
        loop {
            match self.next() {
                Token(")") => {
                    if open {
                        values.push(String::new());
                    }
                    return checked(key, values);
                }
                Token(",") => {
                    if open {
                        values.push(String::new());
                    }
                    open = true;
                }
                word if word.is_word() && open => {
                    values.push(word.0.to_owned());
                    open = false;
                }
                other if open => return Err(format!("found '{}', expected: ',', ')' or identifier", other.0)),
                other => return Err(format!("found '{}', expected: ',' or ')'", other.0)),
            }
        }
    }
}

fn checked(key: &str, values: Vec<String>) -> Parsed<Vec<String>> {
    match values.iter().enumerate().find(|(_, v)| !is_label_value(v)) {
        Some((index, wrong)) => Err(format!("values[{index}][{key}]: Invalid value: {wrong:?}: {LABEL_VALUE}")),
        None => Ok(values),
    }
}
