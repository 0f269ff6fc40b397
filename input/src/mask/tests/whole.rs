//! What becomes `***` as a whole.

use super::encode::{base64, base64_url, form, html, json, percent};
use super::*;

const SECRET: &str = "pa\"ss w/ö😀rd'&+%<1>";

type Encode = fn(&str) -> String;

const ENCODINGS: [(&str, Encode); 8] = [
    ("percent", percent),
    ("form", form),
    ("JSON", json),
    ("JSON with slashes", |text| json(text).replace('/', "\\/")),
    ("HTML", html),
    ("HTML by number", |text| {
        text.chars().map(|c| format!("&#{};", u32::from(c))).collect()
    }),
    ("base64", |text| base64(text.as_bytes())),
    ("base64, within", |text| base64_url(format!("a={text}&b").as_bytes())),
];

#[test]
fn a_secret_under_three_encodings_does_not_come_out() {
    for secret in [SECRET, "0123456789abcdef", "ab+c", "%41\\n&lt;x"] {
        let mask = mask(&[secret]);
        for (first, encode1) in ENCODINGS {
            assert!(!mask.is_clean(&encode1(secret)), "{first} {secret}");
            for (second, encode2) in ENCODINGS {
                let two = encode2(&format!("<{}>", encode1(secret)));
                let masked = text(&mask, &format!("{{\"p\": \"{two}\"}}"));
                assert!(masked.contains("***"), "{first}, {second}: {two}");
                assert!(mask.is_clean(&masked), "{first}, {second}: {masked}");
                for (third, encode3) in ENCODINGS {
                    let three = encode3(&format!("<{two}>"));
                    let masked = text(&mask, &format!("{{\"p\": \"{three}\"}}"));
                    assert!(masked.contains("***"), "{first}, {second}, {third}: {three}");
                }
            }
        }
    }
}

#[test]
fn two_encodings_make_the_whole_text_masked() {
    let mask = mask(&["pa\"ss+word"]);
    for (what, shown) in [
        ("JSON in JSON", "{\"p\":\"{\\\"p\\\":\\\"pa\\\\\\\"ss+word\\\"}\"}"),
        ("HTML in JSON", "<pa\\u0026quot;ss+word>"),
        ("JSON in HTML", "<pa\\&quot;ss+word>"),
        (
            "percent twice",
            "Location: https://a.example/login?url=%2Fapi%3Fkey%3Dpa%2522ss%252Bword",
        ),
        ("HTML twice", "<pa&amp;quot;ss+word>"),
        ("four times percent", "pa%25252522ss+word"),
    ] {
        assert_eq!(text(&mask, shown), "***", "{what}");
    }
    assert_eq!(
        text(
            &mask,
            "<pa&#x000000000000000000000000000000000000000000000000000000000022;ss+word>"
        ),
        "<***>"
    );
}

#[test]
fn a_cut_in_any_form_makes_the_whole_text_masked() {
    let secret = "pa\"ss w/ö😀rd'&+%<1>";
    let mask = mask(&[secret]);
    for (name, encode) in ENCODINGS {
        let encoded = encode(secret);
        // The first four characters in this form.
        let enough = match name {
            "base64" => 6,
            "base64, within" => base64("a=pa\"ss".as_bytes()).len(),
            _ => encode("pa\"s").len(),
        };
        for (end, _) in encoded.char_indices().skip_while(|(end, _)| *end < enough) {
            let begun = &encoded[..end];
            if super::encode::holds(begun.as_bytes(), secret.as_bytes(), 1) {
                assert!(cut_text(&mask, begun).contains("***"), "all of it stands there");
                continue;
            }
            assert_eq!(cut_text(&mask, &format!("<{begun}")), "***", "{name}");
            for cut in ["…", "...", "\u{fffd}"] {
                assert_eq!(text(&mask, &format!("<{begun}{cut}, and more")), "***", "{name}");
            }
        }
    }
}

#[test]
fn a_cut_under_two_encodings_makes_the_whole_text_masked() {
    let secret = "pa\"ss w/ö😀rd'&+%<1>-and-so-on";
    let mask = mask(&[secret]);
    for (first, encode1) in ENCODINGS {
        for (second, encode2) in ENCODINGS {
            let encoded = encode2(&encode1(secret));
            let enough = encode2(&encode1("pa\"ss w/ö")).len();
            for (end, _) in encoded.char_indices().skip_while(|(end, _)| *end < enough) {
                let begun = &encoded[..end];
                let masked = cut_text(&mask, begun);
                assert!(masked.contains("***"), "{first}, {second}: {begun}");
            }
        }
    }
}

