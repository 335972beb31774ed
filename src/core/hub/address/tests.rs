//! Grammar: accepted addresses, their canonical form, and rejections with their reason.

use super::*;

fn parts(address: &HubAddress) -> (String, Option<&str>, &str) {
    (address.repo.to_string(), address.revision.as_deref(), address.path())
}

#[test]
fn the_short_form_has_repository_revision_and_path() {
    for (text, revision, path, shown) in [
        ("org/repo", None, "", "hf://org/repo"),
        ("models/org/repo/", None, "", "hf://org/repo"),
        ("models/org/repo/models", None, "models", "hf://org/repo/models"),
        ("org/repo@v1.0", Some("v1.0"), "", "hf://org/repo@v1.0"),
        ("org/repo/fp8", None, "fp8", "hf://org/repo/fp8"),
        ("org/repo@main/fp8/a%20b", Some("main"), "fp8/a%20b", "hf://org/repo@main/fp8/a%20b"),
        ("org/repo@feature%2Fx/a@b", Some("feature/x"), "a@b", "hf://org/repo@feature%2Fx/a@b"),
        ("org/repo@refs/pr/12/sub/f", Some("refs/pr/12"), "sub/f", "hf://org/repo@refs/pr/12/sub/f"),
        ("org/repo@refs/convert/parquet", Some("refs/convert/parquet"), "", "hf://org/repo@refs/convert/parquet"),
    ] {
        let address = HubAddress::parse(text).expect(text);
        assert_eq!(parts(&address), ("org/repo".to_owned(), revision, path), "{text}");
        assert_eq!(address.to_string(), shown);
        let again = address.to_string();
        assert_eq!(HubAddress::parse(again.trim_start_matches("hf://")), Ok(address));
    }
    assert_eq!(HubAddress::parse("org/repo").expect("an address").revision(), "main");
}

#[test]
fn urls_of_hub_pages_are_equivalent() {
    let public = HubEndpoint::parse(None).expect("the Hub");
    for (url, revision, path) in [
        ("https://huggingface.co/org/repo", None, ""),
        ("https://HUGGINGFACE.co/org/repo/", None, ""),
        ("https://hf.co/org/repo/tree/main", Some("main"), ""),
        ("https://huggingface.co/org/repo/tree/main/fp8/", Some("main"), "fp8"),
        ("https://huggingface.co/org/repo/blob/v1/a%20b/c%252F.bin?download=true#L1", Some("v1"), "a b/c%2F.bin"),
        ("https://huggingface.co/org/repo/resolve/feature%2Fx/f.bin", Some("feature/x"), "f.bin"),
        ("https://huggingface.co/org/repo/raw/refs/pr/3/f.bin", Some("refs/pr/3"), "f.bin"),
    ] {
        let parsed = HubAddress::of_url(&Url::parse(url).expect("a URL"), &public);
        let address = parsed.expect(url).expect("a page of the Hub");
        assert_eq!(parts(&address), ("org/repo".to_owned(), revision, path), "{url}");
        assert_eq!(address.typed_host(), None);
    }
    let foreign = Url::parse("https://a.blob.core.windows.net/c").expect("a URL");
    assert_eq!(HubAddress::of_url(&foreign, &public), Ok(None));
}

#[test]
fn pages_of_the_public_hub_are_requested_from_the_mirror() {
    let mirror = HubEndpoint::parse(Some("http://127.0.0.1:81")).expect("a mirror");
    let of = |url: &str| HubAddress::of_url(&Url::parse(url).expect("a URL"), &mirror);
    let typed = |url: &str| of(url).expect(url).map(|address| address.typed_host);
    assert_eq!(typed("https://huggingface.co/org/repo"), Some(Some("huggingface.co".into())));
    assert_eq!(typed("http://127.0.0.1:81/org/repo"), Some(None));
    assert_eq!(typed("http://127.0.0.1:82/org/repo"), None);
}

#[test]
fn hub_addresses_of_other_types_are_refused_by_name() {
    use HubAddressError::{
        BadId, BadPath, BadRevision, Host, NoFile, NoRepository, OnePart, OtherPage, OtherType, Singular,
    };
    let owned = str::to_owned;
    for (text, error) in [
        ("", NoRepository),
        ("models/", NoRepository),
        ("gpt2", OnePart(owned("gpt2"))),
        ("gpt2@main", OnePart(owned("gpt2"))),
        ("gpt2@refs/pr/1", OnePart(owned("gpt2"))),
        ("models/gpt2", OnePart(owned("gpt2"))),
        ("datasets/org/data", OtherType(owned("datasets"))),
        ("buckets/org/x", OtherType(owned("buckets"))),
        ("model/org/repo", Singular(owned("model"))),
        ("-org/repo", BadId(owned("-org/repo"))),
        ("org/re--po", BadId(owned("org/re--po"))),
        ("org/repo.", BadId(owned("org/repo."))),
        ("org/r e", BadId(owned("org/r e"))),
        ("org/repo@", BadRevision(String::new())),
        ("org/repo@a..b", BadRevision(owned("a..b"))),
        ("org/repo@a%0Ab", BadRevision(owned("a\nb"))),
        ("org/repo/../x", BadPath(owned("../x"))),
        ("org/repo/a//b", BadPath(owned("a//b"))),
        ("org/repo/a\\b", BadPath(owned("a\\b"))),
    ] {
        assert_eq!(HubAddress::parse(text), Err(error), "{text}");
    }
    let public = HubEndpoint::parse(None).expect("the Hub");
    for (url, error) in [
        ("https://huggingface.co/", NoRepository),
        ("https://huggingface.co/gpt2", OnePart(owned("gpt2"))),
        ("https://huggingface.co/datasets/o/r", OtherType(owned("datasets"))),
        ("https://huggingface.co/o/r/discussions/1", OtherPage(owned("discussions"))),
        ("https://huggingface.co/o/r/blame/main/f", OtherPage(owned("blame"))),
        ("https://huggingface.co/o/r/blob/main", NoFile),
        ("https://huggingface.co/o/r/blob/main/a%2F..%2Fb", BadPath(owned("a/../b"))),
        ("https://www.huggingface.co/o/r", Host("the Hub has no 'www.' host")),
        ("https://u@huggingface.co/o/r", Host("it contains a user name or password")),
        ("https://huggingface.co:8443/o/r", Host("it has another port")),
        ("http://huggingface.co/o/r", Host("it does not use https")),
    ] {
        assert_eq!(HubAddress::of_url(&Url::parse(url).expect("a URL"), &public), Err(error), "{url}");
    }
}

#[test]
fn address_survives_mutation() {
    let seeds: [&[u8]; 3] = [b"models/org/repo@refs/pr/1/a%2Fb", b"org/repo@a%2Fb/c", b"org/re.po_x/sub/f"];
    let public = HubEndpoint::parse(None).expect("the Hub");
    crate::fuzz::fuzz("hub-address", &seeds, |input| {
        let text = String::from_utf8_lossy(input);
        for address in [
            HubAddress::parse(&text).ok(),
            Url::parse(&format!("https://huggingface.co/{text}"))
                .ok()
                .and_then(|url| HubAddress::of_url(&url, &public).ok().flatten()),
        ]
        .into_iter()
        .flatten()
        {
            let shown = address.to_string();
            assert_eq!(HubAddress::parse(&shown["hf://".len()..]), Ok(address), "{shown}");
        }
    });
}
