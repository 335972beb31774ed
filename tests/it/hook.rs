//! The example of a hook that registers a model in `azd up`.
#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{Output, TestEnv};

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/azd-hook");

/// A project with the example's hook, and an azd that runs the program as the real azd does: every failure becomes exit
/// code 1.
fn project() -> TestEnv {
    let mut env = TestEnv::new();
    let endpoint = env.emulator().endpoint();
    env.unset("AZURE_PROJECT_ENDPOINT").set("AZURE_ENV_NAME", "other");
    let program = env!("CARGO_BIN_EXE_azure-ai-models");
    env.program(
        "azd",
        &format!(
            r#"case "$1 $2" in
"ai models") shift 2; '{program}' "$@" || exit 1 ;;
"env get-values") case "$*" in *"-e other"*) echo '{{"AZURE_PROJECT_ENDPOINT":"{endpoint}"}}' ;; *) echo '{{}}' ;; esac ;;
*) exit 1 ;;
esac"#
        ),
    );
    env.write_model();
    fs::rename(env.work().join("model"), env.work().join("model-weights")).expect("renamed");
    for file in ["azure.yaml", "hooks/register-model.sh"] {
        env.write(file, fs::read(Path::new(EXAMPLE).join(file)).expect("the example"));
    }
    env.write(".azure/other/.env", "");
    env
}

/// Runs the hook as azd runs it: in the project's directory, with the environment's name in a variable.
fn hook(env: &TestEnv) -> Output {
    let plain = env.command(&[]);
    let mut command = Command::new("/bin/sh");
    command.arg("hooks/register-model.sh").env_clear().current_dir(env.work()).stdin(Stdio::null());
    for (name, value) in plain.get_envs() {
        command.env(name, value.expect("a value"));
    }
    env.finish(command)
}

fn sent(env: &TestEnv) -> usize {
    env.emulator().requests().iter().filter(|request| request.path.ends_with("startPendingUpload")).count()
}

#[test]
fn hook_registers_the_model_once() {
    let env = project();
    let output = hook(&env).success();
    assert!(output.stdout.contains("my-model"), "{output}");
    assert_eq!((sent(&env), env.azcopy_starts().len()), (1, 1));
    let again = hook(&env).success();
    assert_eq!(again.stdout, "Model 'my-model' version 1 is registered.\n", "{again}");
    assert_eq!((sent(&env), env.azcopy_starts().len()), (1, 1), "sent again");
}

#[test]
fn interrupted_hook_is_resumed_by_the_next_one() {
    let mut env = project();
    env.azcopy_script(
        "init\ndelivered config.json\nend CompletedWithErrors 50 1050 1 2 1\nexit 1\nnext-run\ndefault\n",
    );
    hook(&env).fails_with(1);
    let output = hook(&env).success();
    assert!(output.stderr.contains("Resuming upload: 1 of 2 files"), "{output}");
}

/// Both scripts pass the same options, and the program accepts them.
#[test]
fn scripts_of_both_systems_agree() {
    let read = |file: &str| fs::read_to_string(Path::new(EXAMPLE).join("hooks").join(file)).expect("a script");
    let options = |text: &str| {
        let code = text.lines().filter(|line| !line.trim_start().starts_with('#'));
        let words: Vec<String> =
            code.flat_map(|line| line.split([' ', '\'', '(', ',', ')'])).map(str::to_owned).collect();
        words.into_iter().filter(|word| word.starts_with("--") && word.len() > 2).collect::<Vec<_>>()
    };
    let (posix, windows) = (read("register-model.sh"), read("register-model.ps1"));
    assert_eq!(options(&posix), options(&windows));
    assert_eq!(options(&posix), ["--name", "--version", "--no-prompt", "--source", "--yes"]);
    let yaml = fs::read_to_string(Path::new(EXAMPLE).join("azure.yaml")).expect("azure.yaml");
    assert_eq!(yaml.matches("interactive: true").count(), 2);
    assert!(yaml.contains("run: hooks/register-model.sh") && yaml.contains("run: hooks/register-model.ps1"));
}
