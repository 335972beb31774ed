//! Attaching to an upload: the output of a foreground run, at any time, for any number of readers.

use serde_json::Value;

use super::{Stage, id};
use crate::support::{CREATE, Running, Terminal, env_with_model};

/// Lines of standard error that both have: the source path is normalised, and times differ.
fn messages(text: &str) -> Vec<String> {
    let lines = text.lines().filter(|line| !line.contains("Elapsed"));
    lines.map(|line| line.replace("[ROOT]/here/model", "model")).collect()
}

#[test]
fn output_names_the_upload_and_its_files() {
    let stage = Stage::waiting();
    let started = stage.detach(&[]);
    let keys: Vec<&String> = started.as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["id", "name", "version", "pid", "journal", "log", "events"]);
    assert_eq!((&started["name"], &started["version"]), (&"my-model".into(), &"1".into()));
    stage.at_28_percent();
    for (key, name) in [("journal", "journal.json"), ("log", "log"), ("events", "events.ndjson")] {
        assert_eq!(started[key], format!("[ROOT]/home/.azd/ai-models/uploads/[UPLOAD]/{name}"));
        assert!(stage.directory(&started).join(name).is_file(), "{name}");
    }
    let listed = stage.listed();
    assert_eq!(
        (&listed["id"], &listed["pid"], &listed["state"]),
        (&started["id"], &started["pid"], &"uploading".into())
    );
    assert_eq!(listed["bytes"], 1050);
    let table = stage.uploads("list", &[]).success().stdout;
    let heads = table.lines().next().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(heads, "ID NAME VERSION STATE DONE RATE ETA PID FILES SIZE AGE SOURCE");
    stage.release();
    stage.ended();
    let listed = stage.listed();
    assert_eq!((&listed["state"], &listed["pid"], &listed["percent"]), (&"done".into(), &Value::Null, &Value::Null));
    assert_eq!(stage.registrations(), 1);
}

#[test]
fn page_names_the_commands_to_attach_and_stop() {
    let stage = Stage::scripted("default\n");
    let output = stage.env.run(&[&CREATE[..], &["--background", "--no-inhibit"]].concat()).success();
    let page = output.stdout;
    let id = page.split(' ').nth(1).expect("an id");
    assert!(page.contains(&format!("\n  azure-ai-models custom uploads attach {id}\n")), "{page}");
    assert!(page.contains(&format!("\n  azure-ai-models custom uploads stop {id}\n")), "{page}");
    stage.uploads("attach", &[id]).success();
}

/// Output, messages and exit code are those of a foreground run, during the upload and after it.
#[test]
fn attach_shows_the_output_of_the_foreground() {
    let foreground = {
        let env = env_with_model();
        env.run(&CREATE).success()
    };
    let stage = Stage::waiting();
    let started = stage.detach(&[]);
    stage.at_28_percent();
    let readers = [(), ()].map(|()| Running::start(&stage.env, &["custom", "uploads", "attach", id(&started)]));
    for reader in &readers {
        reader.wait_for("  28% (294 B / 1.0 KB)");
    }
    stage.release();
    let mut ends: Vec<_> = readers.into_iter().map(|reader| reader.finish(&stage.env).success()).collect();
    ends.push(stage.attach(&started, &[]).success());
    for end in &ends {
        let is_past = |line: &String| !line.contains("28%");
        let seen: Vec<String> = messages(&end.stderr).into_iter().filter(is_past).collect();
        let shown = messages(&foreground.stderr);
        assert_eq!(seen, shown);
        let page = |output: &str| output.split("To deploy").next().unwrap_or_default().to_owned();
        assert_eq!(page(&end.stdout), page(&foreground.stdout));
    }
    let json = stage.attach(&started, &["-o", "json"]).success().json();
    assert_eq!((&json["name"], &json["version"]), (&"my-model".into(), &"1".into()));
}

