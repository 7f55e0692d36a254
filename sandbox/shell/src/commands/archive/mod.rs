//! `tar`, as far as `kubectl cp` needs it: `tar cf - PATH...` and `tar xmf - -C DIR`.
//!
//! The archive is read and written as a stream, on a thread that may block. Only files and directories are kept; names
//! that lead out of the target are left out, and everything lands in the container's tree, never on a disk.

mod complaints;
mod pack;
mod unpack;
mod wish;

use bytes::BytesMut;

use self::pack::create;
use self::unpack::extract;
use self::wish::{Wish, wish};
use crate::io::{Input, Io, Kept, Output, PIECE};
use crate::places::absolute;
use crate::process::Process;
use crate::stop::{Run, Stop};

/// What is taken in at most: a full tree and its headers.
const STREAM: u64 = 40 << 20;
/// What is kept of complaints, of which there are few.
const COMPLAINTS: usize = 32 << 10;

pub(super) async fn tar(process: &mut Process, io: &Io, args: &[String]) -> Run<i32> {
    let wish = match wish(args) {
        Ok(wish) => wish,
        Err(wrong) => {
            process.complain(io, &format!("tar: {wrong}")).await?;
            return Ok(1);
        }
    };
    let base = absolute(&process.cwd, &wish.directory);
    let places = process.container.places.clone();
    if !places.is_dir(&base) {
        process.complain(io, &format!("tar: can't change directory to '{}': No such file or directory", wish.directory)).await?;
        return Ok(1);
    }
    let mut io = io.clone();
    let file = absolute(&process.cwd, &wish.file);
    let opened = match (wish.file.as_str(), wish.create) {
        ("-" | "", _) => Ok(()),
        (_, true) => places.write(&file, vec![], None, process.clock.seconds()).map(|()| io.stdout = Output::File(places.clone(), file)),
        (_, false) => places.read(&file).map(|content| io.stdin = Input::fixed(content.to_vec().into())),
    };
    if let Err(fault) = opened {
        process.complain(&io, &format!("tar: {}: {fault}", wish.file)).await?;
        return Ok(1);
    }
    if process.clock.is_ahead() {
        return at_once(process, io, &base, &wish).await;
    }
    let (clock, work) = (process.clock.clone(), io.clone());
    let ended = tokio::task::spawn_blocking(move || {
        if wish.create { create(&places, &clock, &work, &base, &wish) } else { extract(&places, &clock, &work, &base, &wish, STREAM) }
    });
    ended.await.map_err(|_| Stop::Exit(2))
}

/// Without a thread, whose work would have to be waited for: what is read is there before, what is written goes out after.
async fn at_once(process: &Process, io: Io, base: &str, wish: &Wish) -> Run<i32> {
    let mut read = BytesMut::new();
    while !wish.create
        && (read.len() as u64) < STREAM
        && let Some(chunk) = io.stdin.chunk().await
    {
        read.extend_from_slice(&chunk);
    }
    process.clock.work(read.len() as u64 / PIECE)?;
    let (out, err) = (Kept::new(STREAM as usize), Kept::new(COMPLAINTS));
    let stdout = match &io.stdout {
        Output::File(..) => io.stdout.clone(),
        // An archive has no place in a log.
        Output::Lines(..) | Output::Kept(_) | Output::Null if wish.create => Output::Null,
        _ => Output::Kept(out.clone()),
    };
    let work = Io { stdin: Input::fixed(read.freeze()), stdout, stderr: Output::Kept(err.clone()) };
    let (places, clock) = (&process.container.places, &process.clock);
    let status = if wish.create { create(places, clock, &work, base, wish) } else { extract(places, clock, &work, base, wish, STREAM) };
    io.stderr.write(clock, err.take()).await?;
    io.stdout.write(clock, out.take()).await?;
    Ok(status)
}
