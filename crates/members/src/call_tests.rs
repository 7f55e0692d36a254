//! Calls to a server that does not answer, or answers too much.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use futures::future::join_all;
use http::Method;
use serde::de::IgnoredAny;
use serde_json::json;
use types::Step;

use crate::{
    Creation, Fence, LogQuery, Member, Result, Writer,
    call::Call,
    fake::{Answer, Fake},
};

const DEADLINE: Duration = Duration::from_millis(1_100);

async fn get(member: &Member, path: &str) -> Result<IgnoredAny> {
    member.call(Call::new(Method::GET, path.to_owned()), DEADLINE).await
}

#[tokio::test]
async fn calls_to_a_group_that_does_not_answer_are_held_back_and_one_finds_out_when_it_is_back() {
    let (back, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let (answers, count) = (back.clone(), asked.clone());
    let fake = Fake::start(move |request| {
        if !request.is("GET /apis/kubevirt.io") {
            return Answer::json(&json!({}));
        }
        count.fetch_add(1, Ordering::SeqCst);
        if answers.load(Ordering::SeqCst) { Answer::json(&json!({})) } else { Answer::hang() }
    })
    .await;
    let member = &fake.member;
    let silent = join_all((0..3).map(|_| get(member, "/apis/kubevirt.io/v1/x"))).await;
    assert!(silent.iter().all(|result| result.as_ref().is_err_and(|error| error.reason() == "Timeout")));

    let begun = Instant::now();
    let held_back = get(member, "/apis/kubevirt.io/v1/x").await.unwrap_err();
    assert_eq!(held_back.reason(), "NotAnswering");
    assert!(begun.elapsed() < Duration::from_millis(200) && held_back.retry_after().is_some());
    assert!(member.breaker("kubevirt.io").is_some() && member.breaker("").is_none());
    assert!(get(member, "/api/v1/pods").await.is_ok(), "other groups are not concerned");
    assert!(member.trouble().is_none(), "nor does it say that the member is out of reach");
    let unguarded = Call::new(Method::GET, "/apis/kubevirt.io/v1/x".to_owned()).unguarded();
    assert_eq!(member.call::<IgnoredAny>(unguarded, DEADLINE).await.unwrap_err().reason(), "Timeout", "a watch goes by");

    back.store(true, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(1_300)).await;
    let all = join_all((0..5).map(|_| get(member, "/apis/kubevirt.io/v1/x"))).await;
    assert!(all.iter().all(Result::is_ok), "the first is the probe, the others wait for it: {all:?}");
    assert_eq!((asked.load(Ordering::SeqCst), member.breaker("kubevirt.io")), (3 + 1 + 5, None));
}

#[tokio::test]
async fn answers_and_refusals_are_not_read_for_ever() {
    let fake = Fake::start(|asked| match asked.path() {
        "GET /refused" => Answer::endless().with_status(500),
        _ => Answer::endless(),
    })
    .await;
    let begun = Instant::now();
    for path in ["/endless", "/refused", "/endless", "/endless", "/endless"] {
        let error = fake.member.call::<IgnoredAny>(Call::new(Method::GET, path.to_owned()), Duration::from_secs(10)).await.unwrap_err();
        assert_eq!(error.reason(), "TooLarge");
    }
    assert!(begun.elapsed() < Duration::from_secs(8) && fake.member.breaker("").is_none(), "it answers: it is not held back");
    let log = LogQuery { limit_bytes: Some(1_000), ..LogQuery::default() };
    assert_eq!(fake.member.pod_logs("n", "p", &log).await.unwrap_err().to_string(), "unexpected answer: more than 64 kB");
}

#[tokio::test]
async fn reads_for_people_have_a_budget() {
    let fake = Fake::start(|asked| if asked.has("hangs") { Answer::hang() } else { Answer::text(200, "log") }).await;
    let query = LogQuery::default();
    let member = fake.member.clone();
    let waiting = tokio::spawn(async move {
        let query = LogQuery::default();
        join_all((0..32).map(|_| member.pod_logs("n", "hangs", &query))).await
    });
    while fake.member.api_reads.available_permits() > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let error = fake.member.pod_logs("n", "p", &query).await.unwrap_err();
    assert!(matches!(error.into_error("fake"), types::Error::Unavailable { .. }), "503 with Retry-After");
    assert_eq!(fake.member.events("n", "Pod", "p").await.unwrap_err().reason(), "Busy");
    waiting.abort();
    let _ = waiting.await;
    assert_eq!(fake.member.pod_logs("n", "p", &query).await.unwrap(), "log");
}

#[tokio::test]
async fn a_write_has_three_seconds() {
    let fake = Fake::start(|asked| match asked.path() {
        "POST /api/v1/namespaces" => Answer::json(&json!({"metadata": {"uid": "u\u{0}"}})),
        _ => Answer::hang(),
    })
    .await;
    let writer = Writer::new(fake.member.clone(), Fence::until(Instant::now() + Duration::from_secs(60)));
    let made = writer.create_namespace(Step::NamespaceCreate, &json!({})).await.unwrap();
    assert_eq!(made, Creation::Created { uid: "u".into() });
    let begun = Instant::now();
    assert_eq!(writer.create_pod(Step::PodCreate, "n", &json!({})).await.unwrap_err().reason(), "Timeout");
    assert!((Duration::from_secs(3)..Duration::from_secs(5)).contains(&begun.elapsed()));
}
