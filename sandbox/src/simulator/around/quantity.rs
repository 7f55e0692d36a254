//! Sums of what Pods ask for, in billionths, and shares of a number.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::machinery::notation::quantity::{Form, Quantity};
use crate::machinery::notation::value::{at, list, number};

/// A quantity in billionths; nothing for what is none.
pub(in crate::simulator) fn parse(value: &Value) -> Option<i128> {
    Quantity::of(value).map(|q| q.billionths)
}

/// Billionths as the API writes them; memory and storage in powers of two where they fit.
pub(in crate::simulator) fn show(billionths: i128, binary: bool) -> String {
    Quantity::new(billionths, if binary { Form::Binary } else { Form::Decimal }).to_string()
}

/// What a Pod asks for in all (`of` is `requests` or `limits`): its containers and sidecars together, or one init
/// container if that alone asks for more.
pub(in crate::simulator) fn of_pod(spec: &Value, of: &str) -> BTreeMap<String, i128> {
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
pub(in crate::simulator) fn share(value: &Value, total: i64, up: bool) -> Option<i64> {
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
    fn an_init_container_counts_only_if_it_asks_for_more() {
        let ask = |cpu: &str| json!({"resources": {"requests": {"cpu": cpu}}});
        let spec = json!({"containers": [ask("1"), ask("500m")], "initContainers": [ask("1")]});
        assert_eq!(of_pod(&spec, "requests")["cpu"], 1_500_000_000);
        let spec = json!({"containers": [ask("1")], "initContainers": [ask("3")]});
        assert_eq!(of_pod(&spec, "requests")["cpu"], 3_000_000_000);
    }
}
