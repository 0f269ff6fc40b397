//! The pages for process developers: what they show parses, and what they point to is there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::path::Path;

use flow_starter_input::{request, template};

const PAGES: [(&str, &str); 4] = [
    ("process-developers", include_str!("../../docs/process-developers.md")),
    ("coming-from-camunda", include_str!("../../docs/coming-from-camunda.md")),
    ("answer-back", include_str!("../../docs/answer-back.md")),
    ("fields", include_str!("../../docs/fields.md")),
];

fn blocks<'a>(page: &'a str, language: &'a str) -> impl Iterator<Item = &'a str> {
    page.split("```")
        .skip(1)
        .step_by(2)
        .filter_map(move |block| block.strip_prefix(language)?.strip_prefix('\n'))
}

#[test]
fn every_json_on_the_pages_parses() {
    let found: usize = PAGES
        .iter()
        .map(|(name, page)| {
            blocks(page, "json")
                .inspect(|block| {
                    serde_json::from_str::<serde_json::Value>(block)
                        .unwrap_or_else(|error| panic!("{name}: {error}: {block}"));
                })
                .count()
        })
        .sum();
    assert_eq!(found, 2);
}

#[test]
fn the_input_to_copy_is_one_that_can_be_sent() {
    let text = blocks(PAGES[0].1, "json").next().unwrap();
    let config = template::parse(text).unwrap();
    assert_eq!(
        request::check(&config).unwrap_err().field,
        "snInstance",
        "it names somebody's instance"
    );
    let text = text.replace(request::PLACEHOLDER, "acme");
    assert!(template::parse(&text).is_ok_and(|config| request::check(&config).is_ok()));
}

#[test]
fn every_link_and_picture_is_there() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    for (name, page) in PAGES {
        for link in page.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            assert!(docs.join(file).is_file(), "{name}: {file}");
            assert!(
                heading.is_empty()
                    || PAGES
                        .iter()
                        .any(|(_, page)| page.to_lowercase().contains(&format!("\n## {heading}\n"))),
                "{name}: {link}"
            );
        }
    }
}
