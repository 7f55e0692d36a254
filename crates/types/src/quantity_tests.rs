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

#[test]
fn a_decimal_is_written_as_people_write_it() {
    for (read, written) in [("0", "0"), ("-0.0", "0"), ("1e3", "1000"), ("1.50", "1.5"), ("0.001", "0.001"), ("-12.5e-1", "-1.25"), ("1e-2", "0.01")]
    {
        assert_eq!(serde_json::to_string(&amount(read).unwrap()).unwrap(), written);
    }
}

#[test]
fn what_lies_between_two_steps_is_refused_on_the_way_back_too() {
    for bad in ["0.0005", "1e300", "\"1\"", "null"] {
        assert!(serde_json::from_str::<MilliCpu>(bad).is_err(), "{bad}");
    }
    assert!(serde_json::from_str::<Bytes>("0.3").is_err());
    assert_eq!(serde_json::from_str::<Bytes>("4").unwrap(), Bytes(4 * GIB));
}

proptest! {
    #[test]
    fn every_quantity_survives_json(millis in 0..=CPU_MAX.0, mib in 0_i64..=16_000_000) {
        let text = serde_json::to_string(&MilliCpu(millis)).expect("serializes");
        prop_assert_eq!(cpu(&text), Ok(millis));
        prop_assert_eq!(serde_json::from_str::<MilliCpu>(&text).expect("parses"), MilliCpu(millis));
        let text = serde_json::to_string(&Bytes(mib * MIB)).expect("serializes");
        prop_assert_eq!(memory(&text), Ok(mib * MIB));
        prop_assert_eq!(serde_json::from_str::<Bytes>(&text).expect("parses"), Bytes(mib * MIB));
    }

    #[test]
    fn every_amount_survives_json(text in r#"-?(0|[1-9][0-9]{0,29})(\.[0-9]{1,30})?([eE][+-]?([0-9]|[12][0-9]|30))?|"[A-Za-z0-9.]*""#) {
        // A number that has too many digits is refused on the way in.
        if let Ok(read) = amount(&text) {
            let written = serde_json::to_string(&read).expect("serializes");
            prop_assert_eq!(amount(&written), Ok(read), "{}", written);
        }
    }

    #[test]
    fn no_text_panics(text in "\\PC*") {
        let _ = Decimal::parse(&text);
    }
}
