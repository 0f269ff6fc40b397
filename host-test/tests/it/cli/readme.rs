//! Every command in the README's section "Use it" works, and every example in the help.

use std::path::Path;
use std::process::Stdio;

use flow_starter_input::request::PLACEHOLDER;
use serde_json::json;

use super::workspace::{Ended, Workspace};

fn section() -> String {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).unwrap();
    let (_, section) = readme.split_once("\n## Use it\n").expect("the README has the section");
    section.split("\n## ").next().unwrap().to_owned()
}

/// The fenced blocks of one language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    let parts = text.split(&fence).skip(1);
    parts.map(|part| part.split("```").next().unwrap().to_owned()).collect()
}

/// What stands behind each `$`, with the lines that go on.
fn commands(section: &str) -> Vec<String> {
    let joined = blocks(section, "console").concat().replace("\\\n", " ");
    joined
        .lines()
        .filter_map(|line| line.strip_prefix("$ "))
        .map(str::to_owned)
        .collect()
}

/// As a person types it.
fn typed(workspace: &Workspace, command: &str) {
    let mut shell = workspace.command(Path::new("sh"));
    shell
        .args(["-c", command])
        .stdin(Stdio::null())
        .env("SECRET_SN_PASSWORD", "demo-password");
    let ended = Ended::of(&shell.output().unwrap());
    assert_eq!(ended.code, 0, "{command}: {ended:?}");
    assert!(!ended.out.is_empty() || command.contains(" > "), "{command}");
}

#[test]
fn every_example_in_the_help_works() {
    let workspace = Workspace::new();
    workspace.flow(json!({}));
    workspace.file("body.json", "{}");
    workspace.file("secrets.env", "SN_PASSWORD=demo-password\n");
    workspace.file("other.toml", "");
    std::fs::copy(
        host_test::rig::component_file(),
        workspace.folder.join("servicenow-flow-starter.wasm"),
    )
    .unwrap();
    for command in [
        &["trigger"][..],
        &["check"],
        &["inspect"],
        &["compile"],
        &["secrets", "list"],
        &["config", "show"],
        &["config", "example"],
        &[],
    ] {
        let all: Vec<_> = command.iter().copied().chain(["-h"]).collect();
        let help = workspace.run(&all).end().out.replace("\\\n", " ");
        let examples: Vec<_> = help
            .lines()
            .filter(|line| line.starts_with("  flow-starter "))
            .collect();
        assert!(examples.len() > 1, "{command:?}");
        examples.iter().for_each(|example| typed(&workspace, example));
    }
}

#[test]
fn every_command_of_the_section_works() {
    let section = section();
    let workspace = Workspace::new();
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    // With the instance's name in the placeholder's place, as the section says.
    let example = std::fs::read_to_string(examples.join("flow.json")).unwrap();
    assert!(example.contains(PLACEHOLDER) && section.contains(PLACEHOLDER));
    workspace.file("flow.json", example.replace(PLACEHOLDER, "acme"));
    let commands = commands(&section);
    assert!(commands.len() > 5, "{commands:?}");
    for command in commands {
        if let Some(target) = command.strip_prefix("make ") {
            let makefile = std::fs::read_to_string(examples.join("../Makefile")).unwrap();
            let target = target.split_whitespace().next().unwrap();
            assert!(makefile.contains(&format!("\n{target}:")), "{command}");
            continue;
        }
        typed(&workspace, &command);
    }
    assert!(!workspace.stand_in.starts().is_empty());
}

#[test]
fn the_sections_configuration_file_is_a_right_one() {
    let workspace = Workspace::new();
    let blocks = blocks(&section(), "toml");
    assert_eq!(blocks.len(), 1);
    workspace.file(".config/flow-starter/config.toml", &blocks[0]);
    let ended = workspace.run(&["config", "show"]).end();
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.out.contains("file "), "{ended:?}");
}

#[test]
fn the_sections_exit_codes_are_the_programs_own() {
    let help = Workspace::new().run(&["trigger", "-h"]).end().out;
    let section = section();
    for code in 0..=5 {
        let row = section
            .lines()
            .find(|line| line.starts_with(&format!("| {code} |")))
            .expect("a row for each code");
        let meaning = row.split('|').nth(2).unwrap().trim();
        let words: String = help.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(&format!("{code} {meaning}")), "{row}");
    }
}
