//! Registered secrets, in any text and any encoding.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde_json::json;

use super::*;

/// A registered secret is recognized without its context.
#[test]
fn a_known_secret_is_masked_in_any_context() {
    let url = Url::parse("https://a.blob.core.windows.net/c?sv=2025&sig=KNOWN%2Bsig%2FCANARY%3D").expect("a URL");
    let sas = SecretUrl::new(url);
    let query = sas.expose().query().expect("a query").to_owned();
    let token = Token::new("KNOWN.token/CANARY+1".into());
    for (dirty, masked) in [
        ("about KNOWN+sig/CANARY= here".to_owned(), "about *** here"),
        ("about KNOWN%2Bsig%2FCANARY%3D here".to_owned(), "about *** here"),
        ("about KNOWN%2bsig%2fCANARY%3d here".to_owned(), "about *** here"),
        ("about KNOWN%252Bsig%252fCANARY%253D here".to_owned(), "about *** here"),
        (r"about KNOWN\u002bsig\/CANARY\u003d here".to_owned(), "about *** here"),
        (format!("xx{query} yy"), "xx*** yy"),
        (format!("xx{} yy", query.replace('&', r"\u0026")), "xx*** yy"),
        (format!("xx{} yy", query.replace('&', "&amp;")), "xx*** yy"),
        (format!("({}{})", token.expose(), token.expose()), "(***)"),
        (format!("%{}%", token.expose()), "%***%"),
    ] {
        assert_eq!(clean(&dirty), masked);
        assert_eq!(mask_known(dirty), masked);
    }
    let mut json = json!({"description": "of KNOWN%2Bsig%2FCANARY%3D"});
    clean_json(&mut json);
    assert_eq!(json, json!({"description": "of ***"}));
}

/// Text that equals a short secret, or the emulator's token, stays readable.
#[test]
fn a_short_secret_is_not_masked() {
    drop(Token::new("emulator".into()));
    assert_eq!(clean("the emulator answered"), "the emulator answered");
}

fn percent(text: &str, all: bool, upper: bool) -> String {
    text.bytes()
        .map(|byte| match byte {
            byte if byte.is_ascii_alphanumeric() && !all => char::from(byte).to_string(),
            byte if upper => format!("%{byte:02X}"),
            byte => format!("%{byte:02x}"),
        })
        .collect()
}

fn unicode(text: &str) -> String {
    text.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("\\u{byte:04x}") })
        .collect()
}

fn json_string(text: &str) -> String {
    json!(text).to_string().trim_matches('"').replace('/', r"\/")
}

/// All encodings of a secret.
fn encodings(secret: &str) -> Vec<String> {
    let mut all = vec![secret.to_owned(), unicode(secret), json_string(secret)];
    for upper in [false, true] {
        for whole in [false, true] {
            let once = percent(secret, whole, upper);
            all.extend([percent(&once, false, upper), json_string(&once), unicode(&once), once]);
        }
    }
    all.push(json_string(&json_string(secret)));
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_known_secret_survives(
        bytes in proptest::collection::vec(any::<u8>(), 12..48),
        url_safe in "[A-Za-z0-9_.~-]{16,40}",
        before in "(\\PC|[%\\\\u0-9a-f=&]){0,12}",
        after in "(\\PC|[%\\\\u0-9a-f=&]){0,12}",
    ) {
        for secret in [STANDARD.encode(bytes), url_safe] {
            drop(Token::new(secret.clone()));
            for encoded in encodings(&secret) {
                let text = format!("{before}{encoded}{after}");
                // A missing digit at one end may belong to an escape that begins outside.
                let inner = &encoded[1..encoded.len() - 1];
                for shown in [clean(&text), mask_known(text.clone())] {
                    prop_assert!(!shown.contains(inner), "{shown} of {text}");
                }
            }
        }
    }
}

/// A registered secret in arbitrary text, and that text alone.
#[test]
fn text_survives_mutation() {
    const SECRET: &str = "KnownSecret+Of/ThisRun==";
    remember(SECRET);
    let encoded = SECRET.replace('+', "%2B").replace('/', "%2f").replace('=', "%3D");
    let seeds: [&[u8]; 4] = [
        b"PUT https://u:p@h/c?sv=1&sig=x%2B&se=2 Bearer eyJh.eyJi.c",
        br#"{"Authorization":"Bearer x","sig" : "y","AccountKey=":"z"}"#,
        b"a second http://a/b?c=dhttps://e/f?g in one word;sig=1;",
        "\u{202e}sig%3D\u{fe0f}=".as_bytes(),
    ];
    crate::fuzz::fuzz("redaction", &seeds, |input| {
        let text = String::from_utf8_lossy(input);
        let middle = text.char_indices().nth(text.chars().count() / 2).map_or(0, |(at, _)| at);
        let (before, after) = text.split_at(middle);
        for secret in [SECRET, &encoded] {
            let cleaned = clean(&format!("{before}{secret}{after}"));
            assert!(!cleaned.contains("KnownSecret") && !cleaned.contains("ThisRun"), "{cleaned}");
        }
    });
}