#[test]
fn an_escape_that_was_cut_does_not_hide_a_cut_secret() {
    let mask = mask(&["pass/w😀rd"]);
    for begun in [
        "pass%",
        "pass%2",
        "pass\\",
        "pass\\u",
        "pass\\u00",
        "pass\\u002",
        "pass&",
        "pass&#",
        "pass&#x",
        "pass&#4",
        "pass&#x00000000000000",
        "pass&quo",
        "pass%2Fw%F0%9F%98%8",
        "pass/w\\ud83d",
        "pass/w\\ud83d\\",
        "pass/w\\ud83d\\ude0",
        "pass%25",
        "pass%252",
        "pass%5Cu00",
        "pass&amp;#x",
        "pass\\u0026#",
        "pass\u{fffd}",
    ] {
        assert_eq!(cut_text(&mask, begun), "***", "{begun}");
        assert_eq!(text(&mask, &format!("{begun}… and more")), "***", "{begun}");
        assert_eq!(
            text(&mask, begun),
            if begun.contains('\u{fffd}') { "***" } else { begun },
            "nothing was cut"
        );
    }
}

// Found by the fuzz target.
#[test]
fn the_beginning_of_an_escape_before_a_cut_may_be_a_secrets_own() {
    let mask = mask(&["&&&&&\"word", "pa%4ssword", "x\\u00yword"]);
    assert_eq!(cut_text(&mask, "\\u0078\\u00"), "***");
    assert_eq!(cut_text(&mask, "&amp;&amp;&amp;&"), "***");
    assert_eq!(cut_text(&mask, "p%61%4"), "***");
}

#[test]
fn three_characters_before_a_cut_are_no_secret() {
    let mask = mask(&["abcdabcdxyz", "pässword", "abcd–1"]);
    assert_eq!(cut_text(&mask, "<abcdabcdxy"), "***");
    assert_eq!(cut_text(&mask, "<abcdabcd"), "***");
    assert_eq!(
        cut_text(&mask, "<abcdabcdxyz"),
        "<***",
        "a whole secret is masked in place"
    );
    assert_eq!(cut_text(&mask, "<abcd"), "***");
    assert_eq!(cut_text(&mask, "<abc"), "<abc");
    assert_eq!(text(&mask, "<abcdabcd"), "<abcdabcd", "nothing was cut");
    assert_eq!(text(&mask, "`abcdabcdx…`"), "***");
    assert_eq!(text(&mask, "`pässw…` of pässword"), "***");
    assert_eq!(text(&mask, "`abcdabcdxyz…`"), "`***…`");
    assert_eq!(
        text(&mask, "abcd…"),
        "***",
        "a dash begins with the same bytes as the ellipsis"
    );
    assert_eq!(text(&mask, "päs…"), "päs…");
    assert_eq!(text(&mask, "abcd abce…"), "abcd abce…", "nothing was shortened");
    assert_eq!(text(&mask, "abcd. … ABCDABCDX..."), "***");
}

#[test]
fn the_end_of_a_secret_after_a_cut_makes_the_whole_text_masked() {
    let mut mask = mask(&["0123-start/the-end"]);
    mask.add_pair("user", "0123-start/the-end");
    for shown in [
        "it said …-end.",
        "it said ...the-END",
        "…2Fthe-end",
        "…u002fthe-end",
        "…#x2f;the-end",
        "&hellip;the%2Dend",
        "…t%2Fthe%2Dend",
        "\\u2026the-end",
        "%E2%80%A6the-end",
    ] {
        assert_eq!(text(&mask, shown), "***", "{shown}");
    }
    let encoded = base64(b"0123-start/the-end");
    for begin in 1..encoded.len() - 8 {
        assert_eq!(text(&mask, &format!("…{}", &encoded[begin..])), "***", "{begin}");
    }
    for clean in ["…end", "… the-end", "the-end…", "-end", "… -end of it"] {
        assert_eq!(text(&mask, clean), clean);
    }
}

#[test]
fn the_name_before_a_password_is_no_secret_in_text() {
    let mut pair = Mask::default();
    pair.add_pair("camunda", "demo-password");
    assert_eq!(
        text(&pair, "the user camunda… camunda:dem…"),
        "the user camunda… camunda:dem…"
    );
    pair.add("demo-password");
    assert_eq!(text(&pair, "camunda:demo…"), "***");
    assert_eq!(text(&pair, "camunda:demo-password"), "camunda:***");
    assert_eq!(
        text(&pair, "Basic Y2FtdW5k…"),
        "***",
        "in base64 nobody sees where the name ends"
    );
}

#[test]
fn text_joined_by_masking_is_masked() {
    // The first secret's end is the beginning of an escape that hides the second.
    let mask = mask(&["xyz1\\", "nabc\"d"]);
    assert_eq!(text(&mask, "xyz1\\nabc\\\"d"), "***");
}
