//! Child processes in separate groups, each of which ends as a whole: at a time limit, when the work is dropped, and on
//! Windows also when this program itself is killed.
//!
//! Owns how programs are found and started, asked to end, killed and reaped. Independent of the programs: their
//! arguments and output belong to the callers.
//!
//! | | Unix | Windows |
//! |---|---|---|
//! | group | process group | job object and console process group |
//! | interrupt | SIGINT | Ctrl+Break; a kill if there is no console |
//! | this program is killed | the child sees its pipes close ([`ProcessStamp`] finds it until it has ended) | the system kills the job |
//! | the child ends before what it started | the rest keeps running, unless [`Child::kill_rest`] is called | the rest is killed with [`Child`] |

mod browser;
mod child;
mod detach;
#[cfg_attr(unix, path = "unix.rs")]
#[cfg_attr(windows, path = "windows.rs")]
mod group;
#[cfg_attr(windows, path = "inhibit_windows.rs")]
mod inhibit;
mod programs;
mod search;
mod stamp;

pub use browser::{Browser, BrowserError};
pub use child::Exit;
pub(crate) use child::{Child, Pipes};
pub use detach::{Detaching, EnvChanges, leave_terminal, release_streams};
pub use inhibit::{Inhibitor, inhibit};
pub use programs::Programs;
pub(crate) use search::find_program;
pub use search::is_program;
pub(crate) use stamp::ProcessStamp;
