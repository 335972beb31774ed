//! Proof that the files of a registered model are what they should be: what is compared, file by file, and what that
//! shows. Pure, but for [`read_back`].

mod compare;
mod read_back;

pub use compare::{Compared, DigestStatus, FileStatus, Proof, Verification, VerifiedFile, worth_hashing};
pub use read_back::{ReadBackError, read_back};
