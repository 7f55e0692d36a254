//! What one Rust file says of modules: which it declares, what it imports, and which paths its code names.
//!
//! It is read as tokens, not understood: comments and strings are none, macros are read like all else, and what is compiled
//! for tests only is left out.

use anyhow::{Result, anyhow};
use proc_macro2::{Delimiter, Group, Spacing, TokenStream, TokenTree};

#[derive(Debug, Default)]
pub(super) struct Source {
    /// `mod name;`
    pub(super) declared: Vec<String>,
    pub(super) imports: Vec<Import>,
    /// Paths of two segments or more.
    pub(super) paths: Vec<Vec<String>>,
}

/// One leaf of a `use`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Import {
    pub(super) path: Vec<String>,
    /// What it is called here; `None` of a glob.
    pub(super) name: Option<String>,
}

impl Source {
    pub(super) fn parse(text: &str) -> Result<Self> {
        let stream: TokenStream = text.parse().map_err(|error| anyhow!("not the tokens of Rust: {error}"))?;
        let mut source = Self::default();
        source.read(stream, 0);
        Ok(source)
    }

    /// `inline` says within how many modules written out in this file the tokens stand.
    fn read(&mut self, stream: TokenStream, inline: usize) {
        let tokens: Vec<TokenTree> = stream.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            at = self.read_one(&tokens, at, inline);
        }
    }

    /// Reads what begins at a token; where the next thing begins.
    fn read_one(&mut self, tokens: &[TokenTree], at: usize, inline: usize) -> usize {
        if let Some((attribute, after)) = attribute(tokens, at) {
            return if is_for_tests(attribute) { after_item(tokens, after) } else { after };
        }
        match &tokens[at] {
            TokenTree::Group(group) => self.read(group.stream(), inline),
            TokenTree::Ident(word) if word == "use" && !is_punct(tokens.get(at + 1), '<') => {
                let end = tokens[at..].iter().position(|token| is_punct(Some(token), ';')).map_or(tokens.len(), |length| at + length);
                self.import(&tokens[at + 1..end], &[], inline);
                return end;
            }
            TokenTree::Ident(word) if word == "mod" => match (tokens.get(at + 1), tokens.get(at + 2)) {
                (Some(TokenTree::Ident(name)), Some(next)) if is_punct(Some(next), ';') => {
                    self.declared.push(name.to_string());
                    return at + 3;
                }
                (Some(TokenTree::Ident(_)), Some(TokenTree::Group(body))) => {
                    self.read(body.stream(), inline + 1);
                    return at + 3;
                }
                _ => {}
            },
            TokenTree::Ident(_) => {
                let (path, after) = path(tokens, at);
                // What follows `::` belongs to another crate, or to a type in angle brackets.
                let of_another = at >= 2 && is_punct(tokens.get(at - 1), ':') && is_punct(tokens.get(at - 2), ':');
                if path.len() > 1 && !of_another {
                    self.paths.extend(seen_from_file(path, inline));
                }
                return after;
            }
            _ => {}
        }
        at + 1
    }

    /// The leaves of a tree of imports below `prefix`.
    fn import(&mut self, tree: &[TokenTree], prefix: &[String], inline: usize) {
        if prefix.is_empty() && is_punct(tree.first(), ':') {
            return;
        }
        let (steps, after) = path(tree, 0);
        let whole: Vec<String> = prefix.iter().cloned().chain(steps).collect();
        match tree.get(after) {
            Some(TokenTree::Group(group)) => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                for leaf in inner.split(|token| is_punct(Some(token), ',')).filter(|leaf| !leaf.is_empty()) {
                    self.import(leaf, &whole, inline);
                }
            }
            Some(TokenTree::Punct(star)) if star.as_char() == '*' => self.add(whole, None, inline),
            Some(TokenTree::Ident(_as)) => self.add(whole, tree.get(after + 1).map(ToString::to_string), inline),
            _ => {
                let mut path = whole;
                // `a::{self}` is `a`.
                if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
                    path.pop();
                }
                let name = path.last().cloned();
                self.add(path, name, inline);
            }
        }
    }

    fn add(&mut self, path: Vec<String>, name: Option<String>, inline: usize) {
        self.imports.extend(seen_from_file(path, inline).map(|path| Import { path, name }));
    }
}

/// The path as the file's own module would write it; `None` when it stays within a module of the file.
fn seen_from_file(mut path: Vec<String>, inline: usize) -> Option<Vec<String>> {
    let up = path.iter().take_while(|step| *step == "super").count();
    match inline {
        0 => Some(path),
        _ if up > inline => Some(path.split_off(inline)),
        _ => (path[0] == "crate").then_some(path),
    }
}

/// The words that `::` joins from a token on, and where they end: after the last `::` where more follows it than a word.
fn path(tokens: &[TokenTree], mut at: usize) -> (Vec<String>, usize) {
    let mut path = Vec::new();
    while let Some(TokenTree::Ident(word)) = tokens.get(at) {
        path.push(word.to_string());
        let joined = matches!(tokens.get(at + 1), Some(TokenTree::Punct(colon)) if colon.as_char() == ':' && colon.spacing() == Spacing::Joint)
            && is_punct(tokens.get(at + 2), ':');
        if !joined {
            return (path, at + 1);
        }
        at += 3;
    }
    (path, at)
}

/// The attribute that begins here, and what follows it.
fn attribute(tokens: &[TokenTree], at: usize) -> Option<(&Group, usize)> {
    if !is_punct(tokens.get(at), '#') {
        return None;
    }
    let at = if is_punct(tokens.get(at + 1), '!') { at + 2 } else { at + 1 };
    match tokens.get(at) {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Bracket => Some((group, at + 1)),
        _ => None,
    }
}

/// `#[cfg(test)]` and `#[cfg(all(test, ..))]`.
fn is_for_tests(attribute: &Group) -> bool {
    let text: String = attribute.stream().to_string().split_whitespace().collect();
    text == "cfg(test)" || text.starts_with("cfg(all(test,")
}

/// Where the item ends that begins here, with its other attributes.
fn after_item(tokens: &[TokenTree], mut at: usize) -> usize {
    while let Some((_, after)) = attribute(tokens, at) {
        at = after;
    }
    let ends = |token: &TokenTree| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        token => is_punct(Some(token), ';'),
    };
    tokens[at..].iter().position(ends).map_or(tokens.len(), |length| at + length + 1)
}

fn is_punct(token: Option<&TokenTree>, wanted: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == wanted)
}
