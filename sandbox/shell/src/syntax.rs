//! What a script is once it is understood: lists of pipelines of commands, and words.

pub(crate) type List = Vec<(Join, Pipeline)>;

/// When a pipeline runs, by how the one before it ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Join {
    Always,
    And,
    Or,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pipeline {
    pub(crate) negate: bool,
    pub(crate) stages: Vec<Stage>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stage {
    pub(crate) command: Command,
    pub(crate) redirects: Vec<Redirect>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Command {
    Simple { assigns: Vec<(String, Word)>, words: Vec<Word> },
    Group(List),
    Subshell(List),
    While { until: bool, test: List, body: List },
    For { name: String, words: Vec<Word>, body: List },
    If { arms: Vec<(List, List)>, otherwise: List },
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Redirect {
    pub(crate) from: u8,
    pub(crate) to: To,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum To {
    Read(Word),
    Write(Word),
    Append(Word),
    Stream(u8),
}

pub(crate) type Word = Vec<Part>;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Part {
    Text { text: String, quoted: bool },
    Variable { name: String, default: Option<(char, Word)>, quoted: bool },
    Output { list: List, quoted: bool },
    Sum(Word),
}
