//! Check of the clock.

use std::time::{Duration, SystemTime};

use super::{check, doctor, fixture};
use crate::support::{FaultProxy, ResponseFault, Rule, TestEnv};

/// The project behind a server whose responses to HEAD carry this time.
fn at_time(env: &mut TestEnv, time: SystemTime) -> FaultProxy {
    let answer =
        format!("HTTP/1.1 404 X\r\ndate: {}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n", http_date(time));
    let rule = Rule { route: "HEAD".into(), fault: ResponseFault::Instead(answer.into_bytes()), always: true };
    let origin = env.emulator().origin();
    let server = origin.strip_prefix("http://").expect("an HTTP origin");
    let proxy = FaultProxy::start(server, Some(rule), |method, _| method.to_owned());
    env.set("AZURE_PROJECT_ENDPOINT", &format!("http://{}/api/projects/demo", proxy.authority()));
    proxy
}

fn http_date(time: SystemTime) -> String {
    let form = time::macros::format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    time::OffsetDateTime::from(time).format(&form).expect("a date")
}

#[test]
fn clock_that_is_ten_minutes_off_fails() {
    for (time, word) in [
        (SystemTime::now() - Duration::from_secs(600), "ahead"),
        (SystemTime::now() + Duration::from_secs(600), "behind"),
    ] {
        let mut env = fixture();
        let _proxy = at_time(&mut env, time);
        let output = doctor(&env).fails_with(1);
        assert!(output.stderr.contains("1 of 14 checks failed: clock"), "{output}");
        let line = output.stdout.lines().find(|line| line.contains("  clock  ")).expect("the check");
        assert!(line.starts_with("failed") && line.contains(&format!(" {word} of the clock of 127.0.0.1")), "{line}");
        assert!(line.ends_with("a SAS fails beyond 5 minutes  Fix: sudo timedatectl set-ntp true"), "{line}");
    }
}

#[test]
fn clock_that_is_two_minutes_off_is_a_warning() {
    let mut env = fixture();
    let _proxy = at_time(&mut env, SystemTime::now() - Duration::from_secs(120));
    assert_eq!(check(&env, "clock")["status"], "warning");
}
