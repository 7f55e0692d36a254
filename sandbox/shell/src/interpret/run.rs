//! Carries out what [`crate::parse`] understood.

use futures::{FutureExt, future::BoxFuture};

use super::redirect::redirected;
use super::{call, expand};
use crate::io::{Input, Io, pipe};
use crate::process::Process;
use crate::stop::{Run, Stop};
use crate::syntax::{Command, Join, List, Pipeline, Stage};

/// Runs a list; the result is its last status.
pub(crate) fn list<'a>(process: &'a mut Process, io: &'a Io, list: &'a List) -> BoxFuture<'a, Run<i32>> {
    async move {
        for (index, (join, pipeline)) in list.iter().enumerate() {
            let skip = match join {
                Join::Always => false,
                Join::And => process.status != 0,
                Join::Or => process.status == 0,
            };
            if skip {
                continue;
            }
            process.status = run_pipeline(process, io, pipeline).await?;
            let tested = pipeline.negate || list.get(index + 1).is_some_and(|(join, _)| *join != Join::Always);
            if process.strict && process.status != 0 && !tested {
                return Err(Stop::Exit(process.status));
            }
        }
        Ok(process.status)
    }
    .boxed()
}

async fn run_pipeline(process: &mut Process, io: &Io, pipeline: &Pipeline) -> Run<i32> {
    let status = match pipeline.stages.as_slice() {
        [one] => stage(process, io, one).await?,
        many => piped(process, io, many).await?,
    };
    Ok(if pipeline.negate { i32::from(status == 0) } else { status })
}

/// All stages at once, each a subshell, joined by pipes.
async fn piped(process: &Process, io: &Io, stages: &[Stage]) -> Run<i32> {
    let mut stdin = io.stdin.clone();
    let mut running = Vec::new();
    for (index, each) in stages.iter().enumerate() {
        let (stdout, next) = if index + 1 == stages.len() { (io.stdout.clone(), Input::empty()) } else { pipe() };
        let inside = Io { stdin: std::mem::replace(&mut stdin, next), stdout, stderr: io.stderr.clone() };
        let mut inner = process.fork(io).await?;
        running.push(async move {
            match stage(&mut inner, &inside, each).await {
                Err(Stop::Exit(status)) => Ok(status),
                Err(Stop::Broken) => Ok(141),
                Err(Stop::Break | Stop::Continue) => Ok(0),
                other => other,
            }
        });
    }
    let ends = futures::future::try_join_all(running).await?;
    Ok(ends.last().copied().unwrap_or(0))
}

fn stage<'a>(process: &'a mut Process, io: &'a Io, stage: &'a Stage) -> BoxFuture<'a, Run<i32>> {
    async move {
        process.clock.step().await?;
        let above = process.deeper(io).await?;
        let mut ended = one(process, io, stage).await;
        if ended == Err(Stop::Full) {
            process.complain(io, "sh: out of memory").await?;
            ended = Err(Stop::Exit(2));
        }
        process.depth = above;
        ended
    }
    .boxed()
}

async fn one(process: &mut Process, io: &Io, stage: &Stage) -> Run<i32> {
    let Some(io) = redirected(process, io, &stage.redirects).await? else { return Ok(1) };
    match &stage.command {
        Command::Simple { assigns, words } => {
            let argv = expand::words(process, &io, words).await?;
            if argv.is_empty() {
                let mut status = 0;
                for (name, word) in assigns {
                    process.status = 0;
                    let value = expand::one(process, &io, word).await?;
                    status = process.status;
                    process.assign(name, value)?;
                }
                return Ok(status);
            }
            if assigns.is_empty() {
                return call::run(process, &io, &argv).await;
            }
            let mut inner = process.fork(&io).await?;
            for (name, word) in assigns {
                let value = expand::one(process, &io, word).await?;
                inner.variables.set(name, value, true)?;
            }
            call::run(&mut inner, &io, &argv).await
        }
        Command::Group(inner) => list(process, &io, inner).await,
        Command::Subshell(inner) => subshell(&mut process.fork(&io).await?, &io, inner).await,
        Command::While { until, test, body } => {
            let mut status = 0;
            while (tested(process, &io, test).await? == 0) != *until {
                match body_once(process, &io, body).await? {
                    Some(ended) => status = ended,
                    None => break,
                }
            }
            Ok(status)
        }
        Command::For { name, words, body } => {
            let mut status = 0;
            for word in expand::words(process, &io, words).await? {
                process.assign(name, word)?;
                match body_once(process, &io, body).await? {
                    Some(ended) => status = ended,
                    None => break,
                }
            }
            Ok(status)
        }
        Command::If { arms, otherwise } => {
            for (test, then) in arms {
                if tested(process, &io, test).await? == 0 {
                    return list(process, &io, then).await;
                }
            }
            process.status = 0;
            list(process, &io, otherwise).await
        }
    }
}

/// A condition may fail without ending a strict script.
async fn tested(process: &mut Process, io: &Io, test: &List) -> Run<i32> {
    let strict = std::mem::replace(&mut process.strict, false);
    let status = list(process, io, test).await;
    process.strict = strict;
    status
}

/// One round of a loop; `None` after `break`.
async fn body_once(process: &mut Process, io: &Io, body: &List) -> Run<Option<i32>> {
    process.loops += 1;
    let ended = list(process, io, body).await;
    process.loops -= 1;
    match ended {
        Ok(status) => Ok(Some(status)),
        Err(Stop::Continue) => Ok(Some(0)),
        Err(Stop::Break) => Ok(None),
        Err(stop) => Err(stop),
    }
}

/// Runs a list of its own; leaving it leaves only it.
pub(super) async fn subshell(process: &mut Process, io: &Io, inner: &List) -> Run<i32> {
    match list(process, io, inner).await {
        Err(Stop::Exit(status)) => Ok(status),
        Err(Stop::Broken) => Ok(141),
        Err(Stop::Break | Stop::Continue) => Ok(0),
        other => other,
    }
}

/// A program with its arguments, as a container's process.
pub(crate) async fn program(process: &mut Process, io: &Io, argv: &[String]) -> Run<i32> {
    process.clock.step().await?;
    call::run(process, io, argv).await
}
