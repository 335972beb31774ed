//! Home directory, private directory and disk.

use std::fs;
use std::path::Path;

use super::{BROKEN, Mount, NOBODY, UNKNOWN, is_root, mode_of, run_as, set_mode};
use crate::support::{CREATE, create, env_with_model as env};

fn names_in(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("a directory");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn missing_home_writes_nothing_to_the_working_directory() {
    for uid in [NOBODY, UNKNOWN] {
        let mut env = env();
        env.unset("HOME");
        set_mode(&env.work(), 0o777);
        let before = names_in(&env.work());
        if is_root() {
            let output = run_as(&env, uid, &CREATE).fails_with(1);
            let words = if uid == UNKNOWN { "no home directory found" } else { "cannot prepare /nonexistent/.azd" };
            assert!(output.stderr.contains(words) && output.stderr.contains("AZD_CONFIG_DIR"), "{output}");
            assert!(env.emulator().requests().is_empty(), "{uid}");
        }
        run_as(&env, uid, &["list"]).success();
        run_as(&env, uid, &["version"]).success();
        let config = env.root().join("config");
        env.set("AZD_CONFIG_DIR", &config.to_string_lossy());
        run_as(&env, uid, &CREATE).success();
        let starts = env.azcopy_starts();
        let values = &starts.last().expect("a start")["values"];
        assert_eq!(values["HOME"], values["AZCOPY_LOG_LOCATION"], "AzCopy has a home: {values}");
        assert!(values["HOME"].as_str().is_some_and(|home| Path::new(home).starts_with(&config)), "{values}");
        assert_eq!(names_in(&env.work()), before, "{uid}");
    }
}

#[test]
fn relative_home_directory_is_not_used() {
    let mut env = env();
    env.set("HOME", "relative");
    if is_root() {
        run_as(&env, UNKNOWN, &CREATE).fails_with(1);
    }
    assert_eq!(names_in(&env.work()), ["model"]);
}

#[test]
fn unwritable_home_is_reported_before_any_request() {
    let env = env();
    set_mode(&env.home(), 0o555);
    insta::assert_snapshot!(run_as(&env, NOBODY, &CREATE), @"
    ------- stderr -------
    WARNING: tokenizer not found; the tokenizer of the base model may not match (missing-tokenizer). Add the model's tokenizer.json or tokenizer.model.
    WARNING: No --base-model is given: the service may refuse to register or deploy these weights.
    ERROR: cannot prepare [ROOT]/home/.azd/ai-models/uploads/[UPLOAD]: Permission denied (os error 13)

    Suggestion: Free disk space, allow writing there, or set AZD_CONFIG_DIR to another directory.
    [exit code: 1]
    ");
    assert!(env.emulator().requests().is_empty());
}

#[test]
fn azds_configuration_directory_is_used() {
    let mut env = env();
    env.azcopy_script(BROKEN);
    for config in [env.root().join("elsewhere").to_string_lossy().into_owned(), "below".to_owned()] {
        env.set("AZD_CONFIG_DIR", &config);
        create(&env, &[]).fails_with(7);
        let uploads = env.work().join(&config).join("ai-models/uploads");
        assert_eq!(names_in(&uploads).len(), 1, "{config}");
        assert!(names_in(&env.home()).is_empty());
    }
}

#[test]
fn private_directory_is_private_under_any_umask() {
    let mut env = env();
    env.azcopy_script(BROKEN);
    env.run_after("umask 000", &CREATE).fails_with(7);
    let uploads = env.home().join(".azd/ai-models/uploads");
    let [id] = names_in(&uploads).try_into().expect("one upload");
    let directory = uploads.join(id);
    for path in [&env.home().join(".azd"), &uploads, &directory] {
        assert_eq!(mode_of(path), 0o700, "{}", path.display());
    }
    for file in ["run-1/files.txt", "journal.json", "lock"] {
        assert_eq!(mode_of(&directory.join(file)), 0o600, "{file}");
    }
    // An existing directory with open permissions is restricted.
    set_mode(&directory, 0o777);
    create(&env, &[]).fails_with(7);
    assert_eq!(mode_of(&directory), 0o700);
}

#[test]
fn full_disk_ends_the_upload_before_azcopy_runs() {
    let env = env();
    for number in 0..2000 {
        env.write(&format!("model/a-rather-long-name-{number:04}"), "x");
    }
    let mount = Mount::tiny(&env.home());
    let output = match mount {
        Some(_) => create(&env, &[]),
        // If the test may not mount, a limit on the file size fails at the same point.
        None => env.run_after("trap '' XFSZ; ulimit -f 4", &CREATE),
    };
    let output = output.fails_with(1);
    assert!(output.stderr.contains("ERROR: cannot prepare [ROOT]/home/.azd/ai-models/uploads/[UPLOAD]"), "{output}");
    assert!(output.stderr.contains("Free disk space"), "{output}");
    assert!(mount.is_none() || output.stderr.contains("No space left on device"), "{output}");
    assert!(env.azcopy_starts().is_empty(), "AzCopy did not run");
}

#[test]
fn azcopys_message_about_a_full_disk_is_reported() {
    let mut env = env();
    env.azcopy_script(
        "stderr panic: write plan.steV21: no space left on device\nstderr goroutine 1 [running]:\nexit 2",
    );
    let output = create(&env, &[]).fails_with(7);
    assert!(output.stderr.contains("panic: write plan.steV21: no space left on device\n"), "{output}");
    assert!(!output.stderr.contains("goroutine"), "{output}");
}
