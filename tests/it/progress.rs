//! Display of an upload in progress: the bar on a terminal, plain lines, JSON lines, colours.

#[cfg(unix)]
mod bar;
#[cfg(unix)]
mod colour;
mod json_lines;
mod plain;
#[cfg(unix)]
mod tables;

#[cfg(unix)]
use crate::support::{CANARY, Terminal};
use crate::support::{TestEnv, env_with_model};

/// Environment with limits a twentieth as long: stalls are reported after 0.75 s, status lines appear every 1.5 s.
fn env() -> TestEnv {
    let mut env = env_with_model();
    env.set("AZURE_AI_MODELS_TEST_TIME", "0.01/0.05");
    env
}

/// The upload pauses long enough for a stall and a status line, its progress decreases once, and it has sent all bytes
/// before the end.
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

/// The text without the parts that depend on the machine's speed.
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

const BROKEN: &str =
    "init\nprogress 294 1050 0 2\nfailed model.safetensors 409 1000\nend Failed 294 1050 1 2 1\nexit 1\n";

#[cfg(unix)]
#[test]
fn source_of_unknown_size_has_no_percentage() {
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
