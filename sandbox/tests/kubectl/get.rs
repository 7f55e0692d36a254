//! Reading: tables, output formats, selectors, order, pages, watches.

use super::tour::{Tour, has, rows};

const MAPS: &str = "
{apiVersion: v1, kind: ConfigMap, metadata: {name: one, labels: {colour: red, size: s}}, data: {rank: '3'}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: two, labels: {colour: blue}}, data: {rank: '1', more: x}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: three, labels: {colour: red}, annotations: {note: 'a b'}}, data: {rank: '2'}}
---
{apiVersion: v1, kind: Pod, metadata: {name: p, labels: {colour: red}}, spec: {containers: [{name: app, image: 'nginx:1'}]}}
";

fn with_maps(theme: &str) -> Option<Tour> {
    let tour = Tour::begin(theme)?;
    tour.ok_with("create -f -", MAPS);
    tour.until("get cm -o name", |names| names.contains("kube-root-ca.crt") || !tour.real());
    Some(tour)
}

#[test]
fn tables_have_the_columns_of_their_kind() {
    let Some(tour) = with_maps("tables") else { return };
    tour.ok("wait --for=condition=Ready pod/p --timeout=180s");
    let table = tour.ok("get cm -l colour");
    assert_eq!(rows(&table)[0], ["NAME", "DATA", "AGE"]);
    assert_eq!(rows(&table).iter().skip(1).map(|r| r[..2].join("=")).collect::<Vec<_>>(), ["one=1", "three=1", "two=2"]);
    assert_eq!(rows(&tour.ok("get pod p"))[0], ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]);
    assert_eq!(rows(&tour.ok("get pod p --no-headers"))[0][..4], ["p", "1/1", "Running", "0"]);
    let wide = tour.ok("get pod p -o wide");
    has(&wide, &["IP ", "NODE ", "NOMINATED NODE", "READINESS GATES", "127."]);
    let labels = tour.ok("get cm -l colour --show-labels");
    has(&labels, &["LABELS\n", "colour=red,size=s\n"]);
    let columns = tour.ok("get cm -l colour -L colour,size");
    assert_eq!(rows(&columns)[0], ["NAME", "DATA", "AGE", "COLOUR", "SIZE"]);
    let kind = tour.ok("get cm,pod -l colour=red --show-kind --no-headers");
    assert_eq!(rows(&kind).iter().map(|r| r[0]).collect::<Vec<_>>(), ["configmap/one", "configmap/three", "pod/p"]);
    let everywhere = tour.ok("get pods -A -l colour=red");
    assert_eq!(rows(&everywhere)[0][..2], ["NAMESPACE", "NAME"]);
    assert!(everywhere.contains(tour.namespace()));
    has(&tour.ok("get all"), &["pod/p "]);
    let none = tour.run("get secrets -l none=such", "", &[]);
    assert_eq!((none.code, none.stdout.as_str()), (0, ""));
    assert_eq!(none.stderr, format!("No resources found in {} namespace.", tour.namespace()));
}

#[test]
fn every_output_format_works() {
    let Some(tour) = with_maps("formats") else { return };
    assert_eq!(tour.ok("get cm one -o name"), "configmap/one\n");
    has(&tour.ok("get cm one -o yaml"), &["apiVersion: v1\n", "kind: ConfigMap\n", "  rank: \"3\"\n"]);
    assert!(!tour.ok("get cm one -o yaml").contains("managedFields"));
    has(&tour.ok("get cm one -o yaml --show-managed-fields"), &["manager: kubectl-create\n", "operation: Update\n"]);
    has(&tour.ok("get cm one two -o json"), &["\"kind\": \"List\"", "\"name\": \"two\""]);
    assert_eq!(tour.ok("get cm one -o jsonpath={.data.rank}"), "3");
    assert_eq!(tour.ok("get cm -l colour -o 'jsonpath={range .items[*]}{.metadata.name} {.data.rank}{\"\\n\"}{end}'"), "one 3\nthree 2\ntwo 1\n");
    assert_eq!(tour.ok("get cm -l colour -o 'jsonpath={.items[?(@.data.rank==\"2\")].metadata.name}'"), "three");
    let custom = tour.ok("get cm -l colour -o custom-columns=N:.metadata.name,X:.data.rank,Z:.data.zzz");
    assert_eq!(rows(&custom), [["N", "X", "Z"], ["one", "3", "<none>"], ["three", "2", "<none>"], ["two", "1", "<none>"]]);
    assert_eq!(tour.ok("get cm -l colour -o 'go-template={{range .items}}{{.metadata.name}} {{end}}'"), "one three two ");
    if tour.kubectl_has(34) {
        has(&tour.ok("get cm one -o kyaml"), &["kind: \"ConfigMap\""]);
    }
    assert_eq!(tour.ok("get configmaps/one pod/p -o name"), "configmap/one\npod/p\n");
    let file = tour.file("template", "{{.metadata.name}}!");
    assert_eq!(tour.ok(&format!("get cm one -o go-template-file={file}")), "one!");
    assert_eq!(tour.ok_with("get -f - -o name", MAPS), "configmap/one\nconfigmap/two\nconfigmap/three\npod/p\n");
    has(&tour.ok(&format!("get --raw /api/v1/namespaces/{}/configmaps/one", tour.namespace())), &["\"kind\":\"ConfigMap\"", "\"rank\":\"3\""]);
}

