//! Variables by name, compared in the way of the system.

use std::collections::BTreeMap;

use crate::platform::Platform;

/// Names, folded once, and their values.
#[derive(Clone)]
pub(super) struct Variables {
    pub(super) values: BTreeMap<String, String>,
    platform: Platform,
}

impl Variables {
    /// The first of two spellings of the same name counts, as in the system's own lookup.
    pub(super) fn new(given: impl IntoIterator<Item = (String, String)>, platform: Platform) -> Self {
        let mut values = BTreeMap::new();
        for (name, value) in given {
            values.entry(platform.fold_variable(&name).into_owned()).or_insert(value);
        }
        Self { values, platform }
    }

    /// Value of a variable.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(&*self.platform.fold_variable(name)).map(String::as_str)
    }

    /// Removes variables.
    pub(super) fn remove(&mut self, names: &[&str]) {
        for name in names {
            self.values.remove(&*self.platform.fold_variable(name));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(given: &[(&str, &str)], platform: Platform) -> Variables {
        Variables::new(given.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())), platform)
    }

    #[test]
    fn windows_ignores_the_case_of_names() {
        let mut windows = variables(&[("Path", "C:\\bin"), ("PATH", "later"), ("https_proxy", "p")], Platform::Windows);
        for (name, value) in
            [("PATH", Some("C:\\bin")), ("path", Some("C:\\bin")), ("HTTPS_PROXY", Some("p")), ("P", None)]
        {
            assert_eq!(windows.get(name), value, "{name}");
        }
        assert_eq!(windows.values.keys().collect::<Vec<_>>(), ["HTTPS_PROXY", "PATH"]);
        windows.remove(&["Path"]);
        assert_eq!(windows.get("PATH"), None);
    }

    #[test]
    fn unix_distinguishes_the_case_of_names() {
        let mut unix = variables(&[("Path", "a"), ("PATH", "b")], Platform::Linux);
        assert_eq!((unix.get("Path"), unix.get("PATH"), unix.get("path")), (Some("a"), Some("b"), None));
        unix.remove(&["Path", "path"]);
        assert_eq!(unix.values.keys().collect::<Vec<_>>(), ["PATH"]);
    }
}
