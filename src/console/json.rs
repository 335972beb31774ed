//! Values as JSON with an indentation of two, without their secrets.

use serde::Serialize;

use azure_ai_models_core::display::printable_json;
use azure_ai_models_core::redact;

/// Renders one JSON document with an indentation of two, without its secrets.
///
/// # Errors
/// When the value is not valid JSON.
pub(crate) fn json(value: &impl Serialize) -> Result<String, serde_json::Error> {
    let mut document = serde_json::to_value(value)?;
    redact::clean_json(&mut document);
    let mut text = printable_json(serde_json::to_string_pretty(&document)?);
    text.push('\n');
    Ok(text)
}

/// Renders a list as one JSON document in pieces: a long list does not fit into memory twice.
pub(crate) fn json_list<T: Serialize>(items: Vec<&T>) -> impl Iterator<Item = Result<String, serde_json::Error>> {
    const PIECE: usize = 100;
    let pieces = items.len().div_ceil(PIECE);
    let none = items.is_empty().then(|| Ok("[]\n".to_owned()));
    let some = (0..pieces).map(move |number| {
        let mut text = String::from(if number == 0 { "[" } else { "," });
        for (place, item) in items.iter().skip(number * PIECE).take(PIECE).enumerate() {
            text.push_str(if place == 0 { "\n  " } else { ",\n  " });
            text.push_str(&json(item)?.trim_end().replace('\n', "\n  "));
        }
        text.push_str(if number + 1 == pieces { "\n]\n" } else { "" });
        Ok(text)
    });
    none.into_iter().chain(some)
}

/// Renders one JSON document with a list as its last field, in pieces.
pub(crate) fn json_with_list<T: Serialize>(
    value: &impl Serialize,
    field: &str,
    items: Vec<&T>,
) -> impl Iterator<Item = Result<String, serde_json::Error>> {
    let head = json(value).map(|text| {
        let fields = text.trim_end().trim_end_matches('}').trim_end();
        let comma = if fields.ends_with('{') { "" } else { "," };
        format!("{fields}{comma}\n  \"{field}\": ")
    });
    let list = json_list(items).map(|piece| Ok(piece?.trim_end().replace('\n', "\n  ")));
    std::iter::once(head).chain(list).chain(std::iter::once(Ok("\n}\n".to_owned())))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{json, json_list, json_with_list};

    /// The pieces together equal the document that is rendered as a whole.
    #[test]
    fn a_list_written_in_pieces_is_one_document() {
        for count in [0, 1, 99, 100, 101, 250] {
            let items: Vec<Value> =
                (0..count).map(|n| json!({"n": n, "t": ["a\nb", {}], "u": "h?sig=CANARY"})).collect();
            let pieces: String = json_list(items.iter().collect()).collect::<Result<_, _>>().expect("JSON");
            assert_eq!(pieces, json(&items).expect("JSON"), "{count}");
        }
    }

    #[test]
    fn a_list_in_a_document_is_written_in_pieces() {
        for count in [0, 1, 100, 250] {
            let items: Vec<Value> = (0..count).map(|n| json!({"n": n, "t": ["a\nb"]})).collect();
            for (value, whole) in
                [(json!({"a": {}}), json!({"a": {}, "files": items})), (json!({}), json!({"files": items}))]
            {
                let pieces = json_with_list(&value, "files", items.iter().collect());
                let text: String = pieces.collect::<Result<_, _>>().expect("JSON");
                assert_eq!(text, json(&whole).expect("JSON"), "{count}");
            }
        }
    }

    #[test]
    fn only_signatures_are_removed_from_json() {
        assert_eq!(
            json(&json!({"u": "https://h/c?sv=1&sig=CANARY", "n": [1], "t": "plain"})).expect("JSON"),
            "{\n  \"u\": \"https://h/c?***\",\n  \"n\": [\n    1\n  ],\n  \"t\": \"plain\"\n}\n"
        );
    }
}
