//! The steps grow linearly with the text and the needles.

use super::*;

fn assert_linear(secrets: &[String], piece: &str) {
    let mut mask = Mask::default();
    let mut needles = 0;
    for secret in secrets {
        mask.add(secret);
        mask.add_pair("camunda", secret);
        needles += secret.len();
    }
    for len in [1 << 8, 1 << 15, 1 << 16] {
        let mut shown = piece.repeat(len / piece.len() + 1);
        shown.truncate(shown.floor_char_boundary(len));
        take_steps();
        mask.cut_text(shown);
        take_steps().assert_linear(len, needles);
    }
}

#[test]
fn hostile_texts_take_linear_time() {
    let secrets: Vec<String> = ["demo-password", "a\"b&c%d\\e", "...…", "&#00", "%252525"]
        .map(str::to_owned)
        .into();
    for piece in [
        "&",
        "%",
        "\\",
        "…",
        ".",
        "...a",
        "\u{fffd}",
        "&#",
        "&#0",
        "&#x0",
        "&amp;",
        "%25",
        "\\\\",
        "\\u005c",
        "VVVV",
        "A",
        "demo",
        "demo…",
        "…word",
        "…wor",
        "demo-passwor",
        "\\ud83d",
        "\\u",
        "&lt",
        "+",
        " ",
        "aaaaa…",
        "YWJj",
        "YWJj...",
        "%2541",
        "a%41&#65;\\u0041",
    ] {
        assert_linear(&secrets, piece);
    }
    assert_linear(&secrets, &("%".to_owned() + &"25".repeat(1 << 16)));
    assert_linear(&secrets, &("&".to_owned() + &"amp;".repeat(1 << 16)));
    assert_linear(&secrets, &("&#".to_owned() + &"0".repeat(1 << 16)));
}

#[test]
fn periodic_secrets_take_linear_time() {
    let secrets = vec!["ab".repeat(15_000), "ba".repeat(5_000) + "c", "a".repeat(1000)];
    for piece in [
        "ab",
        "a",
        "ab…",
        "abababababababac",
        "%61%62",
        "YWJhYmFi",
        &("ab".repeat(14_999) + "c"),
    ] {
        assert_linear(&secrets, piece);
    }
    assert_linear(&secrets[..1], &secrets[0]);
}

#[test]
fn a_hundred_secrets_take_linear_time() {
    let secrets: Vec<String> = (0..100u8)
        .map(|number| format!("sk-live-{}{}-secret", char::from(b' ' + number % 90), number))
        .collect();
    for piece in ["sk-live-", "sk-live-a1-secre", "sk-live-~", "-secret…", &secrets[50]] {
        assert_linear(&secrets, piece);
    }
}

#[test]
fn base64_in_base64_takes_linear_time() {
    let mut shown = "U".repeat(20_000);
    for _ in 0..4 {
        assert_linear(&["demo-password".to_owned()], &shown);
        shown = encode::base64(shown.as_bytes());
    }
}

#[test]
fn a_text_that_was_made_to_take_long_is_masked_whole() {
    let mask = mask(&["demo-password"]);
    let shown = "V".repeat(1 << 20);
    take_steps();
    assert!(mask.text(shown.clone()) == "***");
    take_steps().assert_linear(shown.len(), 0);
}

#[test]
fn four_clean_headers_take_a_few_steps() {
    let mut mask = mask(&["demo-password"]);
    mask.add_pair("camunda", "demo-password");
    take_steps();
    for header in [
        "application/json;charset=UTF-8",
        "Fri, 31 Jan 2025 10:00:00 GMT",
        "no-cache,no-store,must-revalidate,max-age=-1",
        "deny",
    ] {
        assert!(mask.is_clean(header));
    }
    let steps = take_steps();
    assert!(steps.steps < 2000, "{steps:?}");
}
