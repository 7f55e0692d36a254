//! The shell's grammar: lists, pipelines, groups, loops, conditions, and, in [`super::words`], words.

use super::syntax::{Command, Join, List, Pipeline, Redirect, Stage, To, Word};

/// Longer scripts are refused.
const LENGTH: usize = 64 << 10;
/// Deeper nesting is refused.
pub(super) const DEPTH: usize = 40;
/// Longer pipelines are refused: all of their commands run at once.
const STAGES: usize = 64;

/// A script that can't be understood, as the shell says it.
pub(crate) type Wrong = String;

pub(crate) fn parse(script: &str) -> Result<List, Wrong> {
    if script.len() > LENGTH {
        return Err("script too long".to_owned());
    }
    let mut parser = Parser { chars: script.chars().collect(), at: 0, depth: 0 };
    let list = parser.list(&[])?;
    if parser.peek().is_none() { Ok(list) } else { Err(parser.unexpected()) }
}

/// Whether more lines could make this script whole.
pub(crate) fn is_open(wrong: &Wrong) -> bool {
    wrong.ends_with("end of file") || wrong.contains("unterminated")
}

pub(super) const END: &str = "syntax error: unexpected end of file";
const RESERVED: &[&str] = &["then", "elif", "else", "fi", "do", "done", "}"];

pub(super) struct Parser {
    pub(super) chars: Vec<char>,
    pub(super) at: usize,
    pub(super) depth: usize,
}

impl Parser {
    pub(super) fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    /// Says what stands here, and should not.
    pub(super) fn unexpected(&self) -> Wrong {
        let rest = &self.chars[self.at.min(self.chars.len())..];
        match rest.first() {
            None => END.to_owned(),
            Some('\n') => "syntax error: unexpected newline".to_owned(),
            Some(_) => {
                let ends = |c: &char| " \t\r\n;&|<>()".contains(*c);
                let length = rest.iter().position(ends).unwrap_or(rest.len()).clamp(1, 40);
                format!("syntax error: unexpected \"{}\"", rest[..length].iter().collect::<String>())
            }
        }
    }

