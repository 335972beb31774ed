//! Options of `create`: requests, questions and messages.

use foundry_emulator::{Config, Fault, FaultKind, OperationEnd, RequestRecord, Route};
use serde_json::{Value, json};

#[cfg(unix)]
use crate::support::{CREATE, Running, Terminal};
use crate::support::{TestEnv, create, env_with, env_with_model as env};

fn sent(env: &TestEnv) -> Vec<String> {
    let short = |one: RequestRecord| format!("{} {}", one.method, one.path.replace("/api/projects/demo/models/", ""));
    env.emulator().requests().into_iter().map(short).collect()
}

fn registration(env: &TestEnv) -> Value {
    let mut requests = env.emulator().requests().into_iter();
    let mut body = requests.find(|sent| sent.path.ends_with("/createAsync")).expect("a registration").body;
    body["blobUri"].take();
    body
}

fn write_adapter(env: &TestEnv) {
    env.write_model();
    let weights = std::fs::read(env.work().join("model/model.safetensors")).expect("weights");
    env.write("adapter/adapter_model.safetensors", weights);
    env.write(
        "adapter/adapter_config.json",
        r#"{"r":16,"lora_alpha":32,"target_modules":["q_proj","v_proj"],"lora_dropout":0.05}"#,
    );
}

#[test]
fn tags_publisher_and_weight_type_are_registered() {
    let options = ["--tag", "team=a=b", "--tag", "empty=", "--publisher", "contoso", "--weight-type", "draftmodel"];
    let env = env();
    let output = create(&env, &options).success();
    assert!(!output.stderr.contains("No --base-model"), "a draft model needs none: {output}");
    assert_eq!(
        registration(&env),
        json!({"blobUri": null, "weightType": "DraftModel", "catalogInfo": {"publisherId": "contoso"},
            "tags": {"team": "a=b", "empty": ""}})
    );
    let mut env = self::env();
    env.set("AZURE_AI_MODELS_API_VERSION", "v1");
    let output = create(&env, &options).fails_with(2);
    assert!(output.stderr.contains("--publisher is not supported by API version v1"), "{output}");
    assert!(env.emulator().requests().is_empty());
}

