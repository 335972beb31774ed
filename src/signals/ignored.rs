//! Signals that the parent process chose to ignore.

use std::mem::MaybeUninit;
use std::ptr;

/// True if the signal is currently ignored.
pub(super) fn is_ignored(signal: i32) -> bool {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    #[expect(
        unsafe_code,
        reason = "no safe wrapper in a crate of ours; the call changes nothing but its last argument"
    )]
    // SAFETY: `action` is valid for writes, a null pointer leaves the action unchanged, and all zeros is a valid action
    // if the call fails.
    let action = unsafe {
        libc::sigaction(signal, ptr::null(), action.as_mut_ptr());
        action.assume_init()
    };
    action.sa_sigaction == libc::SIG_IGN
}
