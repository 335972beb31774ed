//! One check for folders and repositories: the same files have the same findings.

use super::{Fixture, shard, valid_model};

/// Findings of a folder and of a repository with the same files.
fn both(
    files: &[(&str, Vec<u8>)],
    change: impl FnOnce(&mut fake_hub::Config),
) -> (serde_json::Value, serde_json::Value) {
    let fixture = Fixture::with(files, change);
    let check = |source: &str| fixture.run(&["custom", "check", source, "--include", "*", "-o", "json"]).json();
    (check("repo"), check("hf://org/model"))
}

#[test]
fn repository_has_the_findings_of_a_folder() {
    let cut = || {
        let mut file = shard("b", 300_000);
        file.truncate(200_000);
        file
    };
    let long = {
        let names: Vec<String> = (0..5000)
            .map(|at| format!(r#""layer.{at}.weight":{{"dtype":"U8","shape":[1],"data_offsets":[{at},{}]}}"#, at + 1))
            .collect();
        let header = format!("{{{}}}", names.join(","));
        let mut file = (header.len() as u64).to_le_bytes().to_vec();
        file.extend_from_slice(header.as_bytes());
        file.resize(file.len() + 5000, 7);
        file
    };
    assert!(long.len() > 300_000, "longer than the first read");
    let pointer =
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0123456789abcdef\nsize 4976698672\n".to_vec();
    let config = br#"{"quantization_config":{"quant_method":"fp8"},"auto_map":{"AutoModel":"m.X"}}"#.to_vec();
    let replaced = |name: &'static str, content: Vec<u8>| -> Vec<(&'static str, Vec<u8>)> {
        let files = valid_model().into_iter().filter(|(path, _)| *path != name);
        files.chain(std::iter::once((name, content))).collect()
    };
    let second = "model-00002-of-00002.safetensors";
    for (files, code) in [
        (replaced(second, cut()), "truncated-shard"),
        (replaced(second, shard("c", 10)), "tensor-not-in-shard"),
        (replaced(second, pointer), "lfs-pointer"),
        (replaced(second, b"<html>".to_vec()), "truncated-shard"),
        (replaced("config.json", b"{".to_vec()), "invalid-config"),
        (replaced("config.json", config.clone()), "quantized-weights"),
        (replaced("config.json", config), "code-ignored"),
        (replaced("more.safetensors", long), "unused-weights"),
        (replaced("model.gguf", b"GGUF\x09".to_vec()), "truncated-shard"),
    ] {
        let (folder, repository) = both(&files, |config| config.repos[0].without_lfs = vec![second.to_owned()]);
        let codes = |findings: &serde_json::Value| -> Vec<String> {
            let findings = findings.as_array().expect("findings").iter();
            findings.map(|one| format!("{} {}", one["code"].as_str().expect("a code"), one["file"])).collect()
        };
        assert!(codes(&folder).iter().any(|found| found.starts_with(code)), "{code}: {folder}");
        // Only repositories get a warning about a second set of weights: their files are selected by default.
        let repository: Vec<_> =
            repository.as_array().expect("findings").iter().filter(|one| one["code"] != "several-weights").collect();
        assert_eq!(repository, folder.as_array().expect("findings").iter().collect::<Vec<_>>(), "{code}");
    }
}

#[test]
fn two_sets_of_weights_are_a_warning_that_names_the_option() {
    let mut files = valid_model();
    files.push(("model.fp16.safetensors", shard("a", 10)));
    let fixture = Fixture::with(&files, |_| {});
    let findings = fixture.run(&["custom", "check", "hf://org/model", "-o", "json"]).success().json();
    let several = findings.as_array().expect("findings").iter().find(|one| one["code"] == "several-weights");
    let remedy = several.expect("a warning")["remedy"].as_str().expect("a string").to_owned();
    assert!(remedy.contains("--include"), "{remedy}");
}

#[test]
fn create_ends_with_the_findings_before_any_foundry_request() {
    let mut fixture = Fixture::with(&[("config.json", b"{}".to_vec()), ("model.safetensors", vec![0; 20])], |_| {});
    let endpoint = fixture.env.emulator().endpoint();
    fixture.env.set("AZURE_PROJECT_ENDPOINT", &endpoint).set("AZURE_AI_MODELS_CREDENTIAL", "emulator");
    let output = fixture.run(&["create", "-n", "my-model", "--source", "hf://org/model", "-o", "json"]).fails_with(6);
    assert_eq!(output.json_error()["code"], "bad-header");
    assert!(fixture.env.emulator().requests().is_empty());
}
