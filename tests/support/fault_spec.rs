//! Faults as one command-line argument: `ROUTE:KIND[=VALUE][,KEY[=VALUE]]...`. Pure. The module that includes this file
//! defines the names of its stand-in.

use std::fmt;
use std::str::FromStr;

use super::{EXAMPLE, KEYS, KINDS, ROUTES, read_kind, read_route, set};
use crate::fault::Fault;

/// Error in a fault specification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultSpecError {
    /// `ROUTE:` before the kind is missing.
    NoRoute,
    /// The route is unknown.
    UnknownRoute(String),
    /// The kind is unknown, or its value is missing.
    UnknownKind(String),
    /// The key is not supported by this kind, or its value is missing.
    UnknownKey(String),
    /// The value is not a number.
    NotANumber(String),
}

impl fmt::Display for FaultSpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRoute => write!(f, "expected ROUTE:KIND, for example {EXAMPLE}"),
            Self::UnknownRoute(route) => write!(f, "unknown route '{route}'; known: {ROUTES}"),
            Self::UnknownKind(kind) => write!(f, "unknown kind '{kind}'; known: {KINDS}"),
            Self::UnknownKey(key) => write!(f, "unknown key '{key}'; known: {KEYS}"),
            Self::NotANumber(value) => write!(f, "'{value}' is not a number"),
        }
    }
}

impl std::error::Error for FaultSpecError {}

impl FromStr for Fault {
    type Err = FaultSpecError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (route, rest) = text.split_once(':').ok_or(FaultSpecError::NoRoute)?;
        let mut parts = rest.split(',');
        let mut fault = Self::new(read_route(route)?, read_kind(parts.next().unwrap_or_default())?);
        for part in parts {
            set(&mut fault, part)?;
        }
        Ok(fault)
    }
}

/// Name and value of a kind or a key.
pub(super) fn split(text: &str) -> (&str, Option<&str>) {
    match text.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (text, None),
    }
}

pub(super) fn number<T: FromStr>(text: &str) -> Result<T, FaultSpecError> {
    text.parse().map_err(|_| FaultSpecError::NotANumber(text.to_owned()))
}
