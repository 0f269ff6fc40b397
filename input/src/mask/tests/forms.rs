//! What is masked in place.

use super::encode::{base64, base64_url, form, html, json, percent};
use super::*;

#[test]
fn each_form_of_a_secret_is_masked() {
    let secret = "p\u{e4}ss \"w/o+r?d~";
    let mask = mask(&[secret]);
    for form in [
        secret.to_owned(),
        "p%C3%A4ss%20%22w%2Fo%2Br%3Fd~".to_owned(),
        "p%C3%A4ss+%22w%2Fo%2Br%3Fd%7E".to_owned(),
        "p%c3%a4ss%20%22w%2fo+r?d~".to_owned(),
        "%70%C3%A4%73%73%20%22%77/%6F%2B%72%3F%64%7E".to_owned(),
        "p\u{e4}ss \\\"w/o+r?d~".to_owned(),
        "p\u{e4}ss \\\"w\\/o+r?d~".to_owned(),
        "p\\u00e4ss \\\"w/o+r?d\\u007E".to_owned(),
        "p&#228;ss &quot;w/o+r?d~".to_owned(),
        "p&#xE4;ss &#34;w&#x2F;o+r?d~".to_owned(),
        "P&#X00000000000000e4;SS &QUOT;W&#000047;O+R?D~".to_owned(),
        base64(secret.as_bytes()),
        base64(secret.as_bytes()).trim_end_matches('=').to_owned(),
        base64(secret.as_bytes())
            .replace('+', "%2B")
            .replace('/', "%2F")
            .replace('=', "%3D"),
        base64(secret.as_bytes()).replace('/', "\\/").replace('=', "\\u003d"),
        base64(secret.as_bytes()).replace('+', "&#43;"),
        base64_url(secret.as_bytes()),
        base64(form(secret).as_bytes()),
    ] {
        assert_eq!(text(&mask, &format!("<{form}>")), "<***>", "{form}");
    }
    for other in ["nothing of it", "100% of it", "a\\b\\u12", "&amp;&#;&#x110000;&"] {
        assert_eq!(text(&mask, other), other);
    }
}

/// A header's value is sent in ISO-8859-1, and comes back as a server reads and writes it.
#[test]
fn a_secret_that_was_sent_in_latin_1_is_masked() {
    let secret = "a\u{fc}b\u{f6}c\u{e4}d\u{b5}\u{bf}";
    let mask = mask(&[secret]);
    let bytes = b"a\xfcb\xf6c\xe4d\xb5\xbf";
    for form in [
        secret.to_owned(),
        "a%FCb%F6c%E4d%B5%BF".to_owned(),
        "a%fcb%f6c%e4d%b5%bf".to_owned(),
        base64(bytes),
        base64_url(bytes),
    ] {
        assert_eq!(text(&mask, &format!("<{form}>")), "<***>", "{form}");
    }
    // Where U+FFFD may stand for a cut, the whole text is masked.
    let lossy = String::from_utf8_lossy(bytes);
    assert!(!text(&mask, &format!("<{lossy}>")).contains(&*lossy));
    // What is UTF-8 by chance is read as such.
    let chance = self::mask(&["pa\u{c3}\u{bc}ss"]);
    assert_eq!(text(&chance, "<pa\u{fc}ss>"), "<***>");
    // Beyond ISO-8859-1 nothing is sent in it.
    assert!(self::mask(&["\u{20ac}\u{fc}\u{fc}\u{fc}"]).is_clean("\u{fffd}\u{fffd}\u{fffd}"));
}

#[test]
fn an_api_key_in_a_query_is_masked_as_it_is_sent() {
    let key = "a b+c/\u{e9}";
    let mut sent = String::new();
    crate::request::encode::push_query(&mut sent, key);
    assert_eq!(sent, "a%20b%2Bc%2F%C3%A9");
    assert_eq!(text(&mask(&[key]), &format!("/x?k={sent}&y=1")), "/x?k=***&y=1");
}

