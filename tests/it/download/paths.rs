//! Paths of downloaded files: no file of the user is overwritten, and no name leads outside the directory.

use std::fs;

use super::{DOWNLOAD, LARGE, PRIVATE, assert_complete, behaves, download, files, out, ranges, steady, uploaded};
use crate::support::{Behaviour, Lists, ReadBehaviour};

#[test]
fn different_file_is_overwritten_only_with_force() {
    let (env, store) = uploaded(&[]);
    download(&env, &[]).success();
    store.take_reads();
    fs::write(out(&env).join("sub/config.json"), "[]").expect("written");
    insta::assert_snapshot!(steady(&download(&env, &[]).fails_with(5)));
    assert_eq!(files(&env), [LARGE, "sub/config.json"], "no other file was created");
    assert_eq!(fs::read(out(&env).join("sub/config.json")).expect("a file"), b"[]");
    assert_eq!(store.take_reads(), []);
    download(&env, &["--force"]).success();
    assert_complete(&env);
    assert_eq!(ranges(&store.take_reads()).len(), 1, "the other file is unchanged");
}

#[test]
fn full_disk_is_reported_and_the_next_run_resumes() {
    let (env, store) = uploaded(&[]);
    store.behaves(Behaviour { lists: Lists::Huge, ..Behaviour::default() });
    let output = download(&env, &["-o", "json"]).fails_with(1);
    assert_eq!(output.json_error()["code"], "no-room", "{output}");
    assert!(!out(&env).exists(), "before the first byte");
    store.behaves(Behaviour::default());
    store.take_reads();
    // A limit on the file size stands in for a disk that fills up during the download.
    let args = [&DOWNLOAD[..], &["-o", "json"]].concat();
    let output = env.run_after("trap '' XFSZ; ulimit -f 2048", &args).fails_with(1);
    let error = output.json_error();
    assert_eq!(error["code"], "write_failed", "{output}");
    assert!(error["suggestion"].as_str().is_some_and(|words| words.contains("custom download")), "{output}");
    download(&env, &[]).success();
    assert_complete(&env);
}

/// Makes `fsync` fail, as on a failing disk.
#[cfg(target_os = "linux")]
const FAILING_FSYNC: &str = r#"PATH=$PATH:/usr/local/bin:/usr/bin; exec python3 -c '
import ctypes, errno, os, platform, struct, sys
fsync = {"x86_64": 74, "aarch64": 82}[platform.machine()]
filter = struct.pack("HBBI" * 4, 0x20, 0, 0, 0, 0x15, 0, 1, fsync, 6, 0, 0, 0x50000 | errno.EIO, 6, 0, 0, 0x7fff0000)
program = ctypes.create_string_buffer(struct.pack("HP", 4, ctypes.addressof(kept := ctypes.create_string_buffer(filter))))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, program, 0, 0) == 0, os.strerror(ctypes.get_errno())
os.execv(sys.argv[1], sys.argv[1:])
' "$0" "$@""#;

/// If the name reached the disk before the content, a power loss would leave an empty file.
#[cfg(target_os = "linux")]
#[test]
fn content_that_is_not_synced_gets_no_final_name() {
    let (env, store) = uploaded(&[]);
    let args = [&DOWNLOAD[..], &["--include", LARGE, "-o", "json"]].concat();
    let output = env.run_after(FAILING_FSYNC, &args).fails_with(1);
    assert_eq!(output.json_error()["code"], "write_failed", "{output}");
    assert!(!out(&env).join(LARGE).exists());
    store.take_reads();
    download(&env, &[]).success();
    assert_complete(&env);
    assert_eq!(ranges(&store.take_reads()).len(), 4, "content that was not synced is fetched again");
}

