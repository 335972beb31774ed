//! Suggestions for names that do not exist, for error messages. Pure.

/// Maximum number of suggested names.
const SUGGESTED: usize = 3;
/// Maximum share of mistyped letters of a name, as its divisor.
const MISTYPED: usize = 3;

/// Suggestion for a name that does not exist: similar names, and the command that lists all.
pub(super) fn suggestion<'a>(names: impl Iterator<Item = &'a str>, wanted: &str, list: &str) -> String {
    match similar(names, wanted).as_slice() {
        [] => format!("To list them: {list}"),
        similar => format!("Similar names: {}. To list all: {list}", quoted(similar)),
    }
}

/// Names similar to the requested one, the closest first and each once.
pub(super) fn similar<'a>(names: impl Iterator<Item = &'a str>, wanted: &str) -> Vec<&'a str> {
    let mut found: Vec<(usize, &str)> = names.filter_map(|name| Some((distance(name, wanted)?, name))).collect();
    found.sort_unstable();
    found.dedup();
    found.into_iter().map(|(_, name)| name).take(SUGGESTED).collect()
}

/// Formats names as `'a', 'b'`.
pub(super) fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ")
}

/// Number of letters that are wrong, missing, extra or swapped; `None` for names that have nothing in common. Case and
/// punctuation are ignored, and one name may be part of the other.
fn distance(name: &str, wanted: &str) -> Option<usize> {
    let plain =
        |text: &str| -> String { text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect() };
    let (name, wanted) = (plain(name), plain(wanted));
    if name.is_empty() || wanted.is_empty() {
        return None;
    }
    let distance = strsim::damerau_levenshtein(&name, &wanted);
    let shared = name.chars().zip(wanted.chars()).take_while(|(a, b)| a == b).count();
    let longer = name.chars().count().max(wanted.chars().count());
    let is_similar =
        distance <= longer / MISTYPED || name.contains(&wanted) || wanted.contains(&name) || shared * 2 >= longer;
    is_similar.then_some(distance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_few_differences_are_similar() {
        for (name, wanted, is_similar) in [
            ("my-deployment", "My_Deployment", true),
            ("my-deployment", "my-deploiment", true),
            ("my-deployment-2", "my-deployment", true),
            ("gpt-4.1", "gpt-4.1-mini", true),
            ("chat", "caht", true),
            ("chat", "hcat", true),
            ("llama", "lama", true),
            ("chat", "test", false),
            ("chat", "embeddings", false),
            ("ab", "cd", false),
            ("---", "a", false),
        ] {
            assert_eq!(!similar([name].into_iter(), wanted).is_empty(), is_similar, "{name} {wanted}");
        }
    }

    #[test]
    fn the_closest_names_come_first_and_each_once() {
        let names = ["chat-old", "chats", "other", "chat-2", "chat", "chat"];
        assert_eq!(similar(names.into_iter(), "Chat"), ["chat", "chat-2", "chats"]);
    }
}
