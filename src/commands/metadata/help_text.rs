//! Parser for the text after the options of a help page: prose, and examples with their descriptions.

use super::Example;

/// Text after the options.
pub(super) struct HelpText<'a> {
    /// Paragraphs, without the examples and other indented text.
    pub(super) prose: String,
    /// Examples of the page.
    pub(super) examples: Vec<HelpExample<'a>>,
}

/// Example of a help page.
pub(super) struct HelpExample<'a> {
    command: String,
    /// Description on the page; empty if there is none.
    said: String,
    of: &'a clap::Command,
}

impl<'a> HelpText<'a> {
    /// Parses the text of a command.
    pub(super) fn of(command: &'a clap::Command) -> Self {
        let help = command
            .get_after_long_help()
            .or_else(|| command.get_after_help())
            .map(ToString::to_string)
            .unwrap_or_default();
        let (mut prose, mut examples, mut said) = (Vec::new(), Vec::new(), String::new());
        for line in help.lines() {
            let text = line.trim();
            if text.starts_with("azd ") {
                examples.push(HelpExample { command: text.to_owned(), said: said.clone(), of: command });
            } else if line.starts_with(' ') {
                said = text.strip_suffix(':').unwrap_or_default().to_owned();
            } else {
                said.clear();
                if text != "Examples:" {
                    prose.push(text);
                }
            }
        }
        let mut prose = prose.join("\n");
        while prose.contains("\n\n\n") {
            prose = prose.replace("\n\n\n", "\n\n");
        }
        Self { prose: prose.trim().to_owned(), examples }
    }
}

impl HelpExample<'_> {
    /// Example with a description: the sentence on the page, otherwise the command's own description and its options.
    pub(super) fn described(&self, tree: &clap::Command) -> Example {
        let description = if self.said.is_empty() { self.phrase(tree) } else { self.said.clone() };
        Example { description, command: self.command.clone() }
    }

    fn phrase(&self, tree: &clap::Command) -> String {
        let words: Vec<&str> = self.command.split_whitespace().skip(3).collect();
        let mut command = tree;
        for word in &words {
            match command.find_subcommand(word) {
                Some(found) => command = found,
                None => break,
            }
        }
        let about = command.get_about().or_else(|| self.of.get_about()).map(ToString::to_string).unwrap_or_default();
        // The rest of the sentence is only for the help page.
        let about = about.split([':', ';']).next().unwrap_or_default();
        let is_json = words.windows(2).any(|pair| pair == ["-o", "json"]);
        let options: Vec<&str> = words.iter().filter_map(|word| option(command, word)).collect();
        let with = match options.as_slice() {
            [] => String::new(),
            [one] => format!(", with {one}"),
            [first @ .., last] => format!(", with {} and {last}", first.join(", ")),
        };
        let as_json = if is_json { ", as JSON" } else { "" };
        format!("{about}{with}{as_json}")
    }
}

/// Option of an example that the command does not require.
fn option<'w>(command: &clap::Command, word: &'w str) -> Option<&'w str> {
    let option = word.split('=').next().filter(|option| option.starts_with('-'))?;
    let arg = command.get_arguments().find(|arg| {
        let is_long = arg.get_long().is_some_and(|long| option.strip_prefix("--") == Some(long));
        let short = arg.get_short().map(|short| format!("-{short}"));
        is_long || short.as_deref() == Some(option)
    })?;
    (!arg.is_required_set() && arg.get_id() != "output").then_some(option)
}
