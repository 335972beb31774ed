//! Options and variables that can be combined with Hub sources, and those that cannot.

use super::Fixture;

#[test]
fn options_that_contradict_the_source_are_usage_errors() {
    let fixture = Fixture::valid();
    fixture.env.write_model();
    let create = |source: &str, more: &[&str]| {
        let args = [&["create", "-n", "my-model", "--source", source, "-o", "json"], more].concat();
        fixture.run(&args).fails_with(2).json_error()
    };
    let error = create("hf://org/model", &["--engine", "azcopy"]);
    assert_eq!(error["code"], "engine_options");
    assert!(
        error["message"].as_str().is_some_and(|text| text.starts_with("AzCopy cannot read from the Hugging Face Hub"))
    );
    assert!(error["suggestion"].as_str().is_some_and(|text| text.contains("--engine native")), "{error}");
    for (source, options) in [
        ("hf://org/model", &["--no-hash"][..]),
        ("model", &["--copy", "client"]),
        ("model", &["--verify", "full", "--engine", "native"]),
    ] {
        assert_eq!(create(source, options)["code"], "engine_options", "{source} {options:?}");
    }
    assert_eq!(
        create("hf://org/model/config.json", &["--include", "*.json", "--dry-run"])["code"],
        "nothing_to_select"
    );
    assert!(fixture.hub.requests().iter().all(|one| !one.path.contains("/resolve/")));
}

#[test]
fn engine_variable_is_ignored_for_an_import() {
    let mut fixture = Fixture::valid();
    fixture.env.set("AZURE_AI_MODELS_ENGINE", "azcopy");
    fixture.run(&["create", "-n", "my-model", "--source", "hf://org/model", "--dry-run"]).success();
}

#[test]
fn unsupported_hub_sources_are_rejected_before_any_request() {
    let fixture = Fixture::valid();
    let output = fixture.run(&["custom", "check", "hf://datasets/org/data"]).fails_with(2);
    insta::assert_snapshot!(output, @"
    ------- stderr -------
    ERROR: only models can be imported, not 'datasets'

    Suggestion: Use a model repository: hf://ORG/NAME
    [exit code: 2]
    ");
    for source in ["hf://gpt2", "hf://org/model@", "https://huggingface.co/org/model/discussions/1"] {
        let error = fixture.run(&["custom", "check", source, "-o", "json"]).fails_with(2).json_error();
        assert_eq!(error["code"], "bad_source", "{source}");
    }
    assert!(fixture.hub.requests().is_empty());
}

#[test]
fn variables_of_the_hub_are_checked_only_when_used() {
    let mut fixture = Fixture::valid();
    fixture.env.write_model();
    let mut code = |name: &str, value: &str| {
        fixture.env.set(name, value);
        fixture.env.run(&["custom", "check", "model"]).success();
        let error = fixture.env.run(&["custom", "check", "hf://org/model", "-o", "json"]).fails_with(2).json_error();
        fixture.env.unset(name);
        error["code"].as_str().expect("a code").to_owned()
    };
    assert_eq!(code("HF_HUB_OFFLINE", "1"), "hub_offline");
    assert_eq!(code("HF_TOKEN", "two words"), "bad_variable");
    assert_eq!(code("HF_TOKEN_PATH", "gone"), "bad_variable");
    assert_eq!(code("HF_ENDPOINT", "http://hub.example"), "bad_variable");
    assert!(fixture.hub.requests().is_empty());
}

/// A cloned repository may contain a `.env`, which a shell may have loaded.
#[test]
fn azd_environment_chooses_neither_the_hub_nor_its_token() {
    let mut fixture = Fixture::valid();
    fixture.env.write("azure.yaml", "name: x\n");
    fixture.env.write(".azure/config.json", r#"{"version":1,"defaultEnvironment":"dev"}"#);
    fixture.env.write(".azure/dev/.env", "HF_TOKEN=hf_other\nHF_ENDPOINT=https://evil.example\n");
    let endpoint = fixture.hub.endpoint().to_owned();
    // The public Hub is used then, which cannot be reached from here.
    fixture.env.set("HF_TOKEN", super::TOKEN).set("HTTPS_PROXY", "http://127.0.0.1:9");
    let output = fixture.run(&["custom", "check", "hf://org/model"]).fails_with(9);
    assert!(output.stderr.contains("HF_TOKEN is ignored: it is set by the azd environment 'dev'"), "{output}");
    assert!(output.stderr.contains("HF_ENDPOINT is ignored"), "{output}");
    assert!(fixture.hub.requests().is_empty() && !output.stderr.contains(&endpoint));
}
