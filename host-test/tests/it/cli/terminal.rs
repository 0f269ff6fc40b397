//! What a terminal is spared: colours where there is none, control characters from the network, a reader that has gone.

use std::process::Stdio;

use serde_json::json;
use servicenow_stand_in::{Answer, Behaviour};

use super::FLOW;
use super::workspace::{WRONG_SECRET, Workspace, program};

const ESCAPE: char = '\u{1b}';

#[test]
fn there_are_colours_on_a_terminal_alone_or_where_they_are_asked_for() {
    let workspace = Workspace::new();
    workspace.flow(json!({}));
    let run = |more: &[&str]| {
        let all: Vec<_> = ["trigger", "flow.json"].iter().chain(more).copied().collect();
        workspace.run(&all)
    };
    assert!(!run(&[]).end().out.contains(ESCAPE), "a pipe is no terminal");
    assert!(run(&["--color", "always"]).end().out.contains(ESCAPE));
    assert!(!run(&["--color", "never"]).end().out.contains(ESCAPE));
    // A flag is a person's word of now (https://no-color.org); the variable is their word for all programs.
    assert!(
        run(&["--color", "always"])
            .env("NO_COLOR", "1")
            .end()
            .out
            .contains(ESCAPE)
    );
    let shown = workspace.run(&["config", "show"]).env("NO_COLOR", "1").end().out;
    assert!(shown.contains("output.color") && shown.contains("never"), "{shown}");
    assert!(shown.contains("environment NO_COLOR"), "{shown}");
}

#[test]
fn control_characters_of_an_answer_do_not_reach_the_terminal() {
    let workspace = Workspace::new();
    workspace.flow(json!({}));
    let spoilt = "\u{1b}]0;title\u{7}\u{202e}";
    for answer in [
        Answer::new(200).body(format!("plain {spoilt}")),
        Answer::new(200).body(json!({"result": {"executionId": spoilt}}).to_string()),
        Answer::failure(403, spoilt, Some(spoilt)),
    ] {
        workspace.stand_in.behave_once(FLOW, Behaviour::Answer(answer));
        let ended = workspace.run(&["trigger", "flow.json"]).end();
        let all = format!("{}{}", ended.out, ended.err);
        assert!(!all.contains([ESCAPE, '\u{7}', '\u{202e}']), "{all:?}");
    }
}

#[test]
fn a_credential_that_the_server_echoes_is_masked_for_a_person() {
    let workspace = Workspace::new();
    workspace.flow(json!({}));
    for answer in [
        Answer::new(200).body(json!({"result": {"echo": "demo-password"}}).to_string()),
        Answer::failure(403, "no demo-password", Some("Y2FtdW5kYTpkZW1vLXBhc3N3b3Jk")),
    ] {
        workspace.stand_in.behave_once(FLOW, Behaviour::Answer(answer));
        let ended = workspace.run(&["trigger", "flow.json"]).end();
        assert!(format!("{}{}", ended.out, ended.err).contains("***"), "{ended:?}");
    }
}

#[test]
fn a_secret_in_any_field_is_masked_where_it_comes_back() {
    let workspace = Workspace::new();
    workspace.flow(json!({"headers": {"hello": "{{secrets.HELLO}}"}}));
    let echo = json!({"result": {"echo": WRONG_SECRET}}).to_string();
    workspace
        .stand_in
        .behave_once(FLOW, Behaviour::Answer(Answer::new(200).body(echo)));
    let run = workspace
        .run(&["trigger", "flow.json"])
        .env("SECRET_HELLO", WRONG_SECRET);
    assert!(run.end().out.contains("{\"echo\":\"***\"}"));
}

#[test]
fn a_reader_that_has_gone_is_no_error() {
    let workspace = Workspace::new();
    for arguments in [&["config", "show"][..], &["completions", "bash"], &["man"], &["--help"]] {
        let mut command = workspace.command(&program());
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        let ended = child.wait_with_output().unwrap();
        assert_eq!(ended.status.code(), Some(0), "{arguments:?}: {ended:?}");
        assert!(ended.stderr.is_empty(), "{arguments:?}: {ended:?}");
    }
}
