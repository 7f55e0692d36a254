//! Words of the grammar: quotes, variables, command output, sums.

use super::parse::{DEPTH, END, Parser, Wrong};
use super::syntax::{Part, Word};

impl Parser {
    /// One word; `None` when none begins here.
    pub(super) fn word(&mut self) -> Result<Option<Word>, Wrong> {
        let mut word = Vec::new();
        while let Some(c) = self.peek() {
            match c {
                ' ' | '\t' | '\r' | '\n' | ';' | '&' | '|' | '<' | '>' | '(' | ')' => break,
                '\'' => {
                    self.at += 1;
                    let text = self.until('\'')?;
                    word.push(Part::Text { text, quoted: true });
                }
                '"' => {
                    self.at += 1;
                    self.double(&mut word)?;
                }
                '\\' => {
                    self.at += 1;
                    match self.peek() {
                        Some('\n') => {}
                        Some(c) => word.push(Part::Text { text: c.into(), quoted: true }),
                        None => word.push(Part::Text { text: "\\".to_owned(), quoted: true }),
                    }
                    self.at += 1;
                }
                '$' | '`' => word.push(self.dollar(false)?),
                c => {
                    self.at += 1;
                    match word.last_mut() {
                        Some(Part::Text { text, quoted: false }) => text.push(c),
                        _ => word.push(Part::Text { text: c.into(), quoted: false }),
                    }
                }
            }
        }
        Ok((!word.is_empty()).then_some(word))
    }

    fn until(&mut self, end: char) -> Result<String, Wrong> {
        let mut text = String::new();
        loop {
            let c = self.peek().ok_or("syntax error: unterminated quoted string")?;
            self.at += 1;
            if c == end {
                return Ok(text);
            }
            text.push(c);
        }
    }

    fn double(&mut self, word: &mut Word) -> Result<(), Wrong> {
        let mut text = String::new();
        let flush = |text: &mut String, word: &mut Word| word.push(Part::Text { text: std::mem::take(text), quoted: true });
        loop {
            match self.peek().ok_or("syntax error: unterminated quoted string")? {
                '"' => {
                    self.at += 1;
                    flush(&mut text, word);
                    return Ok(());
                }
                '\\' => {
                    self.at += 1;
                    match self.peek() {
                        Some('\n') => {}
                        Some(c @ ('"' | '\\' | '$' | '`')) => text.push(c),
                        Some(c) => text.extend(['\\', c]),
                        None => continue,
                    }
                    self.at += 1;
                }
                '$' | '`' => {
                    flush(&mut text, word);
                    word.push(self.dollar(true)?);
                }
                c => {
                    text.push(c);
                    self.at += 1;
                }
            }
        }
    }

    /// What a `$` or a backquote begins.
    fn dollar(&mut self, quoted: bool) -> Result<Part, Wrong> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err("nested too deeply".to_owned());
        }
        let part = self.expansion(quoted);
        self.depth -= 1;
        part
    }

    fn expansion(&mut self, quoted: bool) -> Result<Part, Wrong> {
        if self.take("`") {
            let inner = self.until('`')?;
            let mut parser = Parser { chars: inner.chars().collect(), at: 0, depth: self.depth + 1 };
            return Ok(Part::Output { list: parser.list(&[])?, quoted });
        }
        self.at += 1;
        if self.take("((") {
            return self.sum();
        }
        if self.take("(") {
            let list = self.list(&[])?;
            return if self.take(")") { Ok(Part::Output { list, quoted }) } else { Err(self.unexpected()) };
        }
        if self.take("{") {
            return self.braced(quoted);
        }
        let special = self.peek().filter(|c| "?#@*$!".contains(*c) || c.is_ascii_digit());
        let name = match special {
            Some(c) => {
                self.at += 1;
                c.to_string()
            }
            None => self.name(),
        };
        if name.is_empty() {
            return Ok(Part::Text { text: "$".to_owned(), quoted });
        }
        Ok(Part::Variable { name, default: None, quoted })
    }

    fn braced(&mut self, quoted: bool) -> Result<Part, Wrong> {
        let special = self.peek().filter(|c| "?#@*$".contains(*c) || c.is_ascii_digit());
        self.at += usize::from(special.is_some());
        let name = special.map_or_else(|| self.name(), String::from);
        let colon = self.take(":");
        let default = match self.peek() {
            Some(c @ ('-' | '=' | '+')) => {
                self.at += 1;
                let text = self.until('}')?;
                let mut parser = Parser { chars: text.chars().collect(), at: 0, depth: self.depth + 1 };
                let mut word = Vec::new();
                while parser.peek().is_some() {
                    word.extend(parser.word()?.unwrap_or_default());
                    if let Some(c) = parser.peek() {
                        word.push(Part::Text { text: c.into(), quoted: true });
                        parser.at += 1;
                    }
                }
                Some((c, word))
            }
            Some('}') if !colon => {
                self.at += 1;
                None
            }
            None => return Err(END.to_owned()),
            _ => return Err("syntax error: bad substitution".to_owned()),
        };
        if name.is_empty() {
            return Err("syntax error: bad substitution".to_owned());
        }
        Ok(Part::Variable { name, default, quoted })
    }

    /// An arithmetic expression; variables with a `$` in it are expanded first.
    fn sum(&mut self) -> Result<Part, Wrong> {
        let (mut word, mut depth) = (Vec::new(), 0);
        loop {
            match self.peek().ok_or(END)? {
                ')' if depth == 0 => {
                    return if self.take("))") { Ok(Part::Sum(word)) } else { Err(self.unexpected()) };
                }
                '$' | '`' => word.push(self.dollar(true)?),
                c => {
                    depth += i32::from(c == '(') - i32::from(c == ')');
                    word.push(Part::Text { text: c.into(), quoted: true });
                    self.at += 1;
                }
            }
        }
    }
}
