//! Verification of the files of a registered model: the comparison, file by file, and its
//! result. Pure except for [`read_back`].

mod compare;
mod read_back;
mod verification;

pub use compare::{Comparison, comparable_files};
pub use read_back::{ReadBackError, read_back};
pub use verification::{DigestStatus, FileStatus, Proof, Verification, VerifiedFile};
