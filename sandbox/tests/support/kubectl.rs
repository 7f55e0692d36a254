//! A real kubectl, as its own process.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::skip::skip;

/// A kubectl with a home and a kubeconfig of its own.
pub(crate) struct Kubectl<'d> {
    program: String,
    dir: &'d Path,
}

impl<'d> Kubectl<'d> {
    /// The program that `KUBECTL_PATH` names.
    pub(crate) fn find(dir: &'d Path) -> Option<Self> {
        let Ok(program) = std::env::var("KUBECTL_PATH") else {
            skip("KUBECTL_PATH is not set");
            return None;
        };
        Some(Kubectl { program, dir })
    }

    /// Runs a command line, split at blanks.
    pub(crate) fn run(&self, line: &str, input: &str) -> Output {
        self.run_with(&line.split_whitespace().collect::<Vec<_>>(), input)
    }

    pub(crate) fn run_with(&self, arguments: &[&str], input: &str) -> Output {
        use std::io::Write;
        let mut child = Command::new(&self.program)
            .args(arguments)
            .env_clear()
            .env("HOME", self.dir)
            .env("KUBECONFIG", self.dir.join("kubeconfig"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("kubectl");
        child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("written");
        child.wait_with_output().expect("an end")
    }

    /// What a command that must succeed prints.
    pub(crate) fn says(&self, line: &str) -> String {
        self.says_to(line, "")
    }

    pub(crate) fn says_to(&self, line: &str, input: &str) -> String {
        let output = self.run(line, input);
        assert!(output.status.success(), "kubectl {line}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}
