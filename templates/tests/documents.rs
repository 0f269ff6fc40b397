//! The pages for process developers: what they show parses, and what they point to is there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::path::Path;

use flow_starter_input::{request, template};

const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs");

fn page(name: &str) -> String {
    std::fs::read_to_string(Path::new(DOCS).join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The README and every page.
fn pages() -> Vec<(String, String)> {
    let mut names: Vec<_> = std::fs::read_dir(DOCS)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".md"))
        .collect();
    names.sort();
    names.push("../README.md".to_owned());
    names.into_iter().map(|name| (name.clone(), page(&name))).collect()
}

fn blocks<'a>(page: &'a str, language: &'a str) -> impl Iterator<Item = &'a str> {
    page.split("```")
        .skip(1)
        .step_by(2)
        .filter_map(move |block| block.strip_prefix(language)?.strip_prefix('\n'))
}

#[test]
fn every_json_on_the_pages_parses() {
    let mut found = 0;
    for (name, page) in pages() {
        for block in blocks(&page, "json") {
            serde_json::from_str::<serde_json::Value>(block).unwrap_or_else(|error| panic!("{name}: {error}: {block}"));
            found += 1;
        }
    }
    assert!(found >= 2, "{found}");
}

#[test]
fn the_input_to_copy_is_one_that_can_be_sent() {
    let page = page("process-developers.md");
    let text = blocks(&page, "json").next().unwrap();
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
    for (name, page) in pages() {
        let folder = Path::new(DOCS).join(&name);
        let folder = folder.parent().unwrap();
        let links = ["](", "<img src=\""]
            .into_iter()
            .flat_map(|start| page.split(start).skip(1))
            .filter_map(|rest| rest.split([')', '"']).next())
            .filter(|link| !link.starts_with("https://"));
        for link in links {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            // A link to a heading alone is to the page itself.
            let target = match file {
                "" => Path::new(DOCS).join(&name),
                file => folder.join(file),
            };
            assert!(target.exists(), "{name}: {link}");
            assert!(
                heading.is_empty() || anchors(&target).contains(&heading.to_owned()),
                "{name}: {link}"
            );
        }
    }
}

/// The anchors that a page sets, and those that GitHub makes of its headings.
fn anchors(page: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(page).unwrap();
    let set = text.split("<a id=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let headings = text.lines().filter(|line| line.starts_with('#')).map(|line| {
        let heading = line.trim_start_matches('#').trim().to_lowercase();
        let kept = heading
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    });
    set.map(str::to_owned).chain(headings).collect()
}

#[test]
fn the_page_on_embedding_shows_the_examples_as_they_are() {
    let page = page("embedding.md");
    for (file, language) in [
        ("examples/embed-rust/src/main.rs", "rust"),
        ("examples/embed-node/embed.mjs", "js"),
        ("examples/embed-python/embed.py", "python"),
    ] {
        let code = std::fs::read_to_string(Path::new(DOCS).join("..").join(file)).unwrap();
        let part = format!("<!-- {file} -->\n```{language}\n{}\n```\n<!-- end -->", code.trim_end());
        assert!(page.contains(&part), "{file}: `make host-table` writes it");
    }
}

/// The page's table has every kind of the contract, so that an error expression can name it.
#[test]
fn the_table_of_error_codes_has_every_kind() {
    let contract = include_str!("../../wit/flow-starter.wit");
    let (_, kinds) = contract.split_once("enum error-kind {").unwrap();
    let kinds = kinds.split('}').next().unwrap();
    let page = page("process-developers.md");
    let (_, table) = page.split_once("| `error.code` | `error.type` |").unwrap();
    let table = table.split("\n\n").next().unwrap();
    let names = kinds.lines().filter(|line| !line.trim_start().starts_with("//"));
    for kind in names
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .filter(|kind| !kind.is_empty())
    {
        assert!(table.contains(&format!("`{kind}`")), "{kind}");
    }
}
