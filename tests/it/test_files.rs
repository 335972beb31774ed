//! Every test file belongs to a test target.

use std::fs;
use std::path::Path;

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
