//! Display of an upload in progress: the bar on a terminal, plain lines, JSON lines, colours.

#[cfg(unix)]
use crate::support::{CANARY, Ended, Terminal, styles};
use crate::support::{CREATE, TestEnv, env_with_model};

/// Limits a twentieth as long: stalls are reported after 0.75 s, status lines come every 1.5 s.
fn env() -> TestEnv {
    let mut env = env_with_model();
    env.set("AZURE_AI_MODELS_TEST_TIME", "0.01/0.05");
    env
}

/// Pauses long enough for a stall and a status line, goes back, and has all bytes before the end.
const SLOW: &str = "\
init
progress 105 1050 0 2
sleep 0.2
progress 294 1050 0 2 84
sleep 2.5
progress 200 1050 0 2
sleep 0.2
progress 1050 1050 1 2
sleep 0.3
end Completed 1050 1050 2 2 0
";

#[cfg(unix)]
fn create(columns: u16, script: &str, more: &[&str]) -> (TestEnv, Ended) {
    let mut env = env();
    env.azcopy_script(script);
    let ended = Terminal::start(&env, columns, &[&CREATE[..], more].concat()).finish();
    (env, ended)
}

/// The text without what depends on the machine's speed.
fn steady<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    let seconds = |word: &str| {
        let digits = word.trim_start_matches(['(', '[']).trim_end_matches([')', ']']).strip_suffix('s');
        digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let masked = |line: &str| {
        let words: Vec<&str> = line.split(' ').map(|word| if seconds(word) { "[SECONDS]" } else { word }).collect();
        words.join(" ")
    };
    let lines = lines.filter(|line| !line.contains("No progress for") && !line.contains("Still uploading"));
    lines.map(masked).collect::<Vec<_>>().join("\n")
}

#[cfg(unix)]
fn assert_a_good_bar(ended: &Ended) {
    assert_eq!(ended.code, 0, "{}", ended.screen);
    assert!(!ended.cursor_hidden, "the cursor is hidden:\n{}", ended.screen);
    assert_eq!(ended.wrapped_bar, None, "{}", ended.screen);
    assert_eq!(ended.bars, 1, "one bar at a time:\n{}", ended.screen);
    let percents = ended.percents();
    assert!(percents.contains(&28.0) && percents.contains(&99.9), "{percents:?}");
    let hundreds = percents.iter().filter(|percent| **percent >= 100.0).count();
    assert_eq!(hundreds, 1, "100 % once, at the end: {percents:?}");
    assert!(percents.windows(2).all(|pair| pair[0].floor() <= pair[1]), "never backwards: {percents:?}");
    let lines: Vec<&str> = ended.screen.lines().filter(|line| !line.starts_with("debug: ")).collect();
    let done = lines.iter().position(|line| line.contains("100.0%")).expect("a last line");
    assert!(lines[done].trim_start().starts_with('━') && !lines[done].contains('─'), "{}", lines[done]);
    assert!(lines[done + 1].starts_with("  Completed in "), "{}", ended.screen);
    assert_eq!(lines[done + 2], "✓ Upload complete", "{}", ended.screen);
    let said = |text: &str| lines.iter().position(|line| line.contains(text)).expect(text);
    assert!(said("No progress for") < done && said("Still uploading... 28%") < done, "{}", ended.screen);
}

