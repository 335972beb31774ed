//! Variables by name, as the system compares names.

use std::borrow::Cow;
use std::collections::BTreeMap;

/// How names of variables are compared.
#[derive(Clone, Copy)]
pub(super) enum Names {
    /// `Path` is not `PATH`: Unix.
    Exact,
    /// `Path` is `PATH`: Windows.
    AnyCase,
}

impl Names {
    /// This system's way.
    pub(super) const SYSTEM: Self = if cfg!(windows) { Self::AnyCase } else { Self::Exact };

    /// The one spelling of a name that all others are compared by.
    fn fold(self, name: &str) -> Cow<'_, str> {
        match self {
            Self::Exact => name.into(),
            Self::AnyCase => name.to_ascii_uppercase().into(),
        }
    }
}

/// Names, folded once, and their values.
#[derive(Clone)]
pub(super) struct Variables {
    pub(super) values: BTreeMap<String, String>,
    names: Names,
}

impl Variables {
    /// Of two spellings of one name the first counts, as it does for the system's own look-up.
    pub(super) fn new(given: impl IntoIterator<Item = (String, String)>, names: Names) -> Self {
        let mut values = BTreeMap::new();
        for (name, value) in given {
            values.entry(names.fold(&name).into_owned()).or_insert(value);
        }
        Self { values, names }
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(&*self.names.fold(name)).map(String::as_str)
    }

    pub(super) fn remove(&mut self, names: &[&str]) {
        for name in names {
            self.values.remove(&*self.names.fold(name));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(given: &[(&str, &str)], names: Names) -> Variables {
        Variables::new(given.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())), names)
    }

    #[test]
    fn windows_does_not_tell_spellings_of_a_name_apart() {
        let mut any_case = variables(&[("Path", "C:\\bin"), ("PATH", "later"), ("https_proxy", "p")], Names::AnyCase);
        for (name, value) in
            [("PATH", Some("C:\\bin")), ("path", Some("C:\\bin")), ("HTTPS_PROXY", Some("p")), ("P", None)]
        {
            assert_eq!(any_case.get(name), value, "{name}");
        }
        assert_eq!(any_case.values.keys().collect::<Vec<_>>(), ["HTTPS_PROXY", "PATH"]);
        any_case.remove(&["Path"]);
        assert_eq!(any_case.get("PATH"), None);
    }

    #[test]
    fn unix_does() {
        let mut exact = variables(&[("Path", "a"), ("PATH", "b")], Names::Exact);
        assert_eq!((exact.get("Path"), exact.get("PATH"), exact.get("path")), (Some("a"), Some("b"), None));
        exact.remove(&["Path", "path"]);
        assert_eq!(exact.values.keys().collect::<Vec<_>>(), ["PATH"]);
    }
}
