//! Links, special files and files that cannot be read.

use super::*;

#[cfg(unix)]
#[test]
fn links_and_special_files_have_their_codes() {
    use std::os::unix::fs::symlink;
    let outside = tempfile::tempdir().expect("a directory");
    fs::write(outside.path().join("x.json"), "{}").expect("a file");
    type Make<'a> = Box<dyn Fn(&Path) + 'a>;
    let table: Vec<(&[&str], Make<'_>)> = vec![
        (&["error link-loop"], Box::new(|home| symlink(home, home.join("up")).expect("a link"))),
        (&["error broken-link"], Box::new(|home| symlink("gone", home.join("x.json")).expect("a link"))),
        (
            &["error special-file"],
            Box::new(|home| {
                drop(std::os::unix::net::UnixListener::bind(home.join("socket")).expect("a socket"));
            }),
        ),
        (&["error bad-file-name"], Box::new(|home| fs::write(home.join("a\nb.json"), "{}").expect("a file"))),
        (
            &["warning link-outside"],
            Box::new(|home| {
                symlink(outside.path().join("x.json"), home.join("x.json")).expect("a link");
            }),
        ),
        (&["warning link-outside"], Box::new(|home| symlink(outside.path(), home.join("sub")).expect("a link"))),
        (&[], Box::new(|home| symlink("config.json", home.join("x.json")).expect("a link"))),
    ];
    for (expected, make) in table {
        let folder = TestFolder::valid();
        make(folder.0.path());
        assert_eq!(folder.codes(), expected);
    }
}

#[cfg(unix)]
#[test]
fn links_into_a_hugging_face_cache_are_not_reported() {
    let cache = tempfile::tempdir().expect("a directory");
    let (blobs, snapshot) = (cache.path().join("m/blobs"), cache.path().join("m/snapshots/1"));
    fs::create_dir_all(&blobs).expect("a directory");
    fs::create_dir_all(&snapshot).expect("a directory");
    let valid = TestFolder::valid();
    for entry in fs::read_dir(valid.0.path()).expect("a directory") {
        let entry = entry.expect("an entry");
        fs::rename(entry.path(), blobs.join(entry.file_name())).expect("moved");
        let target = Path::new("../../blobs").join(entry.file_name());
        std::os::unix::fs::symlink(target, snapshot.join(entry.file_name())).expect("a link");
    }
    assert_eq!(found(&snapshot, None), []);
}

/// A single unreadable file is a matter of permissions; among other faults it is reported with them.
#[test]
fn an_unreadable_file_is_a_finding_only_among_others() {
    let unreadable = || {
        let why = io::ErrorKind::PermissionDenied.into();
        PlanError::Unreadable { path: "/m/shut".into(), why, exclude: None }
    };
    let broken = || PlanError::BrokenLink("/m/gone".into());
    for (error, expected) in [
        (unreadable(), &[][..]),
        (PlanError::Several(vec![unreadable(), unreadable()]), &[]),
        (PlanError::Several(vec![broken(), unreadable()]), &["error unreadable", "error broken-link"]),
        (broken(), &["error broken-link"]),
    ] {
        assert_eq!(codes(&of_walk(&error)), expected, "{error:?}");
    }
}
