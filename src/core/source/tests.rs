use std::fs;

use super::*;

/// Every printable character that means something in a URL or a glob, as far as the system allows it in a name.
const ODD: &str = if cfg!(windows) { "odd [1] #%20 ü.txt" } else { "odd [1] #%20 ü?.txt" };

fn tree(paths: &[&str]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    for path in paths {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        fs::write(path, b"12345").expect("a file");
    }
    dir
}

fn plan_of(path: &Path) -> Result<(Vec<String>, Vec<String>, u64), PlanError> {
    selected(path, &Selection::default())
}

fn selected(path: &Path, selection: &Selection) -> Result<(Vec<String>, Vec<String>, u64), PlanError> {
    let plan = plan(&Source::Local(path.to_owned()), Path::new("/"), selection, None)?;
    let bytes = plan.bytes().expect("local");
    let UploadSource::Local { files, excluded, .. } = plan else { unreachable!("local") };
    let excluded = excluded.into_iter().map(|left| format!("{} ({})", left.path, left.reason)).collect();
    Ok((files.iter().map(|file| file.path.to_string()).collect(), excluded, bytes))
}

#[test]
fn files_that_never_belong_to_a_model_are_not_planned() {
    let dir = tree(&[
        "model.safetensors",
        "sub/config.json",
        ".gitattributes",
        ".git/HEAD",
        ".cache/huggingface/x.metadata",
        "sub/__pycache__/a.pyc",
        "sub/half.incomplete",
        "git",
        "a.lock.json",
        ODD,
    ]);
    let (files, excluded, bytes) = plan_of(dir.path()).expect("a plan");
    assert_eq!(files, ["a.lock.json", "git", "model.safetensors", ODD, "sub/config.json"]);
    let excluded: Vec<&str> = excluded.iter().filter_map(|left| left.strip_suffix(" (default exclude)")).collect();
    assert_eq!(excluded, [".cache/", ".git/", ".gitattributes", "sub/__pycache__/", "sub/half.incomplete"]);
    assert_eq!(bytes, 25);
}

#[test]
fn globs_select_and_every_excluded_entry_has_a_reason() {
    let dir = tree(&["a.bin", "a.safetensors", "sub/b.safetensors", "sub/c.txt", "old/d.safetensors", ".git/HEAD"]);
    let patterns = |texts: &[&str]| texts.iter().map(|text| text.parse().expect("a glob")).collect();
    let selection = Selection::new(patterns(&["*.safetensors", "*.txt"]), patterns(&["old/"]), true);
    let (files, excluded, _) = selected(dir.path(), &selection).expect("a plan");
    assert_eq!(files, ["a.safetensors", "sub/b.safetensors", "sub/c.txt"]);
    assert_eq!(excluded, [".git/ (default exclude)", "a.bin (not in --include)", "old/ (--exclude)"]);

    let everything = Selection::new(Vec::new(), Vec::new(), false);
    let (files, excluded, _) = selected(dir.path(), &everything).expect("a plan");
    assert_eq!((files.len(), files[0].as_str(), excluded.len()), (6, ".git/HEAD", 0));

    let file = dir.path().join("a.bin");
    assert!(matches!(selected(&file, &selection), Err(PlanError::NothingToSelect(_))));
    let nothing = Selection::new(patterns(&["*.gguf"]), Vec::new(), true);
    assert!(matches!(selected(dir.path(), &nothing), Err(PlanError::Empty { excluded: 6, .. })));
}

#[test]
fn one_file_is_planned_alone() {
    let dir = tree(&["a.safetensors", "b.safetensors", ".gitattributes"]);
    let (files, ..) = plan_of(&dir.path().join("a.safetensors")).expect("a plan");
    assert_eq!(files, ["a.safetensors"]);
}

#[test]
fn the_format_is_that_of_the_largest_weight_file() {
    let dir = tree(&["small.bin", "config.json"]);
    fs::write(dir.path().join("large.SafeTensors"), [0; 99]).expect("a file");
    let source = Source::Local(dir.path().to_owned());
    let plan = plan(&source, Path::new("/"), &Selection::default(), None).expect("a plan");
    assert_eq!(plan.format(), Some("SafeTensors"));
}

#[test]
fn invalid_entries_are_rejected_before_the_upload() {
    let dir = tree(&[".git/HEAD"]);
    assert!(matches!(plan_of(dir.path()), Err(PlanError::Empty { excluded: 1, .. })));
    assert!(matches!(plan_of(&dir.path().join("nowhere")), Err(PlanError::NotFound(_))));
    if cfg!(unix) {
        let odd = tree(&["a\nb"]);
        assert!(matches!(plan_of(odd.path()), Err(PlanError::BadName { .. })));
    }
}

#[cfg(unix)]
#[test]
fn links_are_followed_under_their_own_names_and_loops_are_refused() {
    use std::os::unix::fs::symlink;
    let dir = tree(&["blobs/abc123"]);
    let snapshot = dir.path().join("snapshot");
    fs::create_dir(&snapshot).expect("a directory");
    symlink("../blobs/abc123", snapshot.join("model.safetensors")).expect("a link");
    symlink(dir.path().join("blobs"), snapshot.join("more")).expect("a link");
    let (files, _, bytes) = plan_of(&snapshot).expect("a plan");
    assert_eq!((files, bytes), (vec!["model.safetensors".to_owned(), "more/abc123".into()], 10));

    symlink("..", snapshot.join("up")).expect("a link");
    assert!(matches!(plan_of(&snapshot), Err(PlanError::LinkLoop(_))));
    fs::remove_file(snapshot.join("up")).expect("removed");
    symlink("gone", snapshot.join("dangling")).expect("a link");
    assert!(matches!(plan_of(&snapshot), Err(PlanError::BrokenLink(_))));
    let without = Selection::new(Vec::new(), vec!["dangling".parse().expect("a glob")], true);
    assert_eq!(selected(&snapshot, &without).expect("a plan").1, ["dangling (--exclude)"]);
    fs::remove_file(snapshot.join("dangling")).expect("removed");
    drop(std::os::unix::net::UnixListener::bind(snapshot.join("socket")).expect("a socket"));
    assert!(matches!(plan_of(&snapshot), Err(PlanError::SpecialFile(_))));
}
