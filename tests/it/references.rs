//! References in code, scripts and pages: each names an existing file, and each anchor an existing heading.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Directories whose files are read, in addition to the root of the repository.
const ROOTS: [&str; 7] = ["src", "tests", "ci", "design", "docs", "examples", ".github"];
/// Files by other authors or other programs.
const FOREIGN: [&str; 3] = ["tests/data", "tests/fuzz", "ci/package-lock.json"];
/// Pages outside the repository, and terms for them: a reader cannot look them up.
const VAGUE: [&str; 5] = ["the customer", "the contract", "the brief", "the issue", "the designers"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Text files that people wrote, relative to the root, with `/` as separator.
fn texts() -> BTreeMap<String, String> {
    fn walk(directory: &Path, into: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(directory).into_iter().flatten() {
            let path = entry.expect("an entry").path();
            let name = relative(&path);
            if FOREIGN.iter().any(|foreign| name.starts_with(foreign)) {
                continue;
            }
            if path.is_dir() {
                walk(&path, into);
            } else if is_text(&name) {
                into.insert(name, fs::read_to_string(&path).expect("UTF-8"));
            }
        }
    }
    let mut found = BTreeMap::new();
    ROOTS.iter().for_each(|directory| walk(&root().join(directory), &mut found));
    for entry in fs::read_dir(root()).expect("the repository") {
        let path = entry.expect("an entry").path();
        let name = relative(&path);
        if path.is_file() && is_text(&name) {
            found.insert(name, fs::read_to_string(&path).expect("UTF-8"));
        }
    }
    assert!(found.len() > 300, "{}", found.len());
    found
}

fn relative(path: &Path) -> String {
    let path = path.strip_prefix(root()).expect("a path below the root");
    path.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

fn is_text(name: &str) -> bool {
    let ending = Path::new(name).extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    ["rs", "md", "sh", "py", "ps1", "toml", "proto", "yml", "yaml"].contains(&ending)
}

/// Prose of a file: comments of code, and all of a page except its code blocks.
fn prose(name: &str, text: &str) -> String {
    let comment = match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("md") => {
            let mut inside = false;
            let lines = text.lines().filter(|line| {
                let fence = line.trim_start().starts_with("```");
                inside ^= fence;
                !inside && !fence
            });
            return lines.collect::<Vec<_>>().join("\n");
        }
        Some("rs" | "proto") => "//",
        _ => "#",
    };
    let comments = text.lines().filter_map(|line| Some(line.split_once(comment)?.1.trim_start_matches(['/', '!'])));
    comments.collect::<Vec<_>>().join("\n")
}

/// Words that name a file by its path from the root: `ci/demo.sh`, `design/cli.md#errors`.
fn paths(text: &str) -> BTreeSet<&str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "/._-#".contains(c);
    let words = text.split(|c| !is_part(c)).map(|word| word.trim_end_matches(['.', '/', '-', '#']));
    let names_file = |word: &&str| {
        let path = word.split('#').next().unwrap_or_default();
        let below_root = ROOTS.iter().any(|directory| path.starts_with(&format!("{directory}/")));
        (below_root && is_text(path)) || (path.ends_with(".md") && path.len() > 3)
    };
    words.filter(names_file).collect()
}

/// Anchors of a page's headings, as GitHub generates them.
fn anchors(page: &str) -> BTreeSet<String> {
    let headings = page.lines().filter(|line| line.starts_with('#'));
    let slug = |heading: &str| {
        let text = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = text.chars().filter(|&c| c.is_alphanumeric() || c == ' ' || c == '-' || c == '_');
        kept.map(|c| if c == ' ' { '-' } else { c }).collect::<String>()
    };
    headings.map(slug).collect()
}

/// Targets of the Markdown links of a page.
fn links(prose: &str) -> Vec<&str> {
    let after = prose.split("](").skip(1);
    after.filter_map(|rest| rest.split(')').next()).filter(|target| !target.contains("://")).collect()
}

/// References whose path or anchor does not exist.
fn broken(texts: &BTreeMap<String, String>, base: &Path, reference: &str) -> Option<String> {
    let (path, anchor) = reference.split_once('#').unwrap_or((reference, ""));
    let mut target = PathBuf::new();
    for part in base.join(path).components() {
        match part {
            std::path::Component::ParentDir => drop(target.pop()),
            part => target.push(part),
        }
    }
    if !root().join(&target).exists() {
        return Some("no such file".to_owned());
    }
    let page = texts.get(&relative(&root().join(&target)))?;
    let known = anchor.is_empty() || anchors(&prose(&target.to_string_lossy(), page)).contains(anchor);
    (!known).then(|| format!("no heading '{anchor}'"))
}

#[test]
fn references_of_code_scripts_and_readme_exist() {
    let texts = texts();
    let mut faults = Vec::new();
    let mut seen = 0;
    for (name, text) in &texts {
        let prose = prose(name, text);
        let own = Path::new(name).parent().expect("a directory");
        for reference in paths(&prose) {
            seen += 1;
            let at_root = broken(&texts, Path::new(""), reference);
            if let Some(fault) = at_root.filter(|_| broken(&texts, own, reference).is_some()) {
                faults.push(format!("{name}: {reference}: {fault}"));
            }
        }
        if name.ends_with(".md") {
            for target in links(&prose) {
                seen += 1;
                let (base, target) = match target.strip_prefix('#') {
                    Some(_) => (Path::new(""), format!("{name}{target}")),
                    None => (own, target.to_owned()),
                };
                faults.extend(broken(&texts, base, &target).map(|fault| format!("{name}: ({target}): {fault}")));
            }
        }
        let words = prose.to_lowercase();
        faults.extend(VAGUE.iter().filter(|word| words.contains(*word)).map(|word| format!("{name}: '{word}'")));
    }
    assert!(seen > 60, "{seen} references");
    assert!(faults.is_empty(), "{} of {seen} references lead nowhere:\n{}", faults.len(), faults.join("\n"));
}

/// The third column of the glossary names types of the code.
#[test]
fn types_of_the_glossary_exist() {
    let texts = texts();
    let (_, glossary) = texts["CONTRIBUTING.md"].split_once("## Glossary").expect("the glossary");
    let column =
        glossary.lines().filter_map(|row| row.split('|').nth(3)).flat_map(|cell| cell.split('`').skip(1).step_by(2));
    let code: String =
        texts.iter().filter(|(name, _)| name.starts_with("src/")).map(|(_, text)| text.as_str()).collect();
    let is_type = |name: &str| {
        ["struct", "enum", "trait"].iter().any(|kind| {
            let declaration = format!("{kind} {name}");
            let is_end = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
            code.split(&declaration).skip(1).any(is_end)
        })
    };
    let types: Vec<&str> = column.collect();
    let missing: Vec<&&str> = types.iter().filter(|name| !is_type(name)).collect();
    assert!(types.len() > 15 && missing.is_empty(), "{missing:?} of {types:?}");
}
