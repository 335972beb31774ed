//! Sleep inhibition, by a request of a thread that the system discards when the thread ends.

use std::sync::mpsc;
use std::thread;

use windows::Win32::System::Power::{ES_CONTINUOUS, ES_SYSTEM_REQUIRED, SetThreadExecutionState};

use crate::env::Env;

/// Keeps the machine awake until it is dropped or this process ends in any way.
#[derive(Debug)]
pub struct Inhibitor {
    /// Closed on drop, which ends the thread.
    _until: mpsc::Sender<()>,
}

/// Keeps the machine awake. Blocks until the system has responded, which is immediate.
///
/// # Errors
/// A sentence with the reason why the machine may go to sleep.
pub fn inhibit(_env: &Env, _why: &str) -> Result<Inhibitor, String> {
    let (until, dropped) = mpsc::channel::<()>();
    let (answer, answered) = mpsc::sync_channel(1);
    let keep = move || {
        if answer.send(request()).is_ok() {
            while dropped.recv().is_ok() {}
        }
    };
    thread::Builder::new().name("awake".to_owned()).spawn(keep).map_err(|why| why.to_string())?;
    match answered.recv() {
        Ok(true) => Ok(Inhibitor { _until: until }),
        _ => Err("Windows refused".to_owned()),
    }
}

/// Requests that the machine stays on until this thread ends; the screen may turn off.
fn request() -> bool {
    #[expect(unsafe_code, reason = "no safe wrapper in a crate of ours; the call takes a number")]
    // SAFETY: no pointers.
    let before = unsafe { SetThreadExecutionState(ES_CONTINUOUS | ES_SYSTEM_REQUIRED) };
    before.0 != 0
}
