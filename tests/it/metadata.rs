//! What azd is told of the commands when it installs the extension: azd crashes over a mistake in it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::TestEnv;

fn metadata() -> Value {
    let mut env = TestEnv::new();
    // azd calls it without any of its variables; nothing else is needed either.
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
fn every_command_is_described_and_no_name_or_letter_stands_twice() {
    let metadata = metadata();
    assert_eq!((&metadata["schemaVersion"], &metadata["id"]), (&"1.0".into(), &"azure.ai.models".into()));
    let mut paths = BTreeSet::new();
    each(&metadata["commands"], &mut |command| {
        let path: Vec<&str> = command["name"].as_array().expect("a path").iter().filter_map(Value::as_str).collect();
        assert!(paths.insert(path.join(" ")), "{path:?} stands twice");
        assert!(!command["short"].as_str().expect("a sentence").is_empty(), "{path:?}");
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
fn options_and_examples_are_told_as_they_are() {
    let metadata = metadata();
    let mut create = Value::Null;
    each(&metadata["commands"], &mut |command| {
        if command["name"] == serde_json::json!(["custom", "create"]) {
            create = command.clone();
        }
    });
    let flag = |name: &str| {
        let flags = create["flags"].as_array().expect("flags");
        flags.iter().find(|flag| flag["name"] == name).unwrap_or_else(|| panic!("no --{name}")).clone()
    };
    assert_eq!((&flag("name")["required"], &flag("name")["shorthand"]), (&true.into(), &"n".into()));
    assert_eq!(flag("tag")["type"], "stringArray");
    assert_eq!(flag("lora-rank")["type"], "int");
    assert_eq!(flag("dry-run")["type"], "bool");
    assert_eq!(flag("debug")["type"], "bool");
    assert_eq!(flag("environment")["shorthand"], "e");
    assert_eq!(flag("output")["validValues"], serde_json::json!(["table", "json", "none"]));
    assert_eq!(create["examples"][0]["description"], "A directory with the weights");
    let example = "azd ai models custom create --name my-model --source ./model-weights";
    assert_eq!(create["examples"][0]["command"], example);
}

/// The file that azd's developer tools read says the same as the program.
#[test]
fn the_extension_file_agrees_with_the_program() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("extension.yaml")).expect("extension.yaml");
    let version = fs::read_to_string(root.join("version.txt")).expect("version.txt");
    assert!(text.contains(&format!("\nversion: {}\n", version.trim())), "the version");
    assert!(text.starts_with("id: azure.ai.models\nnamespace: ai.models\n"));
    let described = concat!("\ndescription: ", env!("CARGO_PKG_DESCRIPTION"), "\n");
    assert!(text.contains(described), "{described}");
    let examples: Vec<&str> =
        text.lines().filter_map(|line| line.trim().strip_prefix("usage: azd ai models custom ")).collect();
    assert_eq!(examples.len(), 4);
    for example in examples {
        let words = shell_words::split(example).expect("words");
        let mut args = vec!["custom"];
        args.extend(words.iter().map(String::as_str));
        // Help comes only behind words that the program knows.
        args.push("--help");
        drop(TestEnv::new().run(&args).success());
    }
}
