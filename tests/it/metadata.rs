//! Metadata for azd at the installation of the extension: azd crashes on invalid metadata.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use azure_ai_models_core::env::var::TABLE;
use serde_json::Value;

use crate::support::TestEnv;

fn metadata() -> Value {
    let mut env = TestEnv::new();
    // azd runs the command without any of its variables; no others are needed either.
    for name in ["HOME", "AZURE_PROJECT_ENDPOINT", "AZURE_AI_MODELS_CREDENTIAL", "PATH"] {
        env.unset(name);
    }
    let output = env.run(&["metadata"]).success();
    assert_eq!(output.stderr, "");
    output.json()
}

fn each(commands: &Value, look: &mut impl FnMut(&Value)) {
    for command in commands.as_array().into_iter().flatten() {
        look(command);
        each(&command["subcommands"], look);
    }
}

#[test]
fn every_command_is_described_without_duplicate_names_or_letters() {
    let metadata = metadata();
    assert_eq!((&metadata["schemaVersion"], &metadata["id"]), (&"1.0".into(), &"azure.ai.models".into()));
    let mut paths = BTreeSet::new();
    each(&metadata["commands"], &mut |command| {
        let path: Vec<&str> = command["name"].as_array().expect("a path").iter().filter_map(Value::as_str).collect();
        assert!(paths.insert(path.join(" ")), "{path:?} occurs twice");
        assert!(!command["short"].as_str().expect("a string").is_empty(), "{path:?}");
        let (mut names, mut letters) = (BTreeSet::new(), BTreeSet::new());
        for flag in command["flags"].as_array().into_iter().flatten() {
            let name = flag["name"].as_str().expect("a name");
            assert!(!name.starts_with('-') && names.insert(name), "{path:?} --{name}");
            if let Some(letter) = flag["shorthand"].as_str() {
                assert!(letter.len() == 1 && letters.insert(letter), "{path:?} -{letter}");
            }
            let kinds = ["string", "bool", "int", "stringArray", "intArray"];
            assert!(kinds.contains(&flag["type"].as_str().expect("a type")), "{path:?} --{name}");
        }
        assert!(letters.contains("e") && letters.contains("o"), "{path:?} {letters:?}");
        let hidden = command["hidden"] == true;
        let is_elsewhere = ["create", "update", "wait"].iter().any(|verb| path == ["deployments", verb]);
        assert_eq!(hidden, path == ["metadata"] || is_elsewhere, "{path:?}");
    });
    for path in ["custom create", "custom uploads resume", "create", "custom wait", "version", "completion"] {
        assert!(paths.contains(path), "{path}");
    }
}

#[test]
fn options_and_examples_are_described_exactly() {
    let metadata = metadata();
    let (mut create, mut show) = (Value::Null, Value::Null);
    each(&metadata["commands"], &mut |command| match &command["name"] {
        name if *name == serde_json::json!(["custom", "create"]) => create = command.clone(),
        name if *name == serde_json::json!(["custom", "show"]) => show = command.clone(),
        _ => {}
    });
    let flag = |name: &str| {
        let flags = create["flags"].as_array().expect("flags");
        flags.iter().find(|flag| flag["name"] == name).unwrap_or_else(|| panic!("no --{name}")).clone()
    };
    // Not required, as a plan also names the model.
    assert_eq!((&flag("name")["required"], &flag("name")["shorthand"]), (&Value::Null, &"n".into()));
    let name = show["flags"].as_array().and_then(|flags| flags.iter().find(|flag| flag["name"] == "name"));
    assert_eq!(name.map(|name| &name["required"]), Some(&true.into()));
    assert_eq!(flag("tag")["type"], "stringArray");
    assert_eq!(flag("lora-rank")["type"], "int");
    assert_eq!(flag("dry-run")["type"], "bool");
    assert_eq!(flag("debug")["type"], "bool");
    assert_eq!(flag("environment")["shorthand"], "e");
    for name in ["environment", "project-endpoint", "cwd"] {
        assert_eq!(flag(name)["type"], "string", "{name}: given once");
    }
    assert_eq!(flag("output")["validValues"], serde_json::json!(["table", "json", "none"]));
    assert_eq!(create["examples"][0]["description"], "A directory with the weights");
    let example = "azd ai models custom create --name my-model --source ./model-weights";
    assert_eq!(create["examples"][0]["command"], example);
}

