//! Available space on the disk of a directory.

use std::io;
use std::path::Path;

/// Bytes that this user can still write on the disk of an existing directory.
#[cfg(unix)]
pub(super) fn free_space(directory: &Path) -> io::Result<u64> {
    let of = rustix::fs::statvfs(directory)?;
    Ok(of.f_bavail.saturating_mul(of.f_frsize))
}

/// Bytes that this user can still write on the disk of an existing directory.
#[cfg(windows)]
pub(super) fn free_space(directory: &Path) -> io::Result<u64> {
    use std::os::windows::ffi::OsStrExt;
    use windows::Win32::Storage::FileSystem::GetDiskFreeSpaceExW;
    use windows::core::PCWSTR;

    let path: Vec<u16> = directory.as_os_str().encode_wide().chain([0]).collect();
    let mut free = 0;
    #[expect(unsafe_code, reason = "no safe wrapper in a crate of ours; the call reads a path and writes one number")]
    // SAFETY: the path ends with a zero, and both it and the number live until the call returns.
    unsafe { GetDiskFreeSpaceExW(PCWSTR(path.as_ptr()), Some(&raw mut free), None, None) }.map_err(io::Error::other)?;
    Ok(free)
}
