//! Kubernetes quantities (`250m`, `1.5Gi`, `2e3`) as thousandths, and sums of what Pods ask for.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::value::{at, list, number, plain};

const SUFFIXES: [(&str, f64); 14] = [
    ("Ki", 1024.0),
    ("Mi", 1_048_576.0),
    ("Gi", 1_073_741_824.0),
    ("Ti", 1_099_511_627_776.0),
    ("Pi", 1_125_899_906_842_624.0),
    ("n", 1e-9),
    ("u", 1e-6),
    ("m", 1e-3),
    ("k", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("T", 1e12),
    ("P", 1e15),
    ("E", 1e18),
];

/// A quantity in thousandths; nothing for what is none.
pub(in crate::sim) fn parse(value: &Value) -> Option<i128> {
    let text = plain(value);
    let (number, factor) = SUFFIXES.iter().find_map(|(s, f)| Some((text.strip_suffix(s)?, *f))).unwrap_or((&text, 1.0));
    let thousandths = number.parse::<f64>().ok()? * factor * 1000.0;
    #[expect(clippy::cast_possible_truncation, reason = "no quantity comes near the limit")]
    thousandths.is_finite().then(|| thousandths.round() as i128)
}

/// Thousandths in the shortest form that says the same; memory and storage in powers of two where they fit.
pub(in crate::sim) fn show(thousandths: i128, binary: bool) -> String {
    if thousandths % 1000 != 0 {
        return format!("{thousandths}m");
    }
    let whole = thousandths / 1000;
    let suffixes: &[(&str, i128)] = if binary { &[("Gi", 1 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10)] } else { &[] };
    match suffixes.iter().find(|(_, factor)| whole != 0 && whole % factor == 0) {
        Some((suffix, factor)) => format!("{}{suffix}", whole / factor),
        None => whole.to_string(),
    }
}

/// What a Pod asks for in all (`of` is `requests` or `limits`): its containers and sidecars together, or one init
/// container if that alone asks for more.
pub(in crate::sim) fn of_pod(spec: &Value, of: &str) -> BTreeMap<String, i128> {
    let mut sum = BTreeMap::new();
    let asked = |container: &Value| -> Vec<(String, i128)> {
        let resources = at(container, &format!("resources.{of}")).and_then(Value::as_object);
        resources.into_iter().flatten().filter_map(|(name, value)| Some((name.clone(), parse(value)?))).collect()
    };
    let (sidecars, first): (Vec<&Value>, Vec<&Value>) = list(spec, "initContainers").iter().partition(|c| c["restartPolicy"] == "Always");
    for (name, value) in list(spec, "containers").iter().chain(sidecars).flat_map(&asked) {
        *sum.entry(name).or_default() += value;
    }
    for (name, value) in first.into_iter().flat_map(asked) {
        let so_far = sum.entry(name).or_default();
        *so_far = value.max(*so_far);
    }
    sum
}

/// How many of `total` a count or a percentage is.
pub(in crate::sim) fn share(value: &Value, total: i64, up: bool) -> Option<i64> {
    match value.as_str() {
        Some(text) => {
            let percent: i64 = text.strip_suffix('%')?.parse().ok()?;
            Some(if up { (total * percent + 99) / 100 } else { total * percent / 100 })
        }
        None => number(value, ""),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn quantities_are_read_and_shown() {
        for (text, thousandths, binary) in
            [("250m", 250, false), ("2", 2000, false), ("1Gi", 1_073_741_824_000, true), ("64Mi", 67_108_864_000, true), ("1e3", 1_000_000, false)]
        {
            assert_eq!(parse(&json!(text)), Some(thousandths));
            let shown = show(thousandths, binary);
            assert_eq!(parse(&json!(shown)), Some(thousandths), "{shown}");
        }
        assert_eq!(show(67_108_864_000, true), "64Mi");
        assert_eq!(show(500, false), "500m");
        assert_eq!(parse(&json!("lots")), None);
    }

    #[test]
    fn an_init_container_counts_only_if_it_asks_for_more() {
        let ask = |cpu: &str| json!({"resources": {"requests": {"cpu": cpu}}});
        let spec = json!({"containers": [ask("1"), ask("500m")], "initContainers": [ask("1")]});
        assert_eq!(of_pod(&spec, "requests")["cpu"], 1500);
        let spec = json!({"containers": [ask("1")], "initContainers": [ask("3")]});
        assert_eq!(of_pod(&spec, "requests")["cpu"], 3000);
    }
}