#[test]
fn other_escapes_around_a_secret_stay() {
    let mask = mask(&["p\"a/ss wö"]);
    for form in [
        "p%22a%2Fss+w%C3%B6",
        "p\\\"a\\/ss wö",
        "p&quot;a/ss w&#246;",
        "cCJhL3NzIHfDtg==",
    ] {
        let around =
            |secret: &str| format!("{{\"a\\n\":\"%20&lt;\\u00e4\", \"b\":\"{secret}\", \"c\\\\\":\"100%25&amp;\"}}");
        assert_eq!(text(&mask, &around(form)), around("***"), "{form}");
    }
}

#[test]
fn a_secret_within_base64_is_masked_wherever_it_begins() {
    let mask = mask(&["demo-password"]);
    for before in ["", "u", "us", "use", "user"] {
        for encode in [base64, base64_url] {
            let shown = text(&mask, &encode(format!("{before}:demo-password, and more").as_bytes()));
            assert!(shown.contains("***"), "{shown}");
            let left: String = shown.split("***").collect();
            assert!(
                left.len() <= encode(format!("{before}:, and more").as_bytes()).len() + 4,
                "{shown}"
            );
        }
    }
    assert!(!self::mask(&["abcd"]).is_clean(&base64(b"xyz:abcd:tail")));
}

#[test]
fn both_alphabets_of_base64_are_read() {
    let mask = mask(&["???>>>~~~abc"]);
    assert_eq!(text(&mask, "<Pz8/Pj4+fn5+YWJj> <Pz8_Pj4-fn5-YWJj>"), "<***> <***>");
    assert_eq!(
        text(&mask, "<Pz8%2FPj4%2Bfn5%2BYWJj> <Pz8\\/Pj4+fn5+YWJj>"),
        "<***> <***>"
    );
    assert_eq!(text(&mask, "\"a\\nb\", Pz8/Pj4\\u002bfn5+YWJj"), "\"a\\nb\", ***");
}

#[test]
fn basic_authentication_is_masked_as_it_is_sent() {
    let mut pair = Mask::default();
    pair.add_pair("camunda", "demo-password");
    assert_eq!(
        text(&pair, &format!("Basic {}", base64(b"camunda:demo-password"))),
        "Basic ***"
    );
    assert_eq!(text(&pair, "camunda"), "camunda", "a name is no secret");
    let mut client = Mask::default();
    client.add_pair("the client", "p@ss/w:rd+x");
    assert_eq!(text(&client, "Basic dGhlIGNsaWVudDpwQHNzL3c6cmQreA=="), "Basic ***");
    client = Mask::default();
    client.add_pair("id", "p@ss/w:rd+x");
    assert_eq!(text(&client, "Basic aWQ6cCU0MHNzJTJGdyUzQXJkJTJCeA=="), "Basic ***");
}

#[test]
fn base64_keeps_its_letter_case() {
    let mask = mask(&["demo-password"]);
    let encoded = base64(b"demo-password").to_lowercase();
    assert_eq!(text(&mask, &encoded), encoded);
}

#[test]
fn letter_case_does_not_count() {
    let mask = mask(&["HunterTwo2024x", "Ünder-Score"]);
    assert_eq!(
        text(&mask, "The request to huntertwo2024x.example.com"),
        "The request to ***.example.com"
    );
    assert_eq!(text(&mask, "HUNTER%54WO2024X ÜNDER-score"), "*** ***");
}

