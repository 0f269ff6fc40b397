//! docs/security.md names a test for each attempt: each of them is there.

use std::path::{Path, PathBuf};

const DOCUMENT: &str = include_str!("../../../docs/security.md");

/// The repository's Rust files.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") && !path.ends_with("node_modules") {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// What stands between backticks.
fn quoted(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

#[test]
fn every_test_that_the_document_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = Vec::new();
    for folder in ["input", "host", "host-test", "templates"] {
        sources(&root.join(folder), &mut files);
    }
    let mut tests = 0;
    for line in DOCUMENT.lines().filter(|line| line.starts_with("| ")) {
        let column = line.trim_end_matches([' ', '|']).rsplit(" | ").next().unwrap();
        let mut file = None;
        for name in quoted(column) {
            if name.ends_with(".rs") {
                let matching: Vec<_> = files.iter().filter(|path| path.ends_with(name)).collect();
                assert_eq!(matching.len(), 1, "{name}: {matching:?}");
                file = Some(std::fs::read_to_string(matching[0]).unwrap());
            } else if let Some(text) = &file {
                assert!(text.contains(&format!("fn {name}(")), "there is no test {name}: {line}");
                tests += 1;
            }
        }
    }
    assert!(tests > 20, "only {tests} were looked for");
}
