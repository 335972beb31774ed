//! Style of doc comments, which no linter checks.

use std::fs;
use std::path::Path;

use walkdir::WalkDir;

/// Words that begin a sentence about an item without naming it.
const WORDS: [&str; 7] = ["It", "Its", "What", "Where", "Whether", "Nobody", "Whoever"];

#[test]
fn doc_comments_begin_with_a_noun_or_a_verb() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sources = ["src", "tests"].into_iter().flat_map(|directory| WalkDir::new(root.join(directory)));
    let mut found = Vec::new();
    for entry in sources
        .map(|entry| entry.expect("an entry"))
        .filter(|entry| entry.path().extension().is_some_and(|it| it == "rs"))
    {
        let text = fs::read_to_string(entry.path()).expect("a source");
        for (line, number) in text.lines().zip(1..) {
            let line = line.trim_start();
            let Some(doc) = line.strip_prefix("/// ").or_else(|| line.strip_prefix("//! ")) else { continue };
            let first = doc.split(|c: char| !c.is_alphabetic()).next().unwrap_or_default();
            if WORDS.contains(&first) || doc.starts_with("The same ") {
                found.push(format!("{}:{number}: {doc}", entry.path().display()));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