    fn starts(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(i, c)| self.chars.get(self.at + i) == Some(&c))
    }

    pub(super) fn take(&mut self, text: &str) -> bool {
        let found = self.starts(text);
        if found {
            self.at += text.chars().count();
        }
        found
    }

    fn blanks(&mut self) {
        loop {
            if self.take("\\\n") {
                continue;
            }
            match self.peek() {
                Some(' ' | '\t' | '\r') => self.at += 1,
                Some('#') => {
                    while self.peek().is_some_and(|c| c != '\n') {
                        self.at += 1;
                    }
                }
                _ => return,
            }
        }
    }

    fn lines(&mut self) {
        self.blanks();
        while self.take("\n") {
            self.blanks();
        }
    }

    /// An unquoted word of letters that is a whole word here.
    fn keyword(&self) -> &'static str {
        const WORDS: &[&str] = &["if", "then", "elif", "else", "fi", "while", "until", "for", "in", "do", "done", "{", "}", "!", "case", "function"];
        let ends = |word: &&&str| self.chars.get(self.at + word.len()).is_none_or(|c| " \t\r\n;&|<>()".contains(*c));
        WORDS.iter().filter(|w| self.starts(w)).find(ends).copied().unwrap_or_default()
    }

    fn expect(&mut self, word: &str) -> Result<(), Wrong> {
        self.lines();
        if self.keyword() == word {
            self.at += word.len();
            return Ok(());
        }
        Err(if self.peek().is_none() { END.to_owned() } else { format!("{} (expecting \"{word}\")", self.unexpected()) })
    }

    pub(super) fn list(&mut self, until: &[&str]) -> Result<List, Wrong> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err("nested too deeply".to_owned());
        }
        let (mut list, mut join) = (Vec::new(), Join::Always);
        loop {
            self.lines();
            let ends = self.peek().is_none_or(|c| c == ')') || RESERVED.contains(&self.keyword());
            if ends && join == Join::Always {
                break;
            }
            if ends {
                return Err(self.unexpected());
            }
            list.push((join, self.pipeline()?));
            self.blanks();
            join = if self.take("&&") {
                Join::And
            } else if self.take("||") {
                Join::Or
            } else if self.starts("&") {
                return Err("background jobs are not simulated by the sandbox".to_owned());
            } else if self.take(";") || self.take("\n") {
                Join::Always
            } else {
                break;
            };
        }
        self.depth -= 1;
        if list.is_empty() && !until.is_empty() {
            return Err(self.unexpected());
        }
        Ok(list)
    }

    fn pipeline(&mut self) -> Result<Pipeline, Wrong> {
        let mut negate = false;
        while self.keyword() == "!" {
            self.at += 1;
            self.blanks();
            negate = !negate;
        }
        let mut stages = vec![self.stage()?];
        loop {
            self.blanks();
            if self.starts("||") || !self.take("|") {
                return Ok(Pipeline { negate, stages });
            }
            if stages.len() >= STAGES {
                return Err("too many commands in a pipeline".to_owned());
            }
            self.lines();
            stages.push(self.stage()?);
        }
    }

    fn stage(&mut self) -> Result<Stage, Wrong> {
        let command = match self.keyword() {
            "{" => {
                self.at += 1;
                let list = self.list(&["}"])?;
                self.expect("}")?;
                Command::Group(list)
            }
            word @ ("while" | "until") => {
                let until = word == "until";
                self.at += 5;
                let test = self.list(&["do"])?;
                Command::While { until, test, body: self.body()? }
            }
            "for" => self.each()?,
            "if" => self.condition()?,
            word @ ("case" | "function") => return Err(format!("{word} is not simulated by the sandbox")),
            _ if self.take("(") => {
                let list = self.list(&[")"])?;
                if !self.take(")") {
                    return Err(self.unexpected());
                }
                Command::Subshell(list)
            }
            _ => return self.simple(),
        };
        let mut redirects = Vec::new();
        while let Some(redirect) = self.redirect()? {
            redirects.push(redirect);
        }
        Ok(Stage { command, redirects })
    }

    fn body(&mut self) -> Result<List, Wrong> {
        self.expect("do")?;
        let body = self.list(&["done"])?;
        self.expect("done")?;
        Ok(body)
    }

    fn each(&mut self) -> Result<Command, Wrong> {
        self.at += 3;
        self.blanks();
        let name = self.name();
        if name.is_empty() {
            return Err("syntax error: bad for loop variable".to_owned());
        }
        self.expect("in")?;
        let mut words = Vec::new();
        loop {
            self.blanks();
            match self.word()? {
                Some(word) => words.push(word),
                None => break,
            }
        }
        self.take(";");
        Ok(Command::For { name, words, body: self.body()? })
    }

    fn condition(&mut self) -> Result<Command, Wrong> {
        let (mut arms, mut otherwise) = (Vec::new(), Vec::new());
        self.at += 2;
        loop {
            let test = self.list(&["then"])?;
            self.expect("then")?;
            arms.push((test, self.list(&["fi"])?));
            self.lines();
            match self.keyword() {
                "elif" => self.at += 4,
                "else" => {
                    self.at += 4;
                    otherwise = self.list(&["fi"])?;
                    break;
                }
                _ => break,
            }
        }
        self.expect("fi")?;
        Ok(Command::If { arms, otherwise })
    }

    fn simple(&mut self) -> Result<Stage, Wrong> {
        let (mut assigns, mut words, mut redirects) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            self.blanks();
            if let Some(redirect) = self.redirect()? {
                redirects.push(redirect);
                continue;
            }
            let start = self.at;
            let name = self.name();
            if words.is_empty() && !name.is_empty() && self.take("=") {
                assigns.push((name, self.word()?.unwrap_or_default()));
                continue;
            }
            self.at = start;
            match self.word()? {
                Some(word) => words.push(word),
                None => break,
            }
        }
        if self.starts("(") || (assigns.is_empty() && words.is_empty() && redirects.is_empty()) {
            return Err(self.unexpected());
        }
        Ok(Stage { command: Command::Simple { assigns, words }, redirects })
    }

    fn redirect(&mut self) -> Result<Option<Redirect>, Wrong> {
        self.blanks();
        let digit = self.peek().filter(|c| ('0'..='2').contains(c) && matches!(self.chars.get(self.at + 1), Some('<' | '>')));
        self.at += usize::from(digit.is_some());
        let digit = digit.map(|c| c as u8 - b'0');
        if self.starts("<<") {
            return Err("here-documents are not simulated by the sandbox".to_owned());
        }
        let (from, to): (u8, fn(Word) -> To) = match () {
            () if self.take(">>") => (digit.unwrap_or(1), To::Append),
            () if self.take(">") => (digit.unwrap_or(1), To::Write),
            () if self.take("<") => (digit.unwrap_or(0), To::Read),
            () => return Ok(None),
        };
        if self.take("&") {
            let stream = self.peek().filter(|c| ('0'..='2').contains(c)).ok_or("syntax error: bad fd number")?;
            self.at += 1;
            return Ok(Some(Redirect { from, to: To::Stream(stream as u8 - b'0') }));
        }
        self.blanks();
        match self.word()? {
            Some(word) => Ok(Some(Redirect { from, to: to(word) })),
            None => Err(self.unexpected()),
        }
    }

    pub(super) fn name(&mut self) -> String {
        let mut name = String::new();
        while let Some(c) = self.peek().filter(|c| c.is_ascii_alphabetic() || *c == '_' || (c.is_ascii_digit() && !name.is_empty())) {
            name.push(c);
            self.at += 1;
        }
        name
    }
}
