//! Reads JSON once for what the parser in use does not tell: syntax errors in the words of Go's parser, and keys that an
//! object repeats.

/// The paths of all keys in their order, each with whether it repeats one; or why the text is no JSON.
pub(crate) fn scan(text: &[u8]) -> Result<Vec<(String, bool)>, String> {
    let mut scanner = Scanner { text, at: 0, keys: Vec::new() };
    scanner.value("", 0)?;
    scanner.blanks();
    match scanner.peek() {
        None => Ok(scanner.keys),
        Some(_) => Err(scanner.wrong("after top-level value")),
    }
}

/// Go's limit.
const DEPTH: usize = 10_000;

struct Scanner<'t> {
    text: &'t [u8],
    at: usize,
    keys: Vec<(String, bool)>,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// The byte here is not what can stand here.
    fn wrong(&self, context: &str) -> String {
        match self.peek() {
            None => "unexpected end of JSON input".to_owned(),
            Some(b'\'') => format!(r"invalid character '\'' {context}"),
            Some(byte @ (b' '..=b'~')) => format!("invalid character '{}' {context}", char::from(byte)),
            Some(byte @ (b'\n' | b'\r' | b'\t')) => format!("invalid character '{}' {context}", char::from(byte).escape_default()),
            Some(byte @ (..b' ' | 0x7f)) => format!(r"invalid character '\x{byte:02x}' {context}"),
            Some(byte) => format!("invalid character '{}' {context}", char::from(byte).escape_default()),
        }
    }

    fn value(&mut self, path: &str, depth: usize) -> Result<(), String> {
        self.blanks();
        if depth > DEPTH {
            return Err("exceeded max depth".to_owned());
        }
        match self.peek() {
            Some(b'{') => self.object(path, depth),
            Some(b'[') => self.array(path, depth),
            Some(b'"') => self.string().map(drop),
            Some(b't') => self.literal("true"),
            Some(b'f') => self.literal("false"),
            Some(b'n') => self.literal("null"),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(self.wrong("looking for beginning of value")),
        }
    }

    fn object(&mut self, path: &str, depth: usize) -> Result<(), String> {
        self.at += 1;
        let mut keys: Vec<String> = Vec::new();
        self.blanks();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.blanks();
            if self.peek() != Some(b'"') {
                return Err(self.wrong("looking for beginning of object key string"));
            }
            let key = self.string()?;
            let below = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            self.keys.push((below.clone(), keys.contains(&key)));
            keys.push(key);
            self.blanks();
            if self.peek() != Some(b':') {
                return Err(self.wrong("after object key"));
            }
            self.at += 1;
            self.value(&below, depth + 1)?;
            if self.ends(b'}', "after object key:value pair")? {
                return Ok(());
            }
        }
    }

    fn array(&mut self, path: &str, depth: usize) -> Result<(), String> {
        self.at += 1;
        self.blanks();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        for index in 0.. {
            self.value(&format!("{path}[{index}]"), depth + 1)?;
            if self.ends(b']', "after array element")? {
                break;
            }
        }
        Ok(())
    }

    /// After an element: the end, or a comma.
    fn ends(&mut self, close: u8, context: &str) -> Result<bool, String> {
        self.blanks();
        let byte = self.peek();
        if byte != Some(close) && byte != Some(b',') {
            return Err(self.wrong(context));
        }
        self.at += 1;
        Ok(byte == Some(close))
    }

    fn string(&mut self) -> Result<String, String> {
        let from = self.at;
        self.at += 1;
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    self.at += 1;
                    self.escape()?;
                }
                Some(byte) if byte >= b' ' => {}
                _ => return Err(self.wrong("in string literal")),
            }
            self.at += 1;
        }
        self.at += 1;
        let text = String::from_utf8_lossy(&self.text[from..self.at]).into_owned();
        Ok(serde_json::from_str(&text).unwrap_or_else(|_| text.trim_matches('"').to_owned()))
    }

    fn escape(&mut self) -> Result<(), String> {
        match self.peek() {
            Some(b'b' | b'f' | b'n' | b'r' | b't' | b'\\' | b'/' | b'"') => Ok(()),
            Some(b'u') => {
                for _ in 0..4 {
                    self.at += 1;
                    if !self.peek().is_some_and(|b| b.is_ascii_hexdigit()) {
                        return Err(self.wrong(r"in \u hexadecimal character escape"));
                    }
                }
                Ok(())
            }
            _ => Err(self.wrong("in string escape code")),
        }
    }

    fn literal(&mut self, word: &str) -> Result<(), String> {
        for letter in word.bytes() {
            if self.peek() != Some(letter) {
                return Err(self.wrong(&format!("in literal {word} (expecting '{}')", char::from(letter))));
            }
            self.at += 1;
        }
        Ok(())
    }

    fn number(&mut self) -> Result<(), String> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits("in numeric literal")?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits("after decimal point in numeric literal")?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits("in exponent of numeric literal")?;
        }
        Ok(())
    }

    fn digits(&mut self, context: &str) -> Result<(), String> {
        if !self.peek().is_some_and(|b| b.is_ascii_digit()) {
            return Err(self.wrong(context));
        }
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_worded_as_go_words_them() {
        let cases = [
            ("", "unexpected end of JSON input"),
            ("{bad", "invalid character 'b' looking for beginning of object key string"),
            (r#"{"a" 1}"#, "invalid character '1' after object key"),
            (r#"{"a":1 "b"}"#, "invalid character '\"' after object key:value pair"),
            ("[1 2]", "invalid character '2' after array element"),
            ("[1,]", "invalid character ']' looking for beginning of value"),
            ("{} x", "invalid character 'x' after top-level value"),
            ("trust", "invalid character 's' in literal true (expecting 'e')"),
            ("'a'", r"invalid character '\'' looking for beginning of value"),
            ("\"a\nb\"", r"invalid character '\n' in string literal"),
            ("-x", "invalid character 'x' in numeric literal"),
        ];
        for (text, error) in cases {
            assert_eq!(scan(text.as_bytes()), Err(error.to_owned()), "{text}");
        }
    }

    #[test]
    fn repeated_keys_are_found_wherever_they_are() {
        let text = br#"{"a": {"b": 1, "b": 2}, "c": [{"d": "}", "d": null}], "e": [], "f": {}, "a": -1.5e3}"#;
        let keys = scan(text).expect("JSON");
        let repeated: Vec<&str> = keys.iter().filter(|(_, again)| *again).map(|(path, _)| path.as_str()).collect();
        assert_eq!(repeated, ["a.b", "c[0].d", "a"]);
        assert_eq!(keys.len(), 9);
    }
}
