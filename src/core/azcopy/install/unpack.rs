//! Extracts a single program from an archive, and nothing else.
//!
//! No name from the archive is used for writing. Every extracted byte is counted; the sizes that the archive declares
//! are not trusted.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, Write};

use flate2::read::MultiGzDecoder;
use zip::ZipArchive;
use zip::result::ZipError;

use super::ArchiveFlaw;

const PIECE: usize = 256 * 1024;

/// Failure to extract the program from the archive.
#[derive(Debug)]
pub(super) enum UnpackError {
    /// Defect of the archive.
    Flaw(ArchiveFlaw),
    /// Failure to write the program.
    Write(io::Error),
}

impl From<ArchiveFlaw> for UnpackError {
    fn from(flaw: ArchiveFlaw) -> Self {
        Self::Flaw(flaw)
    }
}

/// Writes the program `name` from the archive to `to`. Yields between pieces, and may be dropped there.
pub(super) async fn unpack(archive: &mut File, name: &str, limit: u64, to: &mut File) -> Result<(), UnpackError> {
    let mut magic = [0; 4];
    archive.rewind().map_err(damaged)?;
    let read = archive.read(&mut magic).map_err(damaged)?;
    archive.rewind().map_err(damaged)?;
    match &magic[..read] {
        [0x1f, 0x8b, ..] => from_tar(archive, name, limit, to).await,
        b"PK\x03\x04" => from_zip(archive, name, limit, to).await,
        _ => Err(ArchiveFlaw::OtherFormat.into()),
    }
}

async fn from_tar(archive: &File, name: &str, limit: u64, to: &mut File) -> Result<(), UnpackError> {
    let unpacked = LimitedReader { inner: MultiGzDecoder::new(BufReader::new(archive)), left: limit, over: false };
    let mut tar = tar::Archive::new(unpacked);
    let mut found = false;
    // Raw entries: long names of other entries are not collected in memory; the wanted name is short.
    for entry in tar.entries().map_err(damaged)?.raw(true) {
        let mut entry = entry.map_err(|why| tar_error(why, limit))?;
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let kind = entry.header().entry_type();
        if kind.is_symlink() || kind.is_hard_link() {
            return Err(ArchiveFlaw::Link(path).into());
        }
        if !is_program(&path, name)? || kind.is_dir() {
            continue;
        }
        if !kind.is_file() && !kind.is_contiguous() {
            return Err(ArchiveFlaw::NotAFile(path).into());
        }
        if std::mem::replace(&mut found, true) {
            return Err(ArchiveFlaw::Twice.into());
        }
        let size = entry.size();
        let written = copy(&mut entry, to, limit).await?;
        if written != size {
            return Err(ArchiveFlaw::Damaged("unexpected end".into()).into());
        }
    }
    // The checksum of gzip is at its end.
    let mut rest = tar.into_inner();
    let mut piece = vec![0; PIECE];
    while rest.read(&mut piece).map_err(|why| tar_error(why, limit))? > 0 {
        tokio::task::yield_now().await;
    }
    if found { Ok(()) } else { Err(ArchiveFlaw::NoProgram.into()) }
}

async fn from_zip(archive: &File, name: &str, limit: u64, to: &mut File) -> Result<(), UnpackError> {
    let mut zip = ZipArchive::new(BufReader::new(archive)).map_err(zip_error)?;
    let mut program = None;
    for index in 0..zip.len() {
        let entry = zip.by_index_raw(index).map_err(zip_error)?;
        let path = String::from_utf8_lossy(entry.name_raw()).into_owned();
        if entry.is_symlink() {
            return Err(ArchiveFlaw::Link(path).into());
        }
        if is_program(&path, name)? && !entry.is_dir() && program.replace(index).is_some() {
            return Err(ArchiveFlaw::Twice.into());
        }
    }
    let index = program.ok_or(ArchiveFlaw::NoProgram)?;
    let mut entry = zip.by_index(index).map_err(zip_error)?;
    let (size, path) = (entry.size(), String::from_utf8_lossy(entry.name_raw()).into_owned());
    let written = copy(&mut entry, to, limit).await?;
    if written == size { Ok(()) } else { Err(ArchiveFlaw::WrongSize(path).into()) }
}

async fn copy(from: &mut impl Read, to: &mut File, limit: u64) -> Result<u64, UnpackError> {
    let mut piece = vec![0; PIECE];
    let mut written = 0;
    loop {
        let count = from.read(&mut piece).map_err(|why| tar_error(why, limit))?;
        if count == 0 {
            return Ok(written);
        }
        written += count as u64;
        if written > limit {
            return Err(ArchiveFlaw::Bomb(limit).into());
        }
        to.write_all(&piece[..count]).map_err(UnpackError::Write)?;
        tokio::task::yield_now().await;
    }
}

/// True for `<dir>/azcopy`. Absolute names and names with `..` are rejected, regardless of the entry.
fn is_program(path: &str, name: &str) -> Result<bool, ArchiveFlaw> {
    let separator = |c| c == '/' || c == '\\';
    let drive = path.as_bytes().get(1) == Some(&b':');
    if path.starts_with(separator) || drive || path.split(separator).any(|part| part == "..") {
        return Err(ArchiveFlaw::UnsafeName(path.to_owned()));
    }
    let mut parts = path.split(separator).filter(|part| !part.is_empty() && *part != ".");
    Ok(parts.next().is_some() && parts.next() == Some(name) && parts.next().is_none())
}

/// Reader that fails when a stream unpacks into too many bytes.
struct LimitedReader<R> {
    inner: R,
    left: u64,
    over: bool,
}

impl<R: Read> Read for LimitedReader<R> {
    fn read(&mut self, piece: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(piece)?;
        match self.left.checked_sub(count as u64) {
            Some(left) if !self.over => self.left = left,
            _ => {
                self.over = true;
                return Err(io::Error::from(io::ErrorKind::FileTooLarge));
            }
        }
        Ok(count)
    }
}

fn tar_error(why: io::Error, limit: u64) -> UnpackError {
    if why.kind() == io::ErrorKind::FileTooLarge { ArchiveFlaw::Bomb(limit).into() } else { damaged(why) }
}

fn zip_error(why: ZipError) -> UnpackError {
    ArchiveFlaw::Damaged(why.to_string()).into()
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn damaged(why: io::Error) -> UnpackError {
    ArchiveFlaw::Damaged(why.to_string()).into()
}

#[cfg(test)]
mod tests;