#[test]
fn secrets_that_overlap_become_one() {
    let mask = mask(&["abcdef", "defghi", "xyxyx", "cdef"]);
    assert_eq!(text(&mask, "1abcdefghi2 xyxyxyx abcdefdefghi"), "1***2 *** ***");
    assert!(mask.is_clean("abcde!") && !mask.is_clean("abcdef"));
    assert_eq!(text(&self::mask(&["abab"]), "<ababab>"), "<***>");
    assert_eq!(text(&self::mask(&["abcd", "abcdefgh"]), "<abcdefgh>"), "<***>");
    assert_eq!(text(&self::mask(&["cdef", "abcdefgh"]), "<abcdefgh>"), "<***>");
    // A long one that ends after a shorter one that ended after another long one.
    assert_eq!(
        text(
            &self::mask(&["abcdefgh", "fghi", "cdefghij"]),
            "<abcdefghij> cdefghij fghi"
        ),
        "<***> *** ***"
    );
}

#[test]
fn a_secret_is_masked_as_others_have_changed_it() {
    assert_eq!(
        text(&mask(&["line one\tline two"]), "it said line one line two."),
        "it said ***."
    );
    assert_eq!(
        text(&mask(&["line one\u{85}line two"]), "it said line one line two."),
        "it said ***."
    );
    assert_eq!(text(&mask(&["pässwörd"]), "it said pÃ¤sswÃ¶rd."), "it said ***.");
    assert_eq!(text(&mask(&["a+b c+d"]), "a b+c d"), "***");
    assert_eq!(
        text(&mask(&["Ab%2Bc/d"]), "Ab%2Bc/d Ab+c/d Ab%252Bc%2Fd"),
        "*** *** ***"
    );
}

#[test]
fn a_short_value_is_left() {
    for short in ["abc", "äöü", "", "%20%20"] {
        let mask = mask(&[short]);
        assert!(short.len() > 4 || mask.is_empty());
    }
    assert_eq!(text(&mask(&["abc"]), "abc"), "abc");
    assert_eq!(text(&mask(&["äöü"]), "äöü"), "äöü");
    assert_eq!(text(&mask(&["abcd"]), "abcd"), "***");
    assert_eq!(text(&mask(&["äöüß"]), "äöüß"), "***");
    let mut pair = Mask::default();
    pair.add_pair("user-of-it", "abc");
    assert!(pair.is_empty());
}

#[test]
fn a_surrogate_pair_is_one_character() {
    let mask = mask(&["key-😀-1"]);
    assert_eq!(
        text(&mask, "<key-\\ud83d\\ude00-1> <key-&#x1F600;-1> <key-%F0%9F%98%80-1>"),
        "<***> <***> <***>"
    );
    assert_eq!(json("😀"), "\\ud83d\\ude00");
}

#[test]
fn text_without_secrets_stays_as_it_is() {
    let mask = mask(&["abcd", "demo-password"]);
    for clean in [
        "äbcd\u{fffd}\0 abc d",
        "abc… …bcd Loading... demo… …word? demo password",
        "%",
        "&",
        "\\",
        "%%41%4",
        "\\u12\\ud800\\",
        "&#x;&#;&;&amp",
    ] {
        assert_eq!(
            text(&mask, clean),
            if clean.contains("demo…") { "***" } else { clean },
            "{clean}"
        );
    }
    assert_eq!(cut_text(&Mask::default(), "abcd"), "abcd");
    assert_eq!(text(&mask, ""), "");
}

#[test]
fn encoders_of_the_tests_agree_with_the_standards() {
    assert_eq!(base64(b"fo"), "Zm8=");
    assert_eq!(base64(b"foob"), "Zm9vYg==");
    assert_eq!(base64_url(b"\xff\xfe\xfd\xfc"), "__79_A");
    assert_eq!(percent("a b/ä"), "a%20b%2F%C3%A4");
    assert_eq!(html("<ä&\">"), "&lt;&#xE4;&amp;&quot;&gt;");
}

#[test]
fn a_secret_is_masked_without_the_white_space_around_it() {
    let mut mask = Mask::default();
    mask.add(" trail-key \t");
    assert_eq!(
        mask.text("Invalid key: \"trail-key\".".to_owned()),
        "Invalid key: \"***\"."
    );
}