#[test]
fn selectors_choose() {
    let Some(tour) = with_maps("selectors") else { return };
    tour.ok("wait --for=condition=Ready pod/p --timeout=180s");
    let chosen = |options: &str| tour.ok(&format!("get cm -o name {options}")).replace("configmap/", "").replace('\n', " ");
    assert_eq!(chosen("-l colour=red"), "one three ");
    assert_eq!(chosen("-l colour!=red,colour"), "two ");
    assert_eq!(chosen("-l 'colour in (red,green),!size'"), "three ");
    assert_eq!(chosen("-l 'colour notin (red),colour'"), "two ");
    assert_eq!(chosen("--field-selector=metadata.name=two"), "two ");
    assert_eq!(chosen("-l colour=red --field-selector=metadata.name!=one"), "three ");
    assert_eq!(tour.ok("get pods -o name --field-selector=status.phase=Running"), "pod/p\n");
    assert_eq!(tour.ok("get pods -o name --field-selector=status.phase!=Running"), "");
    has(
        &tour.fails("get cm --field-selector=data.rank=3"),
        &["\"data.rank\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""],
    );
    has(&tour.fails("get cm -l 'a in'"), &["unable to parse requirement"]);
}

#[test]
fn pages_and_orders_change_nothing_else() {
    let Some(tour) = with_maps("pages") else { return };
    let all = tour.ok("get cm -l colour -o name");
    assert_eq!(tour.ok("get cm -l colour -o name --chunk-size=1"), all);
    assert_eq!(rows(&tour.ok("get cm -l colour --chunk-size=2 --no-headers")).len(), 3);
    let order = |by: &str| tour.ok(&format!("get cm -l colour -o name --sort-by={by}")).replace("configmap/", "").replace('\n', " ");
    assert_eq!(order(".data.rank"), "two three one ");
    assert_eq!(order(".metadata.name"), "one three two ");
    let table = tour.ok("get cm -l colour --sort-by=.data.rank --no-headers");
    assert_eq!(rows(&table).iter().map(|r| r[0]).collect::<Vec<_>>(), ["two", "three", "one"]);
}

#[test]
fn a_watch_shows_what_is_there_once_and_then_what_changes() {
    let Some(tour) = with_maps("watches") else { return };
    // A watch of kubectl ends by its request timeout, without a failure.
    let seen = tour.ok("get cm one -w --request-timeout=2s --no-headers");
    assert_eq!(rows(&seen).iter().map(|r| r[..2].join(" ")).collect::<Vec<_>>(), ["one 1"]);
    let watch = "get cm -l colour=red -L rank --no-headers -w --output-watch-events --request-timeout=8s";
    let seen = std::thread::scope(|scope| {
        let watching = scope.spawn(|| tour.ok(watch));
        for number in 10.. {
            if watching.is_finished() {
                break;
            }
            tour.ok(&format!("label cm one rank={number} --overwrite"));
        }
        watching.join().expect("a watch")
    });
    let seen = rows(&seen);
    let names: Vec<_> = seen.iter().map(|row| row[..2].join(" ")).collect();
    assert_eq!(names[..2], ["ADDED one", "ADDED three"]);
    assert!(names.len() > 3 && names[2..].iter().all(|name| name == "MODIFIED one"), "{names:?}");
    let numbers: Vec<u32> = seen[2..].iter().map(|row| row[4].parse().expect("a number")).collect();
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "every change, once and in order: {numbers:?}");
}
