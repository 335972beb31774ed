//! `send` against real sockets on this machine, some of which are faulty.

mod bodies;
mod clock;
mod limits;
mod pages;
mod rules;
pub(crate) mod server;
