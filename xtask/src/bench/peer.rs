//! The peer that is measured in turn with ours: a FastAPI reading of the seeds, in `bench/fastapi_seed`.

use crate::{
    checkout::{self, clean},
    host::free_port,
    job::{Job, output},
    python,
};
use anyhow::{Context, Result, bail};
use std::{fs::File, path::PathBuf, process::Command, time::Duration};

const REQUIREMENTS: &str = include_str!("../../../bench/requirements.txt");
/// How often each is measured, taking turns.
pub(super) const ROUNDS: usize = 5;
/// How long a server, ours or theirs, may take until it answers.
pub(super) const START_LIMIT: Duration = Duration::from_secs(60);

/// Its programs and its directory.
pub(super) struct Peer {
    bin: PathBuf,
    dir: PathBuf,
}

/// The directory of its programs.
pub(super) fn install() -> Result<PathBuf> {
    match python::environment("bench", REQUIREMENTS)? {
        Ok(bin) => Ok(bin),
        Err(how) => bail!("Python: {how}"),
    }
}

impl Peer {
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.bin.join(program));
        clean(&mut command);
        command.current_dir(&self.dir).env("PYTHONPATH", checkout::root().join("bench")).env("PYTHONDONTWRITEBYTECODE", "1");
        command.env("DATABASE_URL", format!("sqlite:///{}", self.dir.join("seed.db").display()));
        command
    }

    /// With what it is asked for in its database, by the user of `token`.
    pub(super) fn filled(bin: PathBuf, dir: PathBuf, token: &str) -> Result<Self> {
        let peer = Self { bin, dir };
        output(peer.command("python").args(["-m", "fastapi_seed.fill", token])).context("fill the peer's database")?;
        Ok(peer)
    }

    /// Starts it; it need not answer yet.
    pub(super) fn start(&self) -> Result<(Job, String)> {
        let port = free_port()?;
        let out = File::create(self.dir.join("output.log"))?;
        let mut command = self.command("uvicorn");
        command.args(["fastapi_seed.app:app", "--host", "127.0.0.1", "--port", &port.to_string(), "--log-level", "warning", "--no-access-log"]);
        let job = Job::start("uvicorn", command.stdout(out.try_clone()?).stderr(out))?;
        Ok((job, format!("http://127.0.0.1:{port}")))
    }
}
