//! `--progress json`: one object per line, for programs.

use super::{BROKEN, SLOW, env};
use crate::support::CREATE;

/// Names of an object's fields, in order.
fn fields(line: &str) -> Vec<String> {
    let object: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}"));
    object.as_object().expect("an object").keys().cloned().collect()
}

fn events(text: &str, name: &str) -> Vec<serde_json::Value> {
    let objects = text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    objects.filter(|object| object["event"] == name).collect()
}

#[test]
fn json_lines_have_the_documented_fields() {
    let mut env = env();
    env.azcopy_script(SLOW);
    let output = env.run(&[&CREATE[..], &["--progress", "json"]].concat()).success();
    let mut lines = output.stderr.lines();
    assert_eq!(lines.next(), Some(r#"{"schema":"azure.ai.models/progress","version":1}"#));
    let mut seen: Vec<String> = Vec::new();
    for line in lines {
        let names = fields(line);
        let event: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let name = event["event"].as_str().expect("a name").to_owned();
        let own: &[&str] = match name.as_str() {
            "step" => &["n", "of", "name"],
            "upload.progress" => &["bytes", "totalBytes", "files", "totalFiles", "bytesPerSecond", "etaSeconds"],
            "upload.stalled" => &["seconds", "networkErrorPercent"],
            "upload.done" => &["bytes", "files", "seconds"],
            "register.progress" => &["status", "seconds"],
            "done" => &["name", "version", "status"],
            other => panic!("an unknown event {other}: {line}"),
        };
        assert_eq!(names, [&["event", "time"], own].concat(), "{line}");
        let time = event["time"].as_str().expect("a time");
        let parsed = time::OffsetDateTime::parse(time, &time::format_description::well_known::Rfc3339);
        assert!(parsed.is_ok(), "{line}");
        if seen.last() != Some(&name) {
            seen.push(name);
        }
    }
    seen.dedup();
    insta::assert_snapshot!(seen.join("\n"), @"
    step
    upload.progress
    upload.stalled
    upload.progress
    upload.done
    step
    register.progress
    done
    ");
    let progress: Vec<serde_json::Value> = events(&output.stderr, "upload.progress");
    assert!(progress[0]["bytesPerSecond"].is_null() && progress[0]["etaSeconds"].is_null(), "{}", progress[0]);
    let bytes: Vec<u64> = progress.iter().filter_map(|event| event["bytes"].as_u64()).collect();
    assert!(bytes.is_sorted() && bytes.ends_with(&[1049]), "{bytes:?}");
    assert_eq!(events(&output.stderr, "upload.stalled")[0]["networkErrorPercent"], 84.0);
    assert_eq!(events(&output.stderr, "upload.done")[0]["bytes"], 1050);
    let done = &events(&output.stderr, "done")[0];
    assert_eq!(
        (&done["name"], &done["version"], &done["status"]),
        (&"my-model".into(), &"1".into(), &"Succeeded".into())
    );
}

#[test]
fn failure_is_an_event_followed_by_the_error() {
    let mut env = env();
    env.azcopy_script(BROKEN);
    let six = ["kind", "code", "message", "status", "requestId", "suggestion"];
    let output = env.run(&[&CREATE[..], &["--progress", "json", "-o", "json"]].concat()).fails_with(7);
    assert_eq!(output.stdout, "");
    let lines: Vec<&str> = output.stderr.lines().collect();
    for line in &lines {
        fields(line);
    }
    assert_eq!(fields(lines[lines.len() - 2]), [&["event", "time"], &six[..]].concat(), "{output}");
    assert_eq!(fields(lines[lines.len() - 1]), ["error"], "{output}");
    let names: Vec<String> = output.json_error().as_object().expect("an object").keys().cloned().collect();
    assert_eq!(names, six);
    assert_eq!(output.json_error()["kind"], "upload_failed", "{output}");

    let output = env.run(&[&CREATE[..], &["--progress", "json"]].concat()).fails_with(7);
    assert_eq!(events(&output.stderr, "error").len(), 1, "{output}");
    assert!(output.stderr.contains("}\nERROR: Upload interrupted. Run the same command to resume.\n"), "{output}");
}

#[test]
fn quiet_does_not_suppress_json_lines() {
    let env = env();
    let output = env.run(&[&CREATE[..], &["--progress", "json", "-q"]].concat()).success();
    for line in output.stderr.lines() {
        fields(line);
    }
    assert!(!events(&output.stderr, "done").is_empty(), "{output}");
}
