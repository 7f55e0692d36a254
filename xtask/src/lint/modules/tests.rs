use super::{
    circles::{self, Listed},
    floors,
    graph::Graph,
    source::Source,
};
use crate::lint::Tree;

fn graph(files: &[(&str, &str)]) -> Graph {
    let files: Vec<(String, &str)> = files.iter().map(|(path, text)| (format!("x/src/{path}"), *text)).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
    Graph::read(&Tree::of(&files), "x/src").unwrap()
}

fn circles(files: &[(&str, &str)]) -> Vec<String> {
    circles::find(&graph(files), "x/src", &[])
}

fn arrows(files: &[(&str, &str)]) -> Vec<String> {
    graph(files).arrows.iter().map(|(user, used)| format!("{user} -> {used}")).collect()
}

#[test]
fn a_circle_of_files_is_found() {
    let found = circles(&[("lib.rs", "mod a; mod b;"), ("a.rs", "use crate::b::B;"), ("b.rs", "fn f() { super::a::f() }")]);
    assert_eq!(found, ["x/src: a -> b -> a (a uses b; b uses a)"]);
}

#[test]
fn a_circle_of_folders_is_found_though_their_files_make_none() {
    let files = [
        ("lib.rs", "mod a; mod b;"),
        ("a/mod.rs", "mod low; mod high;"),
        ("a/low.rs", ""),
        ("a/high.rs", "use crate::b::one::One;"),
        ("b.rs", "mod one; mod two;"),
        ("b/one.rs", ""),
        ("b/two.rs", "use crate::a::{low::{self, Low}, high as _};"),
    ];
    assert_eq!(circles(&files), ["x/src: a -> b -> a (a::high uses b::one; b::two uses a::high)"]);
}

#[test]
fn a_longer_circle_is_told_whole_and_once() {
    let files = [("lib.rs", "mod a; mod b; mod c; mod d;"), ("a.rs", "use super::b;"), ("b.rs", "use super::c;"), ("c.rs", "use super::{a, b};")];
    let found = circles(&[&files[..], &[("d.rs", "use crate::a::A;")]].concat());
    assert_eq!(found, ["x/src: a -> b -> c -> a (a uses b; b uses c; c uses a)"]);
}

#[test]
fn a_file_and_the_mod_rs_above_it_are_no_circle() {
    let files =
        [("lib.rs", "mod a; pub use a::A; struct Own;"), ("a/mod.rs", "mod b; use b::B; struct A;"), ("a/b.rs", "use super::A; use crate::Own;")];
    assert_eq!(circles(&files), [""; 0]);
}

#[test]
fn what_is_passed_on_is_had_from_where_it_is() {
    let files =
        [("lib.rs", "mod a; mod b; pub use b::B as C;"), ("a.rs", "use crate::C;"), ("b.rs", "mod c; pub(crate) use c::B;"), ("b/c.rs", "struct B;")];
    assert_eq!(arrows(&files), [" -> b::c", "a -> b::c", "b -> b::c"]);
}

#[test]
fn a_path_through_an_import_is_followed() {
    let files =
        [("main.rs", "mod a; mod b;"), ("a.rs", "use crate::b; fn f() { b::c::run(Vec::new()); serde::x::y() }"), ("b.rs", "mod c;"), ("b/c.rs", "")];
    assert_eq!(arrows(&files), ["a -> b", "a -> b::c"]);
    assert_eq!(graph(&files).outside.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>(), ["Vec", "serde"]);
}

#[test]
fn comments_strings_other_crates_and_tests_are_no_use() {
    let text = r#"
        //! [`crate::b::B`]
        // use crate::b;
        const TEXT: &str = "use crate::b;";
        #[doc = "crate::b"]
        fn f() -> impl Iterator + use<'_> { ::b::f() }
        #[cfg(test)]
        #[path = "a_tests.rs"]
        mod a_tests;
        #[cfg(test)]
        use crate::b::B;
        #[cfg(test)]
        mod tests { use crate::b::B; }
        #[cfg(all(test, unix))]
        fn g() { crate::b::f() }
    "#;
    assert_eq!(arrows(&[("lib.rs", "mod a; mod b;"), ("a.rs", text), ("a_tests.rs", "use crate::b;"), ("b.rs", "")]), [""; 0]);
}

#[test]
fn macros_and_modules_within_a_file_are_read() {
    let text = "macro_rules! m { () => { $crate::b::f() }; } mod inner { use super::f; fn g() { super::super::c::f() } }";
    assert_eq!(arrows(&[("lib.rs", "mod a; mod b; mod c;"), ("a.rs", text), ("b.rs", ""), ("c.rs", "")]), ["a -> b", "a -> c"]);
}

#[test]
fn trees_of_imports_are_taken_apart() {
    let source = Source::parse("use a::{self, b::{C, D as E}, f::*}; pub(crate) use g;").unwrap();
    let imports: Vec<String> = source.imports.iter().map(|i| format!("{} {}", i.path.join("::"), i.name.as_deref().unwrap_or("*"))).collect();
    assert_eq!(imports, ["a a", "a::b::C C", "a::b::D E", "a::f *", "g g"]);
}

#[test]
fn a_listed_circle_may_stay_and_one_that_is_gone_may_not_be_listed() {
    let files = [("lib.rs", "mod a;"), ("a/mod.rs", "mod b; mod c;"), ("a/b.rs", "use super::c::C;"), ("a/c.rs", "use super::b::B;")];
    let listed = [
        Listed { dir: "x/src", module: "a", members: &["b", "c"], reason: "it is one thing" },
        Listed { dir: "x/src", module: "a", members: &["d", "e"], reason: "it was" },
    ];
    assert_eq!(circles::find(&graph(&files), "x/src", &listed), ["x/src: d, e of a are listed as a circle and are none (it was)"]);
}

#[test]
fn a_floor_uses_only_those_below_it() {
    let files = [
        ("lib.rs", "mod low; mod high; mod new; struct Own;"),
        ("low/mod.rs", "mod a; mod b; struct Low;"),
        ("low/a.rs", "use super::Low; use crate::Own; use crate::high::H; use tokio::sync;"),
        ("low/b.rs", "use super::a::A;"),
        ("high.rs", "use crate::low::a::A; use tokio::sync;"),
        ("new.rs", "use crate::low::Low;"),
    ];
    let table: &[(&str, &[&str])] = &[("low", &[]), ("high", &["low"]), ("gone", &[])];
    assert_eq!(
        floors::wrong(&graph(&files), table, &[("tokio", &["high"])]),
        [
            "gone stands in the table of xtask/src/lint/modules/floors.rs, and is not there",
            "low must not use high: low::a does",
            "low must not use lib.rs: low::a does",
            "low::a must not use the crate tokio",
            "new is not in the table of xtask/src/lint/modules/floors.rs",
        ]
    );
}