#[cfg(unix)]
#[test]
fn a_wide_terminal_shows_the_whole_line() {
    let (env, ended) = create(120, SLOW, &[]);
    assert_a_good_bar(&ended);
    assert!(ended.screen.contains("s, network errors 84 %. Still trying..."), "{}", ended.screen);
    assert!(ended.raw.contains("B/s | Elapsed: "), "a rate after two seconds: {}", ended.raw);
    insta::assert_snapshot!(steady(env.clean(&ended.screen).lines()), @r"
    WARNING: tokenizer not found; the tokenizer of the base model may not match (missing-tokenizer). Add the model's tokenizer.json or tokenizer.model.
    WARNING: No --base-model is given: the service may refuse to register or deploy these weights.
    Using azcopy: [ROOT]/bin/azcopy (10.32.2)

    Creating custom model: my-model (version 1)

    Step 1/3: Requesting upload location...
    ✓ Upload location ready
      Blob URI: http://[BLOBS]/devstoreaccount1/upload-1

    Step 2/3: Uploading model files...
      Source: model (2 files, 1.0 KB)
      ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━ 100.0% (1.0 KB / 1.0 KB) | [RATE] | Elapsed: [SECONDS] | ETA: done
      Completed in [SECONDS]
    ✓ Upload complete

    Step 3/3: Registering model...
    ✓ Model registered successfully!

    ──────────────────────────────────────────────────
      Name:         my-model
      Version:      1
      Format:       safetensors
      Size:         1.0 KB
      Weight type:  FullWeight
      Created:      2026-02-14T10:30:00Z
      State:        Succeeded
    ──────────────────────────────────────────────────

    To deploy this model:
      azure-ai-models custom deployments create --name my-model --model my-model --model-version 1
    ");
}

#[cfg(unix)]
#[test]
fn a_terminal_of_60_columns_shows_what_fits() {
    let (_, ended) = create(60, SLOW, &[]);
    assert_a_good_bar(&ended);
    assert!(ended.screen.contains("100.0% (1.0 KB / 1.0 KB)"), "{}", ended.screen);
}

#[cfg(unix)]
#[test]
fn a_terminal_of_40_columns_shows_what_fits() {
    let (_, ended) = create(40, SLOW, &[]);
    assert_a_good_bar(&ended);
}

#[cfg(unix)]
#[test]
fn a_terminal_that_cannot_draw_gets_plain_lines() {
    let mut env = env();
    env.azcopy_script(SLOW);
    env.set("TERM", "dumb");
    let ended = Terminal::start(&env, 80, &CREATE).finish();
    assert_eq!((ended.code, ended.bars), (0, 0), "{}", ended.screen);
    assert!(ended.screen.contains("\n  28% (294 B / 1.0 KB)"), "{}", ended.screen);
}

/// azd sets `COLUMNS`, and a terminal may have become narrower since.
#[cfg(unix)]
#[test]
fn a_terminal_narrower_than_columns_says_does_not_wrap() {
    let mut env = env();
    env.azcopy_script(SLOW).set("COLUMNS", "200");
    let ended = Terminal::start(&env, 60, &CREATE).finish();
    assert_a_good_bar(&ended);
}

#[cfg(unix)]
#[test]
fn debug_lines_do_not_break_the_bar() {
    let (_, ended) = create(200, SLOW, &["--debug"]);
    assert_a_good_bar(&ended);
    assert!(ended.screen.contains("debug: azcopy started: "), "{}", ended.screen);
    assert!(!ended.raw.contains(CANARY), "{}", ended.raw);
}

#[cfg(unix)]
const QUICK: &str = "init\nprogress 294 1050 0 2\nsleep 0.3\nend Completed 1050 1050 2 2 0\n";

#[cfg(unix)]
#[test]
fn no_color_means_no_colour_and_wins() {
    let mut env = env();
    env.azcopy_script(QUICK).set("NO_COLOR", "1").set("FORCE_COLOR", "1");
    let ended = Terminal::start(&env, 100, &CREATE).finish();
    assert_eq!(ended.styles(), [""; 0], "{}", ended.raw);
    assert!(ended.raw.contains("28.0%"), "the bar is drawn all the same: {}", ended.raw);
    env.emulator().reset();
    assert!(!env.run(&CREATE).success().stderr.contains('\u{1b}'));
}

#[cfg(unix)]
#[test]
fn force_color_colours_the_talk_in_a_pipe_and_never_the_product() {
    let mut env = env();
    env.azcopy_script(QUICK).set("FORCE_COLOR", "1");
    let output = env.run(&[&CREATE[..], &["-o", "json"]].concat()).success();
    assert!(!styles(&output.stderr).is_empty(), "{output}");
    output.json();
    env.unset("FORCE_COLOR").emulator().reset();
    let output = env.run(&CREATE).success();
    assert!(!output.stderr.contains('\u{1b}') && !output.stdout.contains('\u{1b}'), "{output}");
    env.emulator().reset();
    let ended = Terminal::start(&env, 100, &CREATE).finish();
    assert!(!ended.styles().is_empty(), "a terminal has colours: {}", ended.raw);
}

const TENTHS: &str = "\
init
progress 50 1050 0 2
progress 105 1050 0 2
progress 150 1050 0 2
progress 500 1050 1 2
progress 1050 1050 1 2
end Completed 1050 1050 2 2 0
";

#[test]
fn a_log_gets_a_line_at_each_tenth() {
    let mut env = env();
    env.azcopy_script(TENTHS);
    let output = env.run(&CREATE).success();
    let lines =
        output.stderr.lines().skip_while(|line| !line.starts_with("Step 2")).take_while(|line| !line.is_empty());
    insta::assert_snapshot!(steady(lines), @"
    Step 2/3: Uploading model files...
      Source: model (2 files, 1.0 KB)
      Uploading 2 files, 1.0 KB...
      10% (105 B / 1.0 KB)
      47% (500 B / 1.0 KB)
      99% (1.0 KB / 1.0 KB)
      100.0% (1.0 KB / 1.0 KB) | [RATE] | Elapsed: [SECONDS] | ETA: done
      Completed in [SECONDS]
    ✓ Upload complete
    ");
    for how in ["auto", "bar", "plain"] {
        env.emulator().reset();
        let again = env.run(&[&CREATE[..], &["--progress", how]].concat());
        assert_eq!(steady(again.stderr.lines()), steady(output.stderr.lines()), "{how}");
    }
}

#[test]
fn a_log_gets_a_status_line_and_a_stall_line() {
    let mut env = env();
    env.azcopy_script(SLOW);
    let output = env.run(&CREATE).success();
    assert!(output.stderr.contains("s] Still uploading... 28% complete\n"), "{output}");
    assert!(output.stderr.contains("s, network errors 84 %. Still trying...\n"), "{output}");
    assert!(!output.stderr.contains(['\r', '\u{1b}']), "{output}");
}

#[test]
fn no_progress_and_quiet_leave_it_out() {
    let mut env = env();
    env.azcopy_script(SLOW);
    let output = env.run(&[&CREATE[..], &["--progress", "none"]].concat()).success();
    assert!(output.stderr.contains("✓ Upload complete"), "{output}");
    for absent in ["100.0%", "28%", "Still uploading", "Uploading 2 files", "InProgress"] {
        assert!(!output.stderr.contains(absent), "{absent}: {output}");
    }
    env.emulator().reset();
    let output = env.run(&[&CREATE[..], &["-q"]].concat()).success();
    assert_eq!(output.stderr, "", "{output}");
}

/// The names of an object's fields, in their order.
fn fields(line: &str) -> Vec<String> {
    let object: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}"));
    object.as_object().expect("an object").keys().cloned().collect()
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

fn events(text: &str, name: &str) -> Vec<serde_json::Value> {
    let objects = text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    objects.filter(|object| object["event"] == name).collect()
}

const BROKEN: &str =
    "init\nprogress 294 1050 0 2\nfailed model.safetensors 409 1000\nend Failed 294 1050 1 2 1\nexit 1\n";

#[test]
fn a_failure_is_an_event_and_then_the_error() {
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

#[cfg(unix)]
#[test]
fn a_failure_leaves_the_bar_as_a_line_and_begins_another() {
    let (_, ended) = create(100, &format!("{}sleep 0.3\n{BROKEN}", "init\nprogress 294 1050 0 2\n"), &[]);
    assert_eq!((ended.code, ended.cursor_hidden), (7, false), "{}", ended.screen);
    assert_eq!((ended.bars, ended.wrapped_bar.as_deref()), (1, None), "{}", ended.screen);
    let lines: Vec<&str> = ended.screen.lines().collect();
    let error = lines.iter().position(|line| line.starts_with("ERROR: Upload interrupted. ")).expect("an error");
    assert!(lines[error - 1].contains("━━──") && lines[error - 1].contains(" 28.0% ("), "{}", ended.screen);
}

#[test]
fn quiet_does_not_silence_json_lines() {
    let env = env();
    let output = env.run(&[&CREATE[..], &["--progress", "json", "-q"]].concat()).success();
    for line in output.stderr.lines() {
        fields(line);
    }
    assert!(!events(&output.stderr, "done").is_empty(), "{output}");
}

#[cfg(unix)]
#[test]
fn a_source_of_unknown_size_has_no_percent() {
    let mut env = env();
    env.azcopy_script("init\nfound 512 1024\nsleep 0.4\nend Completed 2048 2048 1 1 0\n");
    let url = format!("http://127.0.0.1:9/acct/c?sv=1&sig={CANARY}");
    let args = ["custom", "create", "-n", "my-model", "--source", &url];
    let output = env.run(&[&args[..], &["--debug"]].concat()).success();
    assert!(!output.to_string().contains(CANARY), "{output}");
    let lines = output.stderr.lines().filter(|line| !line.starts_with("debug:"));
    let lines = lines.skip_while(|line| !line.starts_with("Step 2")).take_while(|line| !line.is_empty());
    insta::assert_snapshot!(steady(lines), @"
    Step 2/3: Uploading model files...
      Source: http://127.0.0.1:9/acct/c?***
      Uploading from the blob store...
      99% (2.0 KB / 2.0 KB)
      100.0% (2.0 KB / 2.0 KB) | [RATE] | Elapsed: [SECONDS] | ETA: done
      Completed in [SECONDS]
    ✓ Upload complete
    ");

    env.emulator().reset();
    let ended = Terminal::start(&env, 120, &args).finish();
    assert_eq!((ended.code, ended.bars, ended.wrapped_bar.as_deref()), (0, 1, None), "{}", ended.screen);
    assert!(ended.raw.contains("(512 B) | Elapsed: "), "{}", ended.raw);
    assert!(ended.percents().iter().all(|percent| *percent >= 99.9), "none while the source is read: {}", ended.raw);
    assert!(!ended.raw.contains(CANARY), "{}", ended.raw);
}

#[cfg(unix)]
fn env_with_long_names() -> TestEnv {
    let env = TestEnv::new();
    env.emulator()
        .seed(&serde_json::json!({"name": "a-model-with-a-long-name-of-30", "version": "1",
            "createdBy": "somebody-with-a-long-address@contoso.example.com"}))
        .expect("seeded");
    env
}

#[cfg(unix)]
#[test]
fn a_table_fits_a_terminal_and_ignores_columns_in_a_pipe() {
    let mut env = env_with_long_names();
    let whole = env.run(&["list"]).success().stdout;
    env.set("COLUMNS", "30");
    assert_eq!(env.run(&["list"]).success().stdout, whole);
    env.unset("COLUMNS");
    let ended = Terminal::start(&env, 70, &["list"]).finish();
    insta::assert_snapshot!(ended.screen, @"
    NAME                            VERSION  WEIGHT TYPE  CREATED
    a-model-with-a-long-name-of-30  1        FullWeight   2026-02-14T10:3…

    1 custom model(s) found
    ");
    env.set("COLUMNS", "500");
    assert_eq!(Terminal::start(&env, 70, &["list"]).finish().screen, ended.screen);
}

/// Of the terminal that the table is on, whatever standard error is.
#[cfg(unix)]
#[test]
fn the_width_is_that_of_standard_output() {
    let env = env_with_long_names();
    let program = env!("CARGO_BIN_EXE_azure-ai-models");
    let screen = Terminal::start(&env, 70, &["list"]).finish().screen;
    let line = format!("{program} list 2>/dev/null");
    let ended = Terminal::start_program(&env, 70, "/bin/sh", &["-c", &line]).finish();
    assert_eq!(ended.screen, screen);
}

#[cfg(unix)]
#[test]
fn other_commands_draw_nothing() {
    let env = env_with_long_names();
    for args in [
        &["list"][..],
        &["versions", "-n", "a-model-with-a-long-name-of-30"],
        &["delete", "-n", "a-model-with-a-long-name-of-30", "-f"],
    ] {
        let ended = Terminal::start(&env, 100, args).finish();
        assert_eq!(ended.code, 0, "{}", ended.screen);
        let moves: Vec<&str> = ended
            .raw
            .split("\u{1b}[")
            .skip(1)
            .filter(|rest| !rest.trim_start_matches(|char: char| char.is_ascii_digit() || char == ';').starts_with('m'))
            .collect();
        assert!(moves.is_empty(), "{args:?}: {moves:?}");
        assert!(!ended.raw.replace("\r\n", "").contains('\r'), "{args:?}: {}", ended.raw);
    }
}
