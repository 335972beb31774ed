use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::*;

/// Returns a few bytes at a time, so that tokens cross every boundary.
struct TricklingReader<'a>(&'a [u8], usize);

impl Read for TricklingReader<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.1.min(self.0.len()).min(out.len());
        out[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

fn value(text: impl AsRef<[u8]>) -> Result<Value, String> {
    read::<Value>(text.as_ref()).expect("memory can be read")
}

fn fault(text: impl AsRef<[u8]>) -> String {
    value(text).expect_err("a fault")
}

#[test]
fn json_written_by_python_is_read() {
    for (text, expected) in [
        ("[NaN, Infinity,-Infinity\t,\nNaN]", json!([0, 0, -0.0, 0])),
        ("{\"NaN\": NaN, \"Infinity\":Infinity}", json!({"NaN": 0, "Infinity": 0})),
        ("\"\\\"NaN\"", json!("\"NaN")),
        ("[\"\\\\\", NaN]", json!(["\\", 0])),
        ("\"\\ud800\"", json!("\u{fffd}")),
        ("\"\\udc00\\ud83d\\uDE00\\ud83dx\"", json!("\u{fffd}\u{1f600}\u{fffd}x")),
        ("NaN", json!(0)),
    ] {
        assert_eq!(value(text), Ok(expected), "{text}");
    }
}

#[test]
fn json_rejected_by_python_is_rejected() {
    for text in [
        "[-NaN]",
        "[+NaN]",
        "[NaN5]",
        "[1NaN]",
        "[1Infinity]",
        "[Infinity5]",
        "[--Infinity]",
        "[nan]",
        "[- Infinity]",
        "[INFINITY]",
        "{NaN: 1}",
        "[NaN NaN]",
        "[1 NaN]",
        "\"\u{1}\"",
        "[1,]",
        "{'a': 1}",
        "// a\n1",
        "\"\\ud8\"",
        "\"\\x\"",
        "01",
        "[\"a\"NaN]",
        "[NaNInfinity]",
    ] {
        assert!(value(text).is_err(), "{text}");
    }
}

#[test]
fn faults_are_described() {
    assert_eq!(fault(""), "is empty");
    assert_eq!(fault(" \n"), "is empty");
    assert!(fault("\u{feff}{}").contains("byte order mark (BOM)"));
    assert_eq!(fault(b"\xFF\xFE{\0}\0"), "is UTF-16, not UTF-8");
    assert_eq!(fault(b"{\"a\": \"caf\xE9\"}"), "is not UTF-8 (at byte 10)");
    assert_eq!(fault(b"\"\xC3"), "is not UTF-8 (at byte 1)");
    assert_eq!(fault("<!DOCTYPE html>"), "is a web page, not JSON");
    assert!(fault("{\"a\":").starts_with("is truncated (EOF"));
    assert_eq!(fault("{\"a\": Nan}"), "is not valid JSON: expected value at line 1 column 7");
    // Also in a skipped value.
    let skipped = read::<AnyObject>(&b"{\"a\": [\"caf\xE9\"]}"[..]).expect("memory can be read");
    assert_eq!(skipped.map(drop), Err("is not UTF-8 (at byte 11)".to_owned()));
}

#[test]
fn chunk_boundaries_do_not_change_the_result() {
    let fields = |number| format!(", \"ü{number}\": [NaN,-Infinity, \"\\ud83d\\ude00\\ud800é\", Infinity]");
    let fields: String = (0..40).map(fields).collect();
    let text = format!("{{\"pad\": \"{}\"{fields}}}", "x".repeat(CHUNK - 40));
    let whole = value(&text).expect("JSON");
    assert_eq!(whole["ü7"], json!([0, -0.0, "\u{1f600}\u{fffd}é", 0]));
    for step in [1, 7, 4096] {
        assert_eq!(read::<Value>(TricklingReader(text.as_bytes(), step)).expect("memory"), Ok(whole.clone()), "{step}");
    }
    for pad in CHUNK - 60..CHUNK - 10 {
        let text = format!("[\"{}\", NaN, -Infinity, \"\\ud83d\\ude00é\", NaN]", "x".repeat(pad));
        let rest = value(&text).map(|value| value.as_array().map(|items| items[1..].to_vec()));
        assert_eq!(rest, Ok(Some(vec![json!(0), json!(-0.0), json!("\u{1f600}é"), json!(0)])), "{pad}");
    }
}

#[derive(Deserialize)]
struct JsonCase {
    document: String,
    valid: bool,
}

/// Documents of `ci/json.sh`: a fixed selection, and more if `JSON_DOCUMENTS` names a file of them.
#[test]
#[expect(clippy::print_stdout, reason = "number of comparisons, for the user of the script")]
fn a_document_is_accepted_exactly_if_pythons_json_accepts_it() {
    let kept = include_str!("../../../../tests/data/json.jsonl").to_owned();
    let text = match std::env::var("JSON_DOCUMENTS") {
        Ok(file) => std::fs::read_to_string(file).expect("the documents"),
        Err(_) => kept,
    };
    let (mut all, mut valid) = (0, 0);
    for line in text.lines() {
        let case: JsonCase = serde_json::from_str(line).expect("a case");
        let document = BASE64_STANDARD.decode(&case.document).expect("base64");
        let found = read::<IgnoredAny>(&document[..]).expect("memory can be read");
        assert_eq!(found.is_ok(), case.valid, "{}\n{found:?}", String::from_utf8_lossy(&document));
        all += 1;
        valid += u32::from(case.valid);
    }
    println!("{all} documents, {valid} of them valid");
    assert!(all >= 500 && valid >= 100, "{all} documents, {valid} of them valid, are too few");
}

#[test]
fn document_survives_mutation() {
    let seeds: [&[u8]; 3] = [
        br#"{"a":[NaN,-Infinity,"\ud83d\ude00","\ud800x"],"b":1e5}"#,
        "\u{feff}{\"\u{e9}\":Infinity}".as_bytes(),
        b"[[[]]]",
    ];
    crate::fuzz::fuzz("model-json", &seeds, |input| {
        for step in [input.len().max(1), 1] {
            assert!(read::<IgnoredAny>(TricklingReader(input, step)).is_ok(), "memory can be read");
        }
    });
}
