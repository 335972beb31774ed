//! Uploads of many gigabytes: a prompt before anything is deleted or sent, and a warning if the SAS expires too early.

use foundry_emulator::Config;
#[cfg(unix)]
use serde_json::json;

#[cfg(unix)]
use super::sent;
#[cfg(unix)]
use crate::support::{CREATE, Terminal, env_with_model as env};
use crate::support::{TestEnv, create, env_with};

/// Creates a valid GGUF file of this many bytes, with a hole for its only tensor.
fn write_large(env: &TestEnv, bytes: u64) {
    let header = [&b"GGUF"[..], &3_u32.to_le_bytes(), &1_u64.to_le_bytes(), &0_u64.to_le_bytes()].concat();
    let tensor =
        [&1_u64.to_le_bytes()[..], b"w", &1_u32.to_le_bytes(), &1_u64.to_le_bytes(), &[0; 4], &[0; 8]].concat();
    let path = env.write("model/large.gguf", [header, tensor].concat());
    let file = std::fs::File::options().append(true).open(path).expect("a file");
    file.set_len(bytes).expect("a sparse file");
}

/// The old version is deleted only after the prompt: a user who declines the upload keeps it.
#[cfg(unix)]
#[test]
fn large_upload_prompts_before_the_old_version_is_deleted() {
    let env = env();
    env.emulator().seed(&json!({"name": "my-model", "version": "1"})).expect("seeded");
    // With the two small files, the upload is exactly 10 GiB.
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
    // One byte less is not a large upload.
    write_large(&env, (10 << 30) - 1051);
    let ended = Terminal::start(&env, 120, &["custom", "create", "-n", "less", "--source", "model"]).finish();
    assert!(ended.code == 0 && !ended.screen.contains("Press Enter"), "{}", ended.screen);
}

/// The prompt appears only on a terminal.
#[cfg(unix)]
#[test]
fn large_upload_prompts_on_a_terminal() {
    let env = env();
    write_large(&env, 70_141_440_000);
    let mut terminal = Terminal::start(&env, 120, &CREATE);
    terminal.wait_for("Press Enter to continue or Ctrl+C to cancel...");
    assert!(env.emulator().requests().is_empty(), "no request was sent to the service yet");
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

/// AzCopy cannot replace its SAS during a transfer: the consequence is reported before the upload.
#[test]
fn sas_that_expires_before_the_upload_ends_is_warned_about() {
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
