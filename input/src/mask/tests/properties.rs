//! What holds for every secret, every text and every encoding.

use proptest::prelude::*;

use super::encode::{base64, base64_url, form, holds, html, json, percent};
use super::*;

/// A text in one encoding: each character escaped or not, as `how` says, and those always that the encoding needs escaped.
fn written(text: &str, way: u8, how: &[bool]) -> String {
    let each = |escape: &dyn Fn(char, bool) -> String| {
        text.chars()
            .zip(how.iter().cycle())
            .map(|(c, how)| escape(c, *how))
            .collect()
    };
    match way {
        0 => each(&|c, how| match c {
            c if how || c == '%' || c == '+' => c.to_string().bytes().map(|byte| format!("%{byte:02x}")).collect(),
            c => c.to_string(),
        }),
        1 => form(text),
        2 => each(&|c, how| match c {
            '"' | '\\' | '/' if !how => format!("\\{c}"),
            c if how || c == '\\' => c
                .encode_utf16(&mut [0; 2])
                .iter()
                .map(|unit| format!("\\u{unit:04x}"))
                .collect(),
            c => c.to_string(),
        }),
        3 => each(&|c, how| match c {
            c if how => format!("&#x000{:x};", u32::from(c)),
            c => html(&c.to_string()),
        }),
        4 => base64(text.as_bytes()),
        5 => base64_url(format!("x={text}!").as_bytes()),
        6 => percent(text),
        _ => json(text),
    }
}

fn secret() -> impl Strategy<Value = String> {
    let marked = "[a-c%\\\\&;#x0-9n\"+ ä😀]{4,12}";
    prop_oneof!["\\PC{4,20}", "[a-zA-Z0-9+/_-]{4,40}", marked]
        .prop_filter("the mask's own", |secret| !secret.contains('*'))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn a_secret_is_found_however_it_is_written(
        secret in secret(), before in "\\PC{0,5}", after in "\\PC{0,5}", how in prop::collection::vec(any::<bool>(), 20), way in 0..8u8,
    ) {
        let mask = mask(&[&secret]);
        let written = written(&secret, way, &how);
        let shown = format!("{before} {written} {after}");
        let masked = mask.text(shown.clone());
        prop_assert!(masked.contains("***"), "{}", shown);
        prop_assert!(!holds(masked.as_bytes(), secret.as_bytes(), 1), "{} became {}", shown, masked);
        prop_assert_eq!(mask.text(masked.clone()), masked);
    }

    #[test]
    fn the_quick_look_lets_nothing_pass_that_the_search_finds(
        secret in secret(), user in "[a-z]{1,6}",
        pieces in prop::collection::vec((0..6u8, 0..30usize, 0..30usize, "[ -~]{0,6}"), 0..6),
    ) {
        let mut mask = mask(&[&secret]);
        mask.add_pair(&user, &secret);
        let mut text = String::new();
        for (kind, from, to, other) in pieces {
            let part: String = secret.chars().skip(from % 3).take(to).collect();
            match kind {
                0 => text.push_str(&part),
                1 => text.push_str(&part.to_ascii_uppercase()),
                2 => text.push_str(&crate::request::encode::base64(format!("{other}{part}").as_bytes())),
                3 => text.push_str(&crate::request::encode::base64(format!("{user}:{part}").as_bytes())[from % 4..]),
                4 => text.push_str(&part.replace(' ', "+")),
                _ => text.push_str(&other),
            }
        }
        if crate::mask::plain::is_clean(&mask.needles, text.as_bytes()) {
            let (verdict, ..) = mask.search(&text, false, usize::MAX);
            prop_assert!(verdict == crate::mask::search::Verdict::Clean, "{}", text);
        }
    }

    #[test]
    fn no_secret_comes_out_of_three_encodings(
        secret in secret(), around in "[a-z<>{}:\"'=, ]{0,3}", how in prop::collection::vec(any::<bool>(), 20), ways in prop::collection::vec(0..8u8, 1..4),
    ) {
        let mask = mask(&[&secret]);
        let mut shown = secret.clone();
        for way in ways {
            shown = format!(" {around}{}{around} ", written(&shown, way, &how));
        }
        let masked = mask.text(shown.clone());
        prop_assert!(masked.contains("***"), "{}", shown);
        prop_assert!(!holds(masked.as_bytes(), secret.as_bytes(), 2), "{} became {}", shown, masked);
    }

    #[test]
    fn no_part_of_a_secret_stands_before_a_cut(
        secret in "[a-zA-Z0-9äöü\"/ +&<]{12,24}", how in prop::collection::vec(any::<bool>(), 20), ways in prop::collection::vec(0..8u8, 1..3), cut in 0.0..1.0f64,
    ) {
        let mask = mask(&[&secret]);
        let encode = |text: &str| ways.iter().fold(text.to_owned(), |shown, way| written(&shown, *way, &how));
        let shown = encode(&secret);
        // In base64, the last group may say no more than two bytes, in each layer.
        let begun: String = secret.chars().take(4 + 3 * ways.len()).collect();
        let enough = encode(&begun).trim_end_matches('=').len() + 3;
        let end = shown.floor_char_boundary(enough + ((shown.len().saturating_sub(enough)) as f64 * cut) as usize);
        let shown = format!("<{}", &shown[..end]);
        let masked = mask.cut_text(shown.clone());
        prop_assert!(masked.contains("***"), "{}", shown);
        prop_assert!(mask.text(format!("{shown}…and more")).contains("***"), "{}", shown);
    }

    #[test]
    fn masked_text_is_clean(secrets in prop::collection::vec("[ab%4\\\\n&;\"]{4,6}", 1..3), shown in "[ab%41\\\\nu0&#;\"….]{0,60}") {
        let mut mask = Mask::default();
        secrets.iter().for_each(|secret| mask.add(secret));
        let masked = mask.text(shown.clone());
        prop_assert!(mask.is_clean(&masked), "{} became {}", shown, masked);
        prop_assert_eq!(mask.is_clean(&shown), masked == shown);
        for secret in &secrets {
            for without in [encode::without_percent, encode::without_json, encode::without_html, |text: &[u8]| text.to_vec()] {
                prop_assert!(!without(masked.as_bytes()).windows(secret.len()).any(|window| window == secret.as_bytes()), "{} became {}", shown, masked);
            }
        }
        let masked = mask.cut_text(shown.clone());
        prop_assert_eq!(mask.cut_text(masked.clone()), masked);
    }

    #[test]
    fn steps_are_linear(secrets in prop::collection::vec("[ab%4\\\\&;.…]{4,300}", 1..5), shown in "[ab%41\\\\u0&#;….]{0,2000}") {
        let mut mask = Mask::default();
        secrets.iter().for_each(|secret| mask.add(secret));
        let needles: usize = secrets.iter().map(String::len).sum();
        take_steps();
        mask.cut_text(shown.clone());
        take_steps().assert_linear(shown.len(), needles);
    }
}
