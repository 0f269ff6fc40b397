//! Files of secrets that do not answer, that are no files, or that others can read; and who is told where they are.
#![cfg(unix)]

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;

use super::workspace::{Ended, Workspace};

fn workspace() -> Workspace {
    let workspace = Workspace::new();
    workspace.flow(
        json!({"authentication": {"type": "basic", "username": "{{secrets.USER}}", "password": "{{secrets.PWD}}"}}),
    );
    workspace
}

fn pipe(workspace: &Workspace, name: &str) {
    let path = workspace.folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn a_secrets_file_that_does_not_answer_ends_with_the_wall_clock() {
    let workspace = workspace();
    pipe(&workspace, "pipe");
    for (command, code) in [
        (&["trigger", "flow.json"][..], 3),
        (&["trigger", "flow.json", "--dry-run"], 3),
        (&["check", "flow.json"], 2),
        (&["secrets", "list", "flow.json"], 2),
    ] {
        // A component is compiled first, which takes its time.
        let begun = Instant::now();
        let run = workspace
            .run(command)
            .arg("--secrets-file=pipe")
            .arg("--limit-wall-clock=1s");
        let ended = run.end();
        assert_eq!(ended.code, code, "{command:?}: {ended:?}");
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "{command:?}: {:?}",
            begun.elapsed()
        );
        let all = format!("{}{}", ended.out, ended.err);
        assert!(all.contains("1 s"), "{command:?}: {ended:?}");
    }
    // `check` tries the way there, and asks nothing.
    assert!(workspace.stand_in.requests().is_empty());
}

#[test]
fn a_secrets_directory_takes_regular_files_alone() {
    let workspace = workspace();
    pipe(&workspace, "secrets/PWD");
    let ended = workspace
        .run(&["trigger", "flow.json", "--secrets-directory=secrets"])
        .end();
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(
        ended
            .err
            .contains("(in `authentication.password`): a secrets directory cannot be read: it is not a regular file"),
        "{ended:?}"
    );
}

#[test]
fn a_secrets_file_may_be_a_pipe() {
    let workspace = workspace();
    let run = workspace.run(&["trigger", "flow.json", "--secrets-file=/dev/stdin"]);
    let ended = run.input("USER=camunda\nPWD=demo-password\n").end();
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(warnings(&ended).is_empty(), "{ended:?}");
}

/// What was warned about, with the file.
fn warnings(ended: &Ended) -> Vec<&str> {
    let warned = ended.logs.iter().filter(|event| event["level"] == "WARN");
    warned.filter_map(|event| event["file"].as_str()).collect()
}

#[test]
fn a_secrets_file_that_others_can_read_is_warned_about_once() {
    let workspace = workspace();
    let file = workspace.file("secrets.env", "USER=camunda\nPWD=demo-password\n");
    for (mode, warned) in [(0o644, &["secrets.env"][..]), (0o640, &[]), (0o600, &[])] {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        let ended = workspace
            .run(&["trigger", "flow.json", "--secrets-file=secrets.env"])
            .end();
        assert_eq!(
            (ended.code, warnings(&ended).as_slice()),
            (0, warned),
            "{mode:o}: {ended:?}"
        );
    }
}

#[test]
fn where_secrets_are_kept_is_for_the_operator_alone() {
    let workspace = workspace();
    workspace.file("kept/secrets.env", "EMPTY=\n");
    workspace.file("mounted/OTHER", "x");
    let arguments = ["--secrets-file=kept/secrets.env", "--secrets-directory=mounted"];
    for output in ["--output=text", "--output=json"] {
        let run = workspace.run(&["trigger", "flow.json", output]);
        let ended = arguments.iter().fold(run, |run, argument| run.arg(argument)).end();
        assert_eq!(ended.code, 2, "{ended:?}");
        let output = format!("{}{}", ended.out, ended.err);
        let message = "Secret with name 'PWD' is not available (in `authentication.password`): looked in the environment, a secrets \
                       file and a secrets directory.";
        assert!(output.contains(message), "{output}");
        assert!(
            !output.contains("kept") && !output.contains("mounted") && !output.contains("SECRET_PWD"),
            "{output}"
        );
        let logged = ended.logs.iter().find(|event| event["secret"] == "PWD").unwrap();
        let places = "the environment variable SECRET_PWD, a line PWD=… in kept/secrets.env, the file mounted/PWD";
        assert_eq!(logged["looked_for"], places, "{logged}");
    }
    // There the operator is the reader.
    let run = workspace.run(&["secrets", "list", "flow.json"]);
    let listed = arguments.iter().fold(run, |run, argument| run.arg(argument)).end();
    assert!(listed.out.contains("the file mounted/PWD"), "{listed:?}");
}