/// The description of the adapter is shown; the given options are sent.
#[test]
fn an_adapter_is_registered_as_lora() {
    let env = TestEnv::new();
    write_adapter(&env);
    let source = ["custom", "create", "-n", "my-adapter", "--source", "adapter", "--base-model", "FW-X"];
    insta::assert_snapshot!(env.run(&source).fails_with(6), @"
    ------- stderr -------
    WARNING: tokenizer not found; the tokenizer of the base model may not match (missing-tokenizer). Add the model's tokenizer.json or tokenizer.model.
    ERROR: the model check found 1 error
      config.json not found; it describes the model architecture (missing-config)

    Suggestion: This is an adapter: use --weight-type LoRA. Otherwise: Add the model's config.json next to the weights. To upload the files as they are, use --skip-check.
    [exit code: 6]
    ");
    assert!(env.emulator().requests().is_empty());
    let lora = ["--weight-type", "lora"];
    let output = env.run(&[source.as_slice(), &lora].concat()).success();
    assert!(
        output.stderr.contains("LoRA: rank 16, alpha 32, target modules q_proj, v_proj, dropout 0.05\n"),
        "{output}"
    );
    let body = registration(&env);
    assert_eq!((&body["weightType"], body.get("loraConfig")), (&json!("LoRA"), None));

    let env = TestEnv::new();
    write_adapter(&env);
    let given = ["--weight-type", "LoRA", "--lora-rank", "8", "--lora-target-modules", "a, b", "--lora-dropout", "0"];
    let output = env.run(&[source.as_slice(), &given].concat()).success();
    assert!(output.stderr.contains("LoRA: rank 8, alpha 32, target modules a, b, dropout 0\n"), "{output}");
    assert_eq!(registration(&env)["loraConfig"], json!({"rank": 8, "targetModules": ["a", "b"], "dropout": 0.0}));
}

#[test]
fn auto_uses_the_version_after_the_highest() {
    let env = env();
    create(&env, &["--version", "auto"]).success();
    for version in ["9", "10", "beta"] {
        env.emulator().seed(&json!({"name": "my-model", "version": version})).expect("seeded");
    }
    let output = create(&env, &["--version", "auto", "-o", "json"]).success();
    assert_eq!(output.json()["version"], "11");
}

/// The version was taken between the check and the upload: the next one is used, once more.
#[test]
fn auto_uses_the_next_version_on_a_conflict() {
    let env = env();
    let taken = FaultKind::refusal(409, "ModelVersionConflict", "taken");
    env.emulator().add_fault(Fault::new(Route::StartPendingUpload, taken).times(1));
    let output = create(&env, &["--version", "auto", "-o", "json"]).success();
    assert_eq!(output.json()["version"], "2");
}

/// An unfinished upload of the same source keeps its version; a second one at the same time gets its own.
#[test]
#[cfg(unix)]
fn auto_keeps_its_version_and_concurrent_runs_get_two() {
    let mut env = env();
    env.azcopy_script("init\nhang\nnext-run\ndefault\nnext-run\ndefault\n");
    let first = Running::start(&env, &[CREATE.as_slice(), &["--version", "auto"]].concat());
    first.wait_for("Uploading 2 files");
    let second = create(&env, &["--version", "auto", "-o", "json"]).success();
    assert_eq!(second.json()["version"], "2");
    first.signal(rustix::process::Signal::INT);
    let first = first.finish(&env).fails_with(130);
    assert!(first.stderr.contains("custom create --name my-model --source model --version auto"), "{first}");
    let again = create(&env, &["--version", "auto", "-o", "json"]).success();
    assert_eq!(again.json()["version"], "1");
}

#[test]
fn an_overwrite_deletes_after_all_checks() {
    let env = env();
    env.emulator().seed(&json!({"name": "my-model", "version": "1", "description": "old"})).expect("seeded");
    let output = create(&env, &["--overwrite"]).fails_with(2);
    assert!(output.stderr.contains("Use --yes to replace it without a prompt."), "{output}");
    create(&env, &["--overwrite", "--yes", "--azcopy-path", "nowhere"]).fails_with(3);
    assert_eq!(sent(&env), ["GET my-model/versions/1"]);
    let output = create(&env, &["--overwrite", "--yes", "-o", "json"]).success();
    assert_eq!(output.json().get("description"), None);
    assert!(output.stderr.contains("Replacing it deletes its weights"), "{output}");
    assert_eq!(
        sent(&env)[1..5],
        [
            "GET my-model/versions/1",
            "DELETE my-model/versions/1",
            "GET my-model/versions/1",
            "POST my-model/versions/1/startPendingUpload"
        ]
    );
}

#[cfg(unix)]
#[test]
fn an_overwrite_asks_and_accepts_no() {
    let env = env();
    env.emulator().seed(&json!({"name": "my-model", "version": "1"})).expect("seeded");
    for (answer, code) in [("\r", 1), ("no\r", 1), ("y\r", 0)] {
        let mut terminal = Terminal::start(&env, 120, &[CREATE.as_slice(), &["--overwrite"]].concat());
        terminal.wait_for("Replace it? (y/N)");
        terminal.type_text(answer);
        assert_eq!(terminal.finish().code, code, "{answer:?}");
    }
    assert_eq!(sent(&env).iter().filter(|sent| sent.starts_with("DELETE")).count(), 1);
    assert!(!env.home().join(".azd/ai-models/uploads").read_dir().expect("a directory").any(|_| true));
}

/// The service answers 200 to a deletion of what never existed, so it is searched for first.
#[test]
fn an_overwrite_deletes_only_an_existing_version() {
    let env = env();
    env.emulator().seed(&json!({"name": "my-model", "version": "2"})).expect("seeded");
    let output = create(&env, &["--overwrite", "--yes"]).success();
    assert!(!output.stderr.contains("deleted") && !output.stderr.contains("exists"), "{output}");
    let sent = sent(&env);
    assert_eq!(sent[..2], ["GET my-model/versions/1", "POST my-model/versions/1/startPendingUpload"]);
    assert!(!sent.iter().any(|sent| sent.starts_with("DELETE")), "{sent:?}");
}

/// Nothing is deleted on a guess, and nothing is sent while the old version is there.
#[test]
fn an_overwrite_that_cannot_read_or_delete_sends_nothing() {
    for (route, fault, code, deletions) in [
        (Route::Get, FaultKind::status(401), 4, 0),
        (Route::Get, FaultKind::status(403), 4, 0),
        (Route::Get, FaultKind::status(503), 9, 0),
        (Route::Get, FaultKind::Html { status: 200 }, 9, 0),
        (Route::Get, FaultKind::EmptyBody, 9, 0),
        (Route::Delete, FaultKind::status(403), 4, 1),
        (Route::Delete, FaultKind::refusal(409, "ModelInUse", "A deployment uses the model."), 5, 1),
        (Route::Delete, FaultKind::Html { status: 200 }, 9, 1),
        (Route::Delete, FaultKind::Reset, 9, 5),
    ] {
        let env = env();
        env.emulator().seed(&json!({"name": "my-model", "version": "1", "description": "old"})).expect("seeded");
        env.emulator().add_fault(Fault::new(route, fault.clone()));
        create(&env, &["--overwrite", "--yes"]).fails_with(code);
        let sent = sent(&env);
        let found = sent.iter().filter(|sent| sent.starts_with("DELETE")).count();
        assert_eq!(found, deletions, "{route:?} {fault:?}: {sent:?}");
        assert!(!sent.iter().any(|sent| sent.starts_with("POST")), "{route:?} {fault:?}: {sent:?}");
        assert!(env.azcopy_starts().is_empty(), "{route:?} {fault:?}");
    }
}

/// A deletion that the service accepted and that ends badly, or not at all: the upload does not begin.
#[test]
fn an_overwrite_waits_for_the_end_of_its_deletion() {
    let failed = |message: &str| OperationEnd::Failed {
        status: "Failed".into(),
        code: "ModelInUse".into(),
        message: message.into(),
    };
    for (deletion_end, polls_until_done, code, word) in [
        (OperationEnd::Succeeded, 3, 0, ""),
        (failed("A deployment uses the model."), 3, 5, "ModelInUse"),
        (OperationEnd::Succeeded, u32::MAX, 9, "deletion_timeout"),
    ] {
        let mut env = env_with(Config { delete_status: 202, deletion_end, polls_until_done, ..Config::default() });
        // Half an hour is the limit of a deletion.
        env.set("AZURE_AI_MODELS_TEST_TIME", if code == 9 { "0.0005" } else { "0.01" });
        env.emulator().seed(&json!({"name": "my-model", "version": "1"})).expect("seeded");
        let output = create(&env, &["--overwrite", "--yes", "-o", "json"]).fails_with(code);
        let starts = sent(&env).iter().filter(|sent| sent.ends_with("/startPendingUpload")).count();
        assert_eq!((starts, env.azcopy_starts().len()), (usize::from(code == 0), usize::from(code == 0)), "{output}");
        assert!(code == 0 || output.json_error()["code"] == word, "{output}");
    }
}

/// Another run, or a request whose answer was lost, deleted it first; the way is free all the same. What the service calls
/// deleted and still shows is in the way.
#[test]
fn an_overwrite_continues_only_once_the_version_is_gone() {
    let gone = || FaultKind::refusal(404, "ModelVersionNotFound", "Not found.");
    for (fault, code) in [
        (Fault::new(Route::Delete, gone()).processed(), 0),
        (Fault::new(Route::Delete, gone()), 3),
        (Fault::new(Route::Delete, FaultKind::EmptyBody), 9),
    ] {
        let env = env();
        env.emulator().seed(&json!({"name": "my-model", "version": "1"})).expect("seeded");
        env.emulator().add_fault(fault.clone());
        create(&env, &["--overwrite", "--yes"]).fails_with(code);
        let starts = sent(&env).iter().filter(|sent| sent.ends_with("/startPendingUpload")).count();
        assert_eq!(starts, usize::from(code == 0), "{fault:?}");
    }
}

/// A sound GGUF file of that many bytes, with a hole for its one tensor.
fn write_large(env: &TestEnv, bytes: u64) {
    let header = [&b"GGUF"[..], &3_u32.to_le_bytes(), &1_u64.to_le_bytes(), &0_u64.to_le_bytes()].concat();
    let tensor =
        [&1_u64.to_le_bytes()[..], b"w", &1_u32.to_le_bytes(), &1_u64.to_le_bytes(), &[0; 4], &[0; 8]].concat();
    let path = env.write("model/large.gguf", [header, tensor].concat());
    let file = std::fs::File::options().append(true).open(path).expect("a file");
    file.set_len(bytes).expect("a sparse file");
}

/// The old version is gone from the moment it is deleted: a user who declines the upload keeps it.
#[cfg(unix)]
#[test]
fn a_large_upload_is_asked_about_before_the_old_version_is_deleted() {
    let env = env();
    env.emulator().seed(&json!({"name": "my-model", "version": "1"})).expect("seeded");
    // With the two small files it is 10 GiB to the byte.
    write_large(&env, (10 << 30) - 1050);
    for (answer, code) in [("\u{3}", 130), ("\u{4}", 1), ("\r", 0)] {
        let mut terminal = Terminal::start(&env, 120, &[CREATE.as_slice(), &["--overwrite"]].concat());
        terminal.wait_for("Replace it? (y/N)");
        terminal.type_text("y\r");
        terminal.wait_for("Press Enter to continue or Ctrl+C to cancel...");
        assert_eq!(sent(&env).last().map(String::as_str), Some("GET my-model/versions/1"), "{answer:?}");
        terminal.type_text(answer);
        let ended = terminal.finish();
        assert_eq!(ended.code, code, "{answer:?}: {}", ended.screen);
        let deletions = sent(&env).iter().filter(|sent| sent.starts_with("DELETE")).count();
        assert_eq!(deletions, usize::from(code == 0), "{answer:?}");
    }
    // One byte less is not large.
    write_large(&env, (10 << 30) - 1051);
    let ended = Terminal::start(&env, 120, &["custom", "create", "-n", "less", "--source", "model"]).finish();
    assert!(ended.code == 0 && !ended.screen.contains("Press Enter"), "{}", ended.screen);
}

/// On a terminal only.
#[cfg(unix)]
#[test]
fn a_large_upload_is_asked_about() {
    let env = env();
    write_large(&env, 70_141_440_000);
    let mut terminal = Terminal::start(&env, 120, &CREATE);
    terminal.wait_for("Press Enter to continue or Ctrl+C to cancel...");
    assert!(env.emulator().requests().is_empty(), "nothing was asked of the service yet");
    terminal.type_text("\u{3}");
    let ended = terminal.finish();
    insta::assert_snapshot!(env.clean(&ended.screen), @"
    WARNING: tokenizer not found; the tokenizer of the base model may not match (missing-tokenizer). Add the model's tokenizer.json or tokenizer.model.
    WARNING: No --base-model is given: the service may refuse to register or deploy these weights.
    Using azcopy: [ROOT]/bin/azcopy (10.32.2)

    Creating custom model: my-model (version 1)

    WARNING: Large file detected: 65.3 GB
        Estimated upload time: 12-23 minutes (depending on network speed)

        IMPORTANT: Keep this terminal open until upload completes.
        The model will be registered automatically after upload.

        Press Enter to continue or Ctrl+C to cancel...^C
    ERROR: Interrupted.
    ");
    assert_eq!(ended.code, 130);
    let mut terminal = Terminal::start(&env, 120, &CREATE);
    terminal.wait_for("Press Enter to continue");
    terminal.type_text("\r");
    assert_eq!(terminal.finish().code, 0);
    for option in ["--yes", "--no-prompt"] {
        let terminal = Terminal::start(
            &env,
            120,
            &["custom", "create", "-n", option.trim_matches('-'), "--source", "model", option],
        );
        let ended = terminal.finish();
        assert!(ended.code == 0 && !ended.screen.contains("Press Enter"), "{}", ended.screen);
    }
    let piped = env.run(&["custom", "create", "-n", "piped", "--source", "model"]).success();
    assert!(!piped.stderr.contains("Large file"), "{piped}");
}

/// AzCopy cannot change its SAS in flight: what that means is said before the upload.
#[test]
fn a_sas_that_ends_before_the_upload_is_warned_of() {
    let env = env_with(Config { sas_seconds: 20 * 60, ..Config::default() });
    let warning = "SAS expires in 19m 5";
    assert!(create(&env, &[]).success().stderr.contains(warning));
    write_large(&env, 70 << 30);
    let output = env.run(&["custom", "create", "-n", "large", "--source", "model"]).success();
    assert!(
        output.stderr.contains("large.gguf (70.0 GB) takes 23m 53s at 50.0 MB/s, but the upload SAS expires in 19m 5"),
        "{output}"
    );
}

#[test]
fn no_wait_returns_once_the_registration_is_accepted() {
    let env = env();
    insta::assert_snapshot!(create(&env, &["--no-wait"]).success().stdout, @"
    Model 'my-model' (version 1) is being registered.

    To wait for the result:
      azure-ai-models custom wait --name my-model --version 1
    ");
    let env = self::env();
    let output = create(&env, &["--no-wait", "-o", "json", "--version", "3"]).success();
    let mut json = output.json();
    assert!(json["operation"].take().as_str().is_some_and(|url| url.contains("/versions/3/createAsync/operations/")));
    assert_eq!(json, json!({"name": "my-model", "version": "3", "status": "InProgress", "operation": null}));
    assert_eq!(sent(&env).last().map(String::as_str), Some("POST my-model/versions/3/createAsync"));
    // The same command waits for its end.
    let again = create(&env, &["--version", "3", "-o", "json"]).success();
    assert_eq!(again.json()["version"], "3");
    assert_eq!(env.azcopy_starts().len(), 1);
}

#[test]
fn a_registration_beyond_its_limit_continues_on_the_service() {
    let env = env_with(Config { polls_until_done: 10_000, ..Config::default() });
    let output = create(&env, &["--timeout", "10s"]).fails_with(8);
    assert!(
        output.stderr.contains("the registration did not finish in time; its last state was InProgress"),
        "{output}"
    );
    assert!(output.stderr.contains("custom create --name my-model --source model --timeout 10s"), "{output}");
}

/// A path or URL comes through a pipe, so that no shell cuts it; then the user cannot be asked.
#[test]
fn the_source_comes_through_a_pipe() {
    use std::io::Write;
    use std::process::Stdio;
    let env = env();
    let mut command = env.command(&["custom", "create", "-n", "my-model", "--source", "-"]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    child.stdin.take().expect("a pipe").write_all(b"\"model\"\r\n").expect("written");
    let output = env.output(&child.wait_with_output().expect("ended")).success();
    assert!(output.stderr.contains("Source: model (2 files, 1.0 KB)"), "{output}");
}

/// Endless input is not read to its end.
#[cfg(unix)]
#[test]
fn a_source_from_a_pipe_has_an_end() {
    use std::process::Stdio;
    let env = env();
    let mut command = env.command(&["custom", "create", "-n", "my-model", "--source", "-", "-o", "json"]);
    let endless = std::fs::File::open("/dev/zero").expect("zeros without end");
    let child = command.stdin(endless).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    let output = env.output(&crate::support::wait(child)).fails_with(2);
    let error = output.json_error();
    assert_eq!(
        (&error["code"], &error["message"]),
        (&"bad_source".into(), &"standard input contains a line longer than 64 KB".into())
    );
    assert!(env.emulator().requests().is_empty());
}

/// Every option is in the command that resumes.
#[test]
fn the_command_to_run_again_has_all_options() {
    let mut env = TestEnv::new();
    write_adapter(&env);
    env.azcopy_script("init\nend Failed 0 1000 0 1 1\nexit 1\n");
    let args = [
        "custom",
        "create",
        "--name",
        "my-adapter",
        "--source",
        "adapter",
        "--version",
        "2",
        "--description",
        "-x y",
        "--tag",
        "a=b c",
        "--base-model",
        "FW-X",
        "--weight-type",
        "LoRA",
        "--lora-rank",
        "8",
        "--lora-alpha",
        "16",
        "--lora-target-modules",
        "q,v",
        "--lora-dropout",
        "0.1",
        "--publisher",
        "p",
        "--include",
        "adapter*",
        "--exclude",
        "*.bin",
        "--timeout",
        "1h",
        "--limit-rate",
        "5M",
        "--no-default-excludes",
        "--skip-check",
        "--overwrite",
        "--no-wait",
    ];
    let output = env.run(&args).fails_with(7);
    let line = output.stderr.lines().find(|line| line.contains("azure-ai-models custom create")).expect("a command");
    let mut words = shell_words::split(line).expect("words");
    words.remove(0);
    let expected: Vec<String> = args.iter().map(ToString::to_string).collect();
    let joined = words.join(" ").replace("--description=-x y", "--description -x y");
    assert_eq!(joined, expected.join(" "));
}

/// A word between two others must not hide an option from its rules.
#[test]
fn a_global_option_counts_in_any_position() {
    let env = TestEnv::new();
    for path in [&["custom", "uploads"][..], &["uploads"]] {
        let twice = env.run(&[path, &["-e", "a", "list", "-e", "b"]].concat()).fails_with(2);
        let behind = env.run(&[path, &["list", "-e", "a", "-e", "b"]].concat()).fails_with(2);
        assert!(twice.stderr.starts_with("ERROR: more than one azd environment is given\n"), "{twice}");
        assert_eq!(twice.stderr, behind.stderr);
        let twice = env.run(&[path, &["-C", "x", "list", "-C", "y"]].concat()).fails_with(2);
        assert!(twice.stderr.starts_with("ERROR: more than one working directory is given\n"), "{twice}");
    }
    for line in [
        &["-o", "table", "uploads", "-o", "json", "list"][..],
        &["uploads", "-o", "table", "list", "-o", "json"],
        &["uploads", "list", "-o", "table", "-o", "json"],
    ] {
        assert_eq!(env.run(line).success().stdout, "[]\n", "the last one wins: {line:?}");
    }
}