#[test]
fn json_lines_are_those_of_the_foreground() {
    let names = |text: &str| -> Vec<String> {
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        lines.map(|line| line["event"].as_str().unwrap_or("schema").to_owned()).collect()
    };
    let env = env_with_model();
    let foreground = env.run(&[&CREATE[..], &["--progress", "json"]].concat()).success();
    let stage = Stage::scripted("default\n");
    let started = stage.detach(&[]);
    stage.ended();
    let attached = stage.attach(&started, &["--progress", "json"]).success();
    assert_eq!(names(&attached.stderr), names(&foreground.stderr));
    assert!(!attached.stderr.contains("_found"), "{attached}");
    let file = stage.text(&started, "events.ndjson");
    assert!(file.starts_with("{\"schema\":\"azure.ai.models/progress\",\"version\":1}\n"), "{file}");
    for line in attached.stderr.lines().filter(|line| !line.contains("progress")) {
        assert!(file.lines().any(|there| there == line), "not in the file: {line}");
    }
}

#[test]
fn terminal_shows_the_bar_and_ctrl_c_leaves_the_upload_running() {
    let stage = Stage::waiting();
    let started = stage.detach(&[]);
    let mut terminal = Terminal::start(&stage.env, 110, &["custom", "uploads", "attach", id(&started)]);
    terminal.wait_for("28.0% (294 B / 1.0 KB)");
    terminal.type_text("\u{3}");
    let ended = terminal.finish();
    assert_eq!(ended.code, 130, "{}", ended.screen);
    assert!(ended.screen.contains("Interrupted. The upload continues."), "{}", ended.screen);
    assert!(!ended.cursor_hidden, "{}", ended.screen);
    assert_eq!(stage.listed()["state"], "uploading");
    let terminal = Terminal::start(&stage.env, 110, &["custom", "uploads", "attach", id(&started)]);
    terminal.wait_for("28.0% (294 B / 1.0 KB)");
    stage.release();
    let ended = terminal.finish();
    assert_eq!(ended.code, 0, "{}", ended.screen);
    assert!(ended.screen.contains("Model registered successfully!"), "{}", ended.screen);
    assert!(ended.screen.contains("  State:        Succeeded"), "{}", ended.screen);
}

#[test]
fn attach_to_a_failed_upload_fails_with_its_error() {
    let stage = Stage::scripted("init\nend Failed 0 1050 0 2 2\nexit 1\n");
    let started = stage.detach(&[]);
    stage.ended();
    let output = stage.attach(&started, &[]).fails_with(7);
    assert!(output.stderr.contains("ERROR: Upload interrupted. Run the same command to resume."), "{output}");
    assert!(output.stderr.contains("custom create --name my-model --source [ROOT]/here/model"), "{output}");
    assert!(output.stderr.contains("--detach"), "{output}");
    let error = stage.attach(&started, &["-o", "json"]).fails_with(7).json_error();
    assert_eq!((&error["kind"], &error["code"]), (&"upload_failed".into(), &"files_failed".into()));
    assert_eq!(stage.listed()["state"], "failed");
    let log = stage.uploads("log", &[id(&started)]).success().stdout;
    assert!(log.contains("Step 2/3: Uploading model files...") && log.contains("ERROR: "), "{log}");
}

#[test]
fn foreground_upload_cannot_be_attached_to() {
    let stage = Stage::waiting();
    let running = Running::start(&stage.env, &CREATE);
    running.wait_for("Uploading 2 files");
    let listed = stage.listed();
    let id = listed["id"].as_str().expect("an id");
    assert_eq!(listed["pid"], running.pid());
    for word in ["attach", "stop"] {
        let output = stage.uploads(word, &[id]).fails_with(5);
        assert!(output.stderr.contains("is not detached (process "), "{output}");
    }
    assert!(stage.uploads("log", &[id]).fails_with(3).stderr.contains("has no log"));
    stage.release();
    running.finish(&stage.env).success();
}
