//! The direction of dependencies (design/architecture.md), and that no test file is forgotten.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Who may name whom. Everybody may name the base: model, redact, units, env, cancel.
const EDGES: [(&str, &[&str]); 17] = [
    ("lib", &["app", "azd", "cli", "commands", "console", "error", "signals"]),
    ("arm", &["http", "project", "credential"]),
    ("app", &["azd", "cli", "console", "credential", "error", "foundry", "http", "project", "commands"]),
    ("cli", &["commands"]),
    (
        "commands",
        &[
            "app",
            "arm",
            "azd",
            "credential",
            "azcopy",
            "cli",
            "console",
            "error",
            "foundry",
            "native",
            "upload",
            "project",
        ],
    ),
    (
        "error",
        &[
            "app",
            "arm",
            "azcopy",
            "azd",
            "cli",
            "console",
            "credential",
            "foundry",
            "http",
            "native",
            "project",
            "upload",
            "commands",
        ],
    ),
    ("process", &[]),
    ("azd", &["process"]),
    ("project", &["azd"]),
    ("credential", &["project", "azd", "process"]),
    ("http", &["credential"]),
    ("foundry", &["http", "project", "credential"]),
    ("azcopy", &["http"]),
    ("native", &["http"]),
    ("upload", &["azcopy", "native", "foundry", "http"]),
    ("console", &[]),
    ("signals", &[]),
];
const BASE: [&str; 5] = ["model", "redact", "units", "env", "cancel"];
/// The console is given values, not the environment.
const CONSOLE_BASE: [&str; 3] = ["model", "redact", "units"];
/// What the base itself may name.
const BASE_EDGES: [(&str, &[&str]); 5] =
    [("model", &["redact"]), ("redact", &[]), ("units", &[]), ("env", &[]), ("cancel", &[])];

#[test]
fn modules_name_only_what_stands_below_them() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for file in sources(&root) {
        let module = top_module(&root, &file);
        if module == "main" {
            continue;
        }
        for named in named_modules(&fs::read_to_string(&file).expect("a source file")) {
            if named != module && !allowed(&module, &named) {
                wrong.push(format!("{} names {named}", file.strip_prefix(&root).expect("below src").display()));
            }
        }
    }
    assert!(wrong.is_empty(), "forbidden edges:\n{}", wrong.join("\n"));
}

fn allowed(module: &str, named: &str) -> bool {
    if let Some((_, edges)) = BASE_EDGES.iter().find(|(name, _)| *name == module) {
        return edges.contains(&named);
    }
    let base: &[&str] = if module == "console" { &CONSOLE_BASE } else { &BASE };
    let edges = EDGES.iter().find(|(name, _)| *name == module).unwrap_or_else(|| panic!("no row for {module}")).1;
    base.contains(&named) || edges.contains(&named)
}

/// Libraries that draw stand in the console alone, clap stands in what the person types.
#[test]
fn libraries_stand_where_they_belong() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for file in sources(&root) {
        let module = top_module(&root, &file);
        if file.components().any(|part| part.as_os_str() == "tests") {
            continue;
        }
        // What the machine is, as opposed to what the process was given.
        let text = fs::read_to_string(&file)
            .expect("a source file")
            .replace("std::env::consts", "")
            .replace("std::env::split_paths", "");
        for (library, homes) in [
            ("indicatif::", &["console"][..]),
            ("comfy_table::", &["console"]),
            ("dialoguer::", &["console"]),
            ("clap::", &["cli", "commands"]),
            ("clap_complete::", &["cli", "commands"]),
            ("azure_identity::", &["credential"]),
            ("tonic::", &["azd"]),
            ("prost::", &["azd"]),
            ("std::env::", &["env", "main", "lib"]),
        ] {
            if text.contains(library) && !homes.contains(&module.as_str()) {
                wrong.push(format!("{module} names {library}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_test_file_is_listed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for suite in ["tests/it", "tests/e2e"] {
        let main = fs::read_to_string(root.join(suite).join("main.rs")).expect("a runner");
        for entry in fs::read_dir(root.join(suite)).expect("a directory") {
            let path = entry.expect("an entry").path();
            let stem = path.file_stem().expect("a name").to_string_lossy().into_owned();
            if stem != "main" && stem != "snapshots" && !stem.starts_with('.') {
                assert!(main.contains(&format!("mod {stem};")), "{suite}/main.rs does not list {stem}");
            }
        }
    }
}

fn sources(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// `src/azcopy/run.rs` and `src/azcopy.rs` both belong to `azcopy`.
fn top_module(root: &Path, file: &Path) -> String {
    let relative = file.strip_prefix(root).expect("below src");
    let first = relative.components().next().expect("a component").as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

fn named_modules(text: &str) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    for part in text.split("crate::").skip(1) {
        if let Some(group) = part.strip_prefix('{') {
            let group = group.split('}').next().unwrap_or_default();
            named.extend(group.split(',').map(|item| first_word(item.trim())).filter(|word| !word.is_empty()));
        } else {
            named.insert(first_word(part));
        }
    }
    named
}

fn first_word(text: &str) -> String {
    text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
}
