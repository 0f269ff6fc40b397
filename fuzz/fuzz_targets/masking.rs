//! Whatever text comes back: no secret leaves it, under up to three encodings, cut anywhere, and the steps are linear.
//!
//! ```text
//! demo-password<tab>another secret
//! jp
//! Location: https://acme.example/?url=@
//! ```
//!
//! The second line names encodings, the innermost first. What they make of the first secret stands in place of each `@`.

#![no_main]

use flow_starter_input::mask::{Mask, take_steps};
use libfuzzer_sys::fuzz_target;

#[path = "../../input/src/mask/tests/encode.rs"]
mod encode;

/// Longer inputs would be slow to check, and say no more.
const LONGEST: usize = 2048;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.splitn(3, '\n');
    let (secrets, ways, shown) = (
        lines.next(),
        lines.next().unwrap_or_default(),
        lines.next().unwrap_or_default(),
    );
    // A `*` could come from the mask itself.
    let secrets: Vec<&str> = secrets
        .unwrap_or_default()
        .split('\t')
        .filter(|secret| !secret.contains('*'))
        .collect();
    let Some(first) = secrets.first() else {
        return;
    };
    let encoded = ways
        .chars()
        .take(3)
        .fold((*first).to_owned(), |text, way| encoded(&text, way));
    let shown = shown.replace('@', &encoded);
    if shown.len() > LONGEST || secrets.len() > 5 {
        return;
    }
    let mut mask = Mask::default();
    for secret in &secrets {
        mask.add(secret);
        mask.add_pair("camunda", secret);
    }
    let needles = secrets.iter().map(|secret| secret.len() + "camunda:".len()).sum();

    take_steps();
    let masked = mask.text(shown.clone());
    take_steps().assert_linear(shown.len(), needles);
    assert!(
        mask.is_clean(&masked),
        "another look finds something in {masked:?}, which was {shown:?}"
    );
    assert_eq!(mask.is_clean(&shown), masked == shown);
    assert_none(&masked, &secrets, false);

    let masked = mask.cut_text(shown.clone());
    assert_eq!(mask.cut_text(masked.clone()), masked);
    assert_none(&masked, &secrets, true);
    let end = shown.floor_char_boundary(shown.len() / 2);
    assert_none(&mask.cut_text(shown[..end].to_owned()), &secrets, true);
});

fn encoded(text: &str, way: char) -> String {
    match way {
        'p' => encode::percent(text),
        'f' => encode::form(text),
        'j' => encode::json(text),
        's' => encode::json(text).replace('/', "\\/"),
        'h' => encode::html(text),
        'n' => text.chars().map(|c| format!("&#x000{:x};", u32::from(c))).collect(),
        'b' => encode::base64(text.as_bytes()),
        'u' => encode::base64_url(format!("a={text}&b").as_bytes()),
        _ => text.to_owned(),
    }
}

fn assert_none(masked: &str, secrets: &[&str], cut: bool) {
    for secret in secrets.iter().filter(|secret| secret.chars().nth(3).is_some()) {
        assert!(
            !encode::holds(masked.as_bytes(), secret.as_bytes(), 3),
            "{masked:?} holds {secret:?}"
        );
        let mut views = vec![masked.as_bytes().to_vec()];
        views.extend(
            [encode::without_percent, encode::without_json, encode::without_html]
                .map(|without| without(masked.as_bytes())),
        );
        for (end, _) in secret.char_indices().skip(4) {
            let begun = secret[..end].to_ascii_lowercase();
            let shortened = format!("{begun}…");
            for view in &views {
                let view = view.to_ascii_lowercase();
                assert!(
                    !cut || !view.ends_with(begun.as_bytes()),
                    "{masked:?} ends within {secret:?}"
                );
                let found = view
                    .windows(shortened.len())
                    .any(|window| window == shortened.as_bytes());
                assert!(!found, "{masked:?} has {secret:?} shortened");
            }
        }
    }
}
