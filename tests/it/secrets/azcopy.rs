//! AzCopy's messages, its log, and the SAS of an upload.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Stdio;

use super::{LEAK, OUTPUT_OPTIONS, assert_clean, env, files_with_secret, search};
use crate::support::{CANARY, CREATE, StubResponse, Terminal, TestEnv, eventually, wait};

/// Checks that every AzCopy run received the SAS in its arguments, and nowhere else.
fn assert_sas_passed(env: &TestEnv) {
    let starts = env.azcopy_starts();
    assert!(!starts.is_empty(), "AzCopy never ran, so nothing was proved");
    for start in starts {
        assert!(start["argv"].to_string().contains(CANARY), "no SAS in {start}");
        if cfg!(target_os = "linux") {
            let environ = start["environ"].as_str().expect("the environment from /proc");
            assert!(environ.contains("AZCOPY_LOG_LOCATION=") && !environ.contains(CANARY), "{environ}");
        }
        assert!(!start["list"].to_string().contains(CANARY));
    }
}

#[test]
fn success_shows_no_sas() {
    let env = env();
    search("success", &env, &CREATE, 0);
    assert_sas_passed(&env);
}

#[test]
fn terminal_shows_no_sas() {
    let mut env = env();
    for (script, code) in [("default".to_owned(), 0), (format!("info {LEAK}\ninit\nerror no: {LEAK}"), 7)] {
        env.azcopy_script(&script);
        let ended = Terminal::start(&env, 100, &[&CREATE[..], &["--debug"]].concat()).finish();
        // All output to the terminal is searched, not only the final screen.
        assert!(!ended.raw.contains(CANARY), "{}", ended.raw);
        assert_eq!(ended.code, code, "{}", ended.screen);
        env.emulator().reset();
    }
    assert_sas_passed(&env);
}

#[test]
fn rejected_sas_is_not_shown() {
    for response in [
        StubResponse::Error(403, "AuthenticationFailed"),
        StubResponse::Error(404, "ContainerNotFound"),
        StubResponse::Error(400, "InvalidQueryParameterValue"),
        StubResponse::Error(500, "InternalError"),
        StubResponse::Nothing,
    ] {
        let mut env = env();
        env.blobs().respond_with(response.clone());
        if matches!(response, StubResponse::Nothing) {
            env.set("AZURE_AI_MODELS_TEST_TIME", "0.01/0.4");
        }
        let code = if matches!(response, StubResponse::Error(403 | 404, _)) { 7 } else { 9 };
        let code = if matches!(response, StubResponse::Error(400, _)) { 1 } else { code };
        search(&format!("{response:?}"), &env, &CREATE, code);
    }
}

/// Messages of AzCopy itself, wherever they appear.
#[test]
fn messages_of_azcopy_are_masked() {
    let end = "end Completed 0 0 0 0 0\nexit 0";
    for script in [
        format!(
            "info Authentication failed, it is either not correct, or expired, or does not have the correct permission: PUT {LEAK}\ninit\nend Cancelled 0 1050 0 2 0\nexit 1"
        ),
        format!("info {LEAK}\ninit\n{end}"),
        format!("info Skipping {LEAK} because\ninit\n{end}"),
        format!("info Accessing '{LEAK}' failed\ninit\n{end}"),
        format!("init\nerror failed to perform copy command due to error: {LEAK}"),
        format!("error {LEAK}\\n{LEAK}"),
        format!("plain {LEAK}\nplain see?sig=CANARY5A5\nexit 1"),
        format!("stderr panic: {LEAK}\nstderr goroutine 1: {LEAK}\nexit 2"),
        format!("stderr {LEAK}\nexit 1"),
        format!("init\nfailed {LEAK} 403 1000\nend Failed 0 1050 0 2 1\nexit 1"),
        format!("init\nprompt Overwrite {LEAK}?\n{end}"),
        "init\nfailed model.safetensors 0 1000\nend CompletedWithErrors 50 1050 1 2 1\nexit 1".to_owned(),
        "init\ndie-signal 9".to_owned(),
        "init\nexit 0".to_owned(),
    ] {
        let mut env = env();
        env.azcopy_script(&script);
        search(&script, &env, &CREATE, 7);
        assert_sas_passed(&env);
    }
}

/// The reason of a failure comes from AzCopy's log, which here, unlike the real one, contains the SAS.
#[test]
fn excerpts_of_azcopys_log_are_masked() {
    let mut env = env();
    env.azcopy_script(&format!(
        "init\nlog ERR: [P#0-T#0] UPLOADFAILED: model.safetensors : 400 : 400 no: {LEAK} When Committing\n\
         failed model.safetensors 400 1000\nend Failed 0 1050 0 2 1\nexit 1\n"
    ));
    for options in OUTPUT_OPTIONS {
        let raw = wait(
            env.command(&[&CREATE[..], options].concat())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("the program starts"),
        );
        // AzCopy's log exists, so the reason could be read.
        let logs: BTreeSet<PathBuf> = files_with_secret(&env)
            .into_iter()
            .filter(|path| path.extension().is_some_and(|ending| ending == "log"))
            .collect();
        assert_eq!(logs.len(), 1, "{options:?}");
        assert_clean(&format!("{options:?}"), &env, &logs, &raw);
        let output = env.output(&raw).fails_with(7);
        let json = options.contains(&"json");
        assert!(json || output.stderr.contains("model.safetensors: 400 no: http://h/c?*** When"), "{output}");
    }
    assert_sas_passed(&env);
}

#[test]
fn interrupted_upload_shows_no_sas() {
    for options in OUTPUT_OPTIONS {
        let mut env = env();
        let ready = env.root().join("ready");
        env.azcopy_script(&format!("init\nprogress 10 1050 0 2\nspawn-record {}\nhang\n", ready.display()));
        let before = files_with_secret(&env);
        let child = env
            .command(&[&CREATE[..], options].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        eventually("AzCopy", || ready.exists());
        let pid = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw).expect("an id");
        rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("interrupted");
        let raw = wait(child);
        assert_clean(&format!("{options:?}"), &env, &before, &raw);
        let output = env.output(&raw).fails_with(130);
        assert!(output.stderr.contains("Upload interrupted at 0%"), "{output}");
        assert_sas_passed(&env);
    }
}

#[test]
fn source_with_a_sas_is_not_shown() {
    let end = "init\nend Completed 11 11 1 1 0\nexit 0";
    let broken = format!("error cannot list {LEAK}");
    for (script, code) in [(end, 0), (broken.as_str(), 7)] {
        let mut env = env();
        env.azcopy_script(script);
        let url = format!("{}/from?sv=1&sig={CANARY}&secret={CANARY}", "https://a.blob.core.windows.net");
        search("--source", &env, &["create", "--name", "my-model", "--source", &url], code);
        env.write("url.txt", &url);
        search("--source-file", &env, &["create", "--name", "my-model", "--source-file", "url.txt"], code);
        let with_user = url.replace("https://", "https://me:CANARY5A5@");
        search("user", &env, &["create", "--name", "my-model", "--source", &with_user], code);
        assert_sas_passed(&env);
    }
}
