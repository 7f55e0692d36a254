//! What a number of clusters costs at rest, and how long another one takes then, in a resync and in a takeover.

use super::{
    Bench, Shape,
    fill::{Filled, fill},
    probe::{Probe, Taken},
    proxy::Proxy,
    statements::Database,
};
use crate::{
    bench::{
        caller::Caller,
        machine,
        release::sub,
        report::{Row, Target, percentile},
    },
    product::Product,
    services::Server,
};
use anyhow::Result;
use std::{
    path::Path,
    time::{Duration, Instant},
};

const PROBES: usize = 20;
const RESYNCS: usize = 10;
/// A watch that has lasted so long is begun anew at once; those that end at once again and again are not.
const WATCH_SETTLES: Duration = Duration::from_secs(11);
const LIST_ROUNDS: usize = 5;
/// So long after its last request a server counts as idle.
const CALM: Duration = Duration::from_secs(10);

const SLOWDOWN_MOST: f64 = 2.0;
const TAKEOVER_MOST: f64 = 15.0;
const STATEMENTS_MOST: f64 = 5.0;
const BASE_MIB: f64 = 40.0;
const KIB_EACH_MOST: f64 = 4.0;

/// Measures on the Kubernetes that `kubeconfig` names, which is called `on` in the rows.
pub(super) fn rows(bench: &Bench, postgres: &Server, shape: &Shape, on: &str, kubeconfig: &Path) -> Result<Vec<Row>> {
    let Bench { binary, data, runtime, interrupt, .. } = bench;
    let name = format!("{}_{}_{on}", shape.clusters, shape.instances).replace(' ', "_");
    let dir = sub(data, &name)?;
    let database = Database::new(postgres, &format!("bench_{name}"))?;
    let proxy = runtime.block_on(Proxy::start(kubeconfig, &dir))?;
    let serve = |dir: &str| Product::serve_on(binary, &sub(&sub(data, &name)?, dir)?, &database.url, Some(&proxy.kubeconfig));
    let first = serve("first")?;
    let admin = Caller::new(&first.url, &first.admin_token)?;
    let what = |what: &str| format!("{}: {what}", shape.called(on));
    let said = |line: &str| println!("{}", what(line));

    let Filled { created, running } = runtime.block_on(fill(&admin, shape, interrupt))?;
    said(&format!("created in {created:.1} s, running after {running:.1} s"));
    let pages = runtime.block_on(list_pages(&admin))?;
    let mut probe = runtime.block_on(Probe::new(&admin))?;
    pause(CALM, bench)?;
    let idle = idle(bench, &database, &proxy, &first)?;
    said(&format!("idle: {:.1} MiB resident, {:.1} statements a second", idle.resident, idle.statements));
    let rest = runtime.block_on(probe.creates(PROBES, true, interrupt, async || ()))?;
    said(&format!("at rest: {}", rest.said()));
    let expire = async || {
        tokio::time::sleep(WATCH_SETTLES).await;
        proxy.expire();
    };
    let resync = runtime.block_on(probe.creates(RESYNCS, false, interrupt, expire))?;
    said(&format!("in a resync: {}", resync.said()));

    let second = serve("second")?;
    pause(CALM, bench)?;
    probe.turn_to(&second.url);
    let killed = Instant::now();
    first.kill()?;
    runtime.block_on(probe.create())?;
    let over = killed.elapsed().as_secs_f64();
    let takeover = runtime.block_on(probe.creates(PROBES, false, interrupt, async || ()))?;
    said(&format!("taken over after {over:.1} s, then: {}", takeover.said()));

    let instances = (shape.clusters * shape.instances) as f64;
    let each = ((idle.resident - BASE_MIB) * 1024.0 / instances).max(0.0);
    let slower = |what: String, taken: &Taken| Row {
        what,
        peer: format!("at rest {:.0} ms", rest.p50() * 1e3),
        ours: taken.said(),
        figure: taken.p50() / rest.p50(),
        unit: "x",
        target: Target::AtMost(SLOWDOWN_MOST),
    };
    Ok(vec![
        Row::alone(what("all running, from the first create"), running, "s", Target::None).said(format!("created in {created:.1} s")),
        Row::alone(what("another create to running at rest"), rest.p50() * 1e3, "ms", Target::None).said(rest.said()),
        slower(what("the same while every watch lists anew"), &resync),
        Row::alone(what("first create running after SIGKILL of the other replica"), over, "s", Target::AtMost(TAKEOVER_MOST)),
        slower(what("creates to running after that, in the takeover"), &takeover),
        Row::alone(what("requests to the API server an idle hour"), idle.requests_an_hour, "", Target::None).said(idle.requests),
        Row::alone(what("database statements an idle second"), idle.statements, "", Target::AtMost(STATEMENTS_MOST)).said(idle.work),
        Row::alone(what("memory an instance beyond 40 MiB"), each, "KiB", Target::AtMost(KIB_EACH_MOST))
            .said(format!("{:.1} MiB resident", idle.resident)),
        Row::alone(what("page of the list, p50"), percentile(pages, 50) * 1e3, "ms", Target::None),
    ])
}

struct Idle {
    resident: f64,
    requests_an_hour: f64,
    requests: String,
    statements: f64,
    work: String,
}

fn idle(bench: &Bench, database: &Database<'_>, proxy: &Proxy, ours: &Product) -> Result<Idle> {
    let (work, requests, began) = (database.work()?, proxy.requests(), Instant::now());
    pause(bench.idle, bench)?;
    let (later, more, seconds) = (database.work()?, proxy.requests(), began.elapsed().as_secs_f64());
    let hourly = |before: u64, after: u64| (after - before) as f64 * 3600.0 / seconds;
    let (watches, reads, writes) = (hourly(requests.watches, more.watches), hourly(requests.reads, more.reads), hourly(requests.writes, more.writes));
    let counted = later.statements.zip(work.statements).map(|(after, before)| (after - before) / seconds);
    let statements = counted.unwrap_or((later.transactions - work.transactions) / seconds);
    Ok(Idle {
        resident: machine::resident(ours.id())?,
        requests_an_hour: watches + reads + writes,
        requests: format!("{watches:.0} watches, {reads:.0} gets and lists, {writes:.0} writes"),
        statements,
        work: format!("{statements:.1}{}", if counted.is_some() { "" } else { " transactions: this server counts no statements" }),
    })
}

/// Seconds of each page of an admin's list.
async fn list_pages(admin: &Caller) -> Result<Vec<f64>> {
    let mut seconds = Vec::new();
    for _ in 0..LIST_ROUNDS {
        let mut page = Some("/api/v1/clusters/".to_owned());
        while let Some(path) = page {
            let answer = admin.get(&path).await?;
            seconds.push(answer.seconds);
            page = answer.next;
        }
    }
    Ok(seconds)
}

fn pause(duration: Duration, bench: &Bench) -> Result<()> {
    let until = Instant::now() + duration;
    while Instant::now() < until {
        bench.interrupt.check()?;
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}
