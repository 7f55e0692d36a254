use proptest::prelude::*;

use super::*;

fn amount(json: &str) -> Result<Amount, String> {
    serde_json::from_str(json).map_err(|e| e.to_string())
}

fn cpu(json: &str) -> Result<i64, String> {
    MilliCpu::parse(&amount(json)?).map(|c| c.0)
}

fn memory(json: &str) -> Result<i64, String> {
    Bytes::parse(&amount(json)?).map(|b| b.0)
}

#[test]
fn decimals_are_read_exactly() {
    assert_eq!(cpu("16.0"), Ok(16_000));
    assert_eq!(cpu("0.1"), Ok(100));
    assert_eq!(cpu("0.001"), Ok(1));
    assert_eq!(cpu("1e1"), Ok(10_000));
    assert_eq!(cpu("1.5e-1"), Ok(150));
    assert_eq!(cpu("2.0000000000000000"), Ok(2_000));
    assert_eq!(cpu("\"500m\""), Ok(500));
    assert_eq!(memory("4"), Ok(4 * GIB));
    assert_eq!(memory("0.5"), Ok(512 * MIB));
    assert_eq!(memory("\"4Gi\""), Ok(4 * GIB));
    assert_eq!(memory("\"512Mi\""), Ok(512 * MIB));
}

#[test]
fn what_cannot_be_kept_exactly_is_refused_with_the_step() {
    assert!(cpu("0.0001").is_err_and(|e| e.contains("0.001")));
    assert!(memory("0.3").is_err_and(|e| e.contains("MiB")));
    assert!(cpu("-1").is_err_and(|e| e.contains("negative")));
    for huge in ["1e18", "1e300", "1e-2147483648", "1e2147483647", "99999999999999999999999999999999999999999999", "1000001"] {
        assert!(cpu(huge).is_err(), "{huge}");
        assert!(memory(huge).is_err() || huge == "1000001", "{huge}");
    }
    for bad in ["true", "null", "[]", "{}", "\"NaN\"", "\"Infinity\"", "\"\"", "\"1.\"", "\".5\"", "\"1,5\"", "\"m\""] {
        assert!(cpu(bad).is_err(), "{bad}");
        assert!(memory(bad).is_err(), "{bad}");
    }
}

proptest! {
    #[test]
    fn every_quantity_survives_json(millis in 0..=CPU_MAX.0, mib in 0_i64..=16_000_000) {
        let text = serde_json::to_string(&MilliCpu(millis)).expect("serializes");
        prop_assert_eq!(cpu(&text), Ok(millis));
        let text = serde_json::to_string(&Bytes(mib * MIB)).expect("serializes");
        prop_assert_eq!(memory(&text), Ok(mib * MIB));
    }

    #[test]
    fn no_text_panics(text in "\\PC*") {
        let _ = Decimal::parse(&text);
    }
}
