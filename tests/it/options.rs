//! Options of `create`: requests, prompts and messages.

mod auto_version;
mod large_upload;
mod overwrite;
mod piped_source;

use foundry_emulator::{Config, RequestRecord};
use serde_json::{Value, json};

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
fn adapter_is_registered_as_lora() {
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
    // The same command waits for the registration to finish.
    let again = create(&env, &["--version", "3", "-o", "json"]).success();
    assert_eq!(again.json()["version"], "3");
    assert_eq!(env.azcopy_starts().len(), 1);
}

#[test]
fn registration_beyond_its_limit_continues_on_the_service() {
    let env = env_with(Config { polls_until_done: 10_000, ..Config::default() });
    let output = create(&env, &["--timeout", "10s"]).fails_with(8);
    assert!(
        output.stderr.contains("the registration did not finish in time; its last state was InProgress"),
        "{output}"
    );
    assert!(output.stderr.contains("custom create --name my-model --source model --timeout 10s"), "{output}");
}

/// The suggested command includes every option.
#[test]
fn suggested_command_has_all_options() {
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
    let mut words = shell_words::split(line).expect("valid shell words");
    words.remove(0);
    let expected: Vec<String> = args.iter().map(ToString::to_string).collect();
    let joined = words.join(" ").replace("--description=-x y", "--description -x y");
    assert_eq!(joined, expected.join(" "));
}

/// An option between two words of the command must not hide another option from its rules.
#[test]
fn global_option_applies_in_any_position() {
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
