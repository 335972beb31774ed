//! Signals that were ignored when the program started: by `nohup`, and by `&` in a script.

use rustix::process::Signal;

use crate::support::{Running, TestEnv, env_with_model};

/// Starts `create` from a shell that ignores a signal, and returns it while AzCopy runs.
fn start(env: &TestEnv, ignored: &str) -> Running {
    let plain = env.command(&["custom", "create", "-n", "my-model", "--source", "model"]);
    let mut command = std::process::Command::new("/bin/sh");
    let script = format!("trap '' {ignored}; exec \"$0\" \"$@\"");
    command.args(["-c", &script]).arg(plain.get_program()).args(plain.get_args());
    command.env_clear().current_dir(env.work()).stdin(std::process::Stdio::null());
    for (name, value) in plain.get_envs() {
        command.env(name, value.expect("a value"));
    }
    Running::start_command(command)
}

#[test]
fn ignored_signals_stay_ignored() {
    for (name, signal) in [("HUP", Signal::HUP), ("INT", Signal::INT)] {
        let mut env = env_with_model();
        let go = env.root().join("go");
        env.azcopy_script(&format!("wait-file {}\ndefault\n", go.display()));
        let running = start(&env, name);
        running.wait_for("Uploading 2 files");
        running.signal(signal);
        std::fs::write(&go, "").expect("a file");
        running.finish(&env).success();
    }
}

#[test]
fn other_signals_end_the_upload() {
    let mut env = env_with_model();
    env.azcopy_script("init\nhang\n");
    let running = start(&env, "HUP");
    running.wait_for("Uploading 2 files");
    running.signal(Signal::TERM);
    running.finish(&env).fails_with(130);
}
