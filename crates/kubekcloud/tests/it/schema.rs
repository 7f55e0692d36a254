//! `migrate`, and what `serve` makes of older and newer schemas.

use sea_orm::ConnectionTrait;

use crate::harness::{TestDatabase, binary};

#[tokio::test]
async fn migrate_is_repeatable_and_serve_refuses_what_it_must() {
    let database = TestDatabase::fresh().await;
    let run = |args: &[&str]| {
        let output = binary().args(args).env("DATABASE_URL", &database.url).output().expect("runs");
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        (output.status.success(), text)
    };
    let (ok, text) = run(&["serve", "--port", "0", "--no-migrate"]);
    assert!(!ok && text.contains("kubekcloud migrate"), "an older schema is left alone when asked: {text}");
    assert!(!run(&["migrate", "--check"]).0);
    let (ok, text) = run(&["migrate"]);
    assert!(ok && text.contains("applied m0001_initial"), "{text}");
    assert_eq!(run(&["migrate"]), (true, "up to date\n".to_owned()));
    assert!(run(&["migrate", "--check"]).0);

    let raw = database.raw().await;
    raw.execute_unprepared("INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_future', 0)").await.expect("inserts");
    for args in [&["serve", "--port", "0"][..], &["serve", "--port", "0", "--no-migrate"], &["migrate"]] {
        let (ok, text) = run(args);
        assert!(!ok && text.contains("m9999_future") && text.contains("newer"), "{args:?}: {text}");
    }
}

#[tokio::test]
async fn two_that_migrate_at_once_do_it_once() {
    let database = TestDatabase::fresh().await;
    let children: Vec<_> = (0..4).map(|_| binary().arg("migrate").env("DATABASE_URL", &database.url).spawn().expect("starts")).collect();
    for child in children {
        assert!(child.wait_with_output().expect("waits").status.success());
    }
    assert!(binary().args(["migrate", "--check"]).env("DATABASE_URL", &database.url).status().expect("runs").success());
}