#[test]
fn parallel_limits_the_requests_in_flight() {
    let (mut env, store) = uploaded(&[]);
    env.set("AZURE_AI_MODELS_TEST_TIME", "0.01/1").set("AZURE_AI_MODELS_STALL_TIMEOUT", "200s");
    for (options, in_flight) in [(&[][..], 4), (&["--parallel", "3"], 3), (&["--parallel", "1"], 1)] {
        behaves(&store, ReadBehaviour { silent_after: Some(0), ..ReadBehaviour::default() });
        store.take_reads();
        let output = download(&env, &[options, &["-o", "json"]].concat()).fails_with(9);
        let error = output.json_error();
        assert_eq!(error["code"], "download_stalled", "{output}");
        assert!(error["suggestion"].as_str().is_some_and(|words| words.contains(&options.join(" "))), "{output}");
        assert_eq!(store.take_reads().len(), in_flight, "{options:?}");
    }
    for number in ["0", "257"] {
        download(&env, &["--parallel", number]).fails_with(2);
    }
}

#[test]
fn low_limit_of_open_files_reduces_the_requests_of_a_download() {
    let (env, _store) = uploaded(&[]);
    let output = env.run_after("ulimit -n 40", &DOWNLOAD).success();
    assert!(output.stderr.contains("using 4 connections instead of 32"), "{output}");
    assert_complete(&env);
}

#[test]
fn no_name_leads_outside_the_directory() {
    let (env, store) = uploaded(&[]);
    for name in ["../evil", "/etc/evil", "a/../../evil", "C:/evil", "..\\evil", ".azure-ai-models-download/lock"] {
        store.write(name, b"x".to_vec());
        let output = download(&env, &["-o", "json"]).fails_with(1);
        let error = output.json_error();
        assert_eq!(error["code"], "bad-file-name", "{name}: {output}");
        assert!(!out(&env).exists(), "{name}");
        // An excluded name does no harm.
        store.delete(name);
    }
    assert!(!env.work().join("evil").exists());
    store.write("../evil", b"x".to_vec());
    insta::assert_snapshot!("bad_name", download(&env, &[]).fails_with(1));
    download(&env, &["--exclude", "evil"]).success();
}

#[test]
fn links_below_the_directory_are_not_followed() {
    let (env, _store) = uploaded(&[]);
    let elsewhere = env.work().join("elsewhere");
    fs::create_dir_all(&elsewhere).expect("a directory");
    fs::create_dir_all(out(&env)).expect("a directory");
    std::os::unix::fs::symlink(&elsewhere, out(&env).join("sub")).expect("a link");
    for options in [&[][..], &["--force"]] {
        insta::assert_snapshot!("link_in_the_way", download(&env, options).fails_with(5));
    }
    fs::remove_file(out(&env).join("sub")).expect("removed");
    std::os::unix::fs::symlink(&elsewhere, out(&env).join(PRIVATE)).expect("a link");
    download(&env, &[]).fails_with(1);
    assert_eq!(fs::read_dir(&elsewhere).expect("a directory").count(), 0);
    fs::remove_file(out(&env).join(PRIVATE)).expect("removed");
    // A link in place of the file itself is replaced, and its target stays unchanged.
    env.write("kept", "kept");
    std::os::unix::fs::symlink(env.work().join("kept"), out(&env).join(LARGE)).expect("a link");
    download(&env, &[]).fails_with(5);
    download(&env, &["--force"]).success();
    assert_complete(&env);
    assert_eq!(fs::read(env.work().join("kept")).expect("a file"), b"kept");
}

#[test]
fn file_that_appears_during_the_download_is_overwritten_only_with_force() {
    let (env, store) = uploaded(&[]);
    let target = out(&env).join(LARGE);
    let appears = || behaves(&store, ReadBehaviour { appears_before: Some((2, target.clone())), ..Default::default() });
    appears();
    let output = download(&env, &["--include", LARGE, "-o", "json"]).fails_with(5);
    assert_eq!(output.json_error()["code"], "file-exists", "{output}");
    assert_eq!(fs::read(&target).expect("a file"), b"mine");
    fs::remove_dir_all(out(&env)).expect("removed");
    appears();
    download(&env, &["--force"]).success();
    assert_complete(&env);
}