#[test]
fn every_example_has_a_description() {
    let mut descriptions = BTreeMap::new();
    each(&metadata()["commands"], &mut |command| {
        for example in command["examples"].as_array().into_iter().flatten() {
            let description = example["description"].as_str().expect("a string");
            assert!(description.split_whitespace().count() > 1, "{example}");
            descriptions.insert(example["command"].as_str().expect("a command").to_owned(), description.to_owned());
        }
    });
    for (command, description) in [
        ("init", "Connect an azd environment to a Foundry project"),
        ("custom create -n my-adapter --source ./adapter --weight-type LoRA --base-model FW-GLM-4.7", "A LoRA adapter"),
        ("custom list --limit 10 -o json", "List the latest version of each custom model, with --limit, as JSON"),
        (
            "custom uploads discard --all --yes",
            "Discard unfinished uploads without registering their files, with --all and --yes",
        ),
    ] {
        assert_eq!(descriptions[&format!("azd ai models {command}")], description);
    }
}

#[test]
fn long_help_is_a_long_description() {
    let mut descriptions = 0;
    each(&metadata()["commands"], &mut |command| {
        let Some(long) = command["long"].as_str() else { return };
        let short = command["short"].as_str().expect("a string");
        assert!(long.starts_with(&format!("{short}\n\n")) && !long.contains("Examples:"), "{long}");
        descriptions += 1;
    });
    assert!(descriptions >= 5, "{descriptions}");
}

#[test]
fn every_variable_has_a_description() {
    let metadata = metadata();
    let descriptions = metadata["configuration"]["environmentVariables"].as_array().expect("variables");
    let names: Vec<&str> = descriptions.iter().filter_map(|one| one["name"].as_str()).collect();
    let table: Vec<&str> = TABLE.iter().map(|variable| variable.name).collect();
    assert_eq!(names, table);
    assert!(
        descriptions
            .iter()
            .all(|one| one["description"].as_str().is_some_and(|text| text.len() > 10 && !text.contains('`')))
    );
    let engine = descriptions.iter().find(|one| one["name"] == "AZURE_AI_MODELS_ENGINE").expect("the engine");
    assert_eq!((&engine["default"], &engine["example"]), (&"azcopy".into(), &"native".into()));
}

/// The file for azd's developer tools agrees with the program.
#[test]
fn extension_file_agrees_with_the_program() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("extension.yaml")).expect("extension.yaml");
    let version = fs::read_to_string(root.join("version.txt")).expect("version.txt");
    assert!(text.contains(&format!("\nversion: {}\n", version.trim())), "the version");
    assert!(text.starts_with("id: azure.ai.models\nnamespace: ai.models\n"));
    let described = concat!("\ndescription: ", env!("CARGO_PKG_DESCRIPTION"), "\n");
    assert!(text.contains(described), "{described}");
    let examples = text.split("\nexamples:\n").nth(1).expect("examples");
    let examples: Vec<&str> =
        examples.lines().filter_map(|line| line.trim().strip_prefix("usage: azd ai models ")).collect();
    assert_eq!((examples.len(), examples[0]), (5, "init"));
    for example in examples {
        let words = shell_words::split(example).expect("valid shell words");
        let mut args: Vec<&str> = words.iter().map(String::as_str).collect();
        // Help is shown only after words that the program accepts.
        args.push("--help");
        drop(TestEnv::new().run(&args).success());
    }
}
