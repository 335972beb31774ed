use proptest::prelude::{Just, Strategy, any, prop_assert, prop_oneof, proptest};

use super::*;

fn faults(json: &str, data: u64) -> Vec<SafetensorsFault> {
    let mut file = (json.len() as u64).to_le_bytes().to_vec();
    file.extend_from_slice(json.as_bytes());
    let size = file.len() as u64 + data;
    read(&mut file.as_slice(), size).expect("memory can be read").faults
}

#[test]
fn a_valid_file_has_no_faults() {
    for (json, data) in [
        (r#"{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}   "#, 16),
        (r#"{"scalar":{"dtype":"BF16","shape":[],"data_offsets":[0,2]}}"#, 2),
        (
            r#"{"none":{"dtype":"I64","shape":[0,7],"data_offsets":[4,4]},"x":{"dtype":"F4","shape":[8],"data_offsets":[0,4]}}"#,
            4,
        ),
        (
            r#"{"later":{"dtype":"U8","shape":[3],"data_offsets":[2,5]},"\u0066irst":{"dtype":"I8","shape":[2],"data_offsets":[0,2],"more":1}}"#,
            5,
        ),
    ] {
        assert_eq!(faults(json, data), [], "{json}");
    }
}

#[test]
fn every_fault_is_reported() {
    let bad_header = |json: &str, expected: &str| match faults(json, 0).as_slice() {
        [SafetensorsFault::BadHeader(why)] => assert!(why.contains(expected), "{json}: {why}"),
        other => panic!("{json}: {other:?}"),
    };
    bad_header("", "EOF");
    bad_header("[]", "an object of tensors");
    bad_header(r#"{"a":{"dtype":"F32","shape":[1]}}"#, "data_offsets");
    bad_header(r#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, "u64");
    bad_header(r#"{"__metadata__":{"a":1}}"#, "a string");
    bad_header(
        r#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#,
        "two tensors",
    );
    let bad_offsets = |json: &str, expected: &str, others: usize| match faults(json, 8).as_slice() {
        [SafetensorsFault::BadOffsets { why, more }] => {
            assert!(why.contains(expected) && *more == others, "{json}: {why} {more}");
        }
        other => panic!("{json}: {other:?}"),
    };
    let two = |one: &str, other: &str| {
        format!(
            r#"{{"a":{{"dtype":"U8","shape":[4],"data_offsets":{one}}},"b":{{"dtype":"U8","shape":[4],"data_offsets":{other}}}}}"#
        )
    };
    bad_offsets(&two("[0,4]", "[5,9]"), "a gap from 4 to 5", 0);
    bad_offsets(&two("[1,5]", "[5,9]"), "a gap from 0 to 1", 0);
    bad_offsets(&two("[0,4]", "[3,7]"), "within another", 0);
    bad_offsets(&two("[0,4]", "[0,4]"), "within another", 0);
    bad_offsets(&two("[0,4]", "[8,4]"), "before it starts", 0);
    bad_offsets(&two("[0,3]", "[3,8]"), "of U8 [4] has 3 bytes", 1);
    let huge = r#"{"a":{"dtype":"F64","shape":[4294967296,4294967296],"data_offsets":[0,8]}}"#;
    bad_offsets(huge, "has 8 bytes", 0);
    bad_offsets(r#"{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,1]}}"#, "of F4 [3]", 0);

    let one = r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;
    let header = 8 + one.len() as u64;
    assert_eq!(faults(one, 7), [SafetensorsFault::Truncated { size: header + 7, needed: header + 8 }]);
    assert_eq!(faults(one, 9), [SafetensorsFault::Trailing { extra: 1 }]);
    let none = r#"{"a":{"dtype":"F32","shape":[0,3],"data_offsets":[0,0]}}"#;
    assert_eq!(
        (faults("{}", 0), faults(none, 0)),
        (vec![SafetensorsFault::NoTensors], vec![SafetensorsFault::NoTensors])
    );
    let new = r#"{"a":{"dtype":"F2","shape":[2],"data_offsets":[0,8]}}"#;
    assert_eq!(faults(new, 8), [SafetensorsFault::UnknownDtype { tensor: "a".into(), dtype: "F2".into(), more: 0 }]);
    let end = u64::MAX;
    let far = format!(r#"{{"a":{{"dtype":"new","shape":[2],"data_offsets":[0,{end}]}}}}"#);
    assert!(matches!(faults(&far, 8)[0], SafetensorsFault::Truncated { needed: u64::MAX, .. }));
}

#[test]
fn a_header_is_utf_8_even_in_skipped_values() {
    let mut file = br#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"note":"x"}}"#.to_vec();
    let at = file.iter().position(|byte| *byte == b'x').expect("a note");
    file[at] = 0xE9;
    let judged = judge(&file, 1, 0);
    assert_eq!(judged.faults, [SafetensorsFault::BadHeader("is not UTF-8".into())]);
}

#[test]
fn a_header_longer_than_the_file_is_never_read() {
    let broken = |bytes: &[u8], size| read(&mut &*bytes, size).expect("memory can be read").faults;
    assert_eq!(broken(b"1234567", 7), [SafetensorsFault::Truncated { size: 7, needed: 8 }]);
    assert_eq!(broken(&9_u64.to_le_bytes(), 16), [SafetensorsFault::Truncated { size: 16, needed: 17 }]);
    for length in [MAX_HEADER + 1, u64::MAX] {
        assert!(matches!(broken(&length.to_le_bytes(), 1 << 40)[..], [SafetensorsFault::BadHeader(_)]));
    }
}

proptest! {
    #[test]
    fn no_bytes_cause_a_panic(bytes: Vec<u8>, more in 0_u64..1 << 50) {
        let size = (bytes.len() as u64).saturating_add(more);
        drop(read(&mut bytes.as_slice(), size));
    }

    #[test]
    fn no_header_causes_a_panic(header in almost_a_header(), available: u64) {
        let judged = judge(header.as_bytes(), available, 8 + header.len() as u64);
        prop_assert!(judged.faults.len() <= 2);
    }
}

fn almost_a_header() -> impl Strategy<Value = String> {
    let dtype = prop_oneof![Just("F32"), Just("F4"), Just("odd")];
    let number = prop_oneof![0_u64..20, any::<u64>()];
    let tensor = ("[a-c]", dtype, proptest::collection::vec(number.clone(), 0..4), number.clone(), number).prop_map(
        |(name, dtype, shape, from, to)| {
            format!(r#""{name}":{{"dtype":"{dtype}","shape":{shape:?},"data_offsets":[{from},{to}]}}"#)
        },
    );
    proptest::collection::vec(tensor, 0..4).prop_map(|tensors| format!("{{{}}}", tensors.join(",")))
}

#[test]
fn header_survives_mutation() {
    let json = br#"{"__metadata__":{"format":"pt"},"w":{"dtype":"BF16","shape":[2,2],"data_offsets":[0,8]}}"#;
    let mut whole = (json.len() as u64).to_le_bytes().to_vec();
    whole.extend_from_slice(json);
    whole.extend_from_slice(&[0; 8]);
    crate::fuzz::fuzz("safetensors", &[&whole], |input| {
        for size in [input.len() as u64, 1 << 40] {
            drop(read(&mut &*input, size));
        }
    });
}
