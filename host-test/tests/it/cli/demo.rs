//! `make run`: the placeholder of the examples becomes the stand-in's instance, and no other input does.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::json;

use super::workspace::{Ended, Workspace, program};

/// The program behind `make run`, in the repository, as `make` starts it.
fn demo(workspace: &Workspace, config: Option<&Path>) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_demo"));
    command
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .env_clear()
        .env("HOME", &workspace.folder)
        .arg("--flow-starter")
        .arg(program())
        .stdin(Stdio::null());
    if let Some(file) = config {
        command.arg("--config").arg(file);
    }
    Ended::of(&command.output().unwrap())
}

#[test]
fn the_demo_puts_the_stand_in_in_the_placeholders_place() {
    let workspace = Workspace::new();
    for name in ["your-instance-name", "Your-Instance-Name"] {
        let own = workspace.flow(json!({"snInstance": name}));
        for config in [None, Some(own.as_path())] {
            let ended = demo(&workspace, config);
            assert_eq!(ended.code, 0, "{config:?}: {ended:?}");
            for part in [
                "--instance-name acme",
                "--connect-to acme.service-now.com:443:",
                "✓ the same ID",
            ] {
                assert!(ended.out.contains(part), "{config:?}: {part}: {ended:?}");
            }
        }
    }
}

/// The demo's own stand-in is gone when the demo ends, and so are its port and its certificate.
#[test]
fn the_command_that_the_demo_says_works_again() {
    let workspace = Workspace::new();
    let ended = demo(&workspace, None);
    let (_, again) = ended
        .out
        .split_once("keep a stand-in running in another terminal\n")
        .unwrap();
    let again: Vec<_> = again.trim().split("$ ").skip(1).collect();
    assert!(
        again[0].starts_with("cargo run -p servicenow-stand-in -- --port 8443 --ca-file ca.pem"),
        "{again:?}"
    );
    // A port of this test's own, and the stand-in that is there.
    let address = workspace.stand_in.https_addr().to_string();
    let command = again[1]
        .replace("127.0.0.1:8443", &address)
        .replace(" ca.pem", " stand-in.pem");
    assert!(
        command.contains(&address) && command.contains(" stand-in.pem"),
        "{command}"
    );
    std::fs::create_dir(workspace.folder.join("examples")).unwrap();
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/flow.json");
    std::fs::copy(example, workspace.folder.join("examples/flow.json")).unwrap();
    let mut shell = workspace.command(Path::new("sh"));
    shell
        .env_remove("FLOW_STARTER_TLS_CA_FILE")
        .env_remove("FLOW_STARTER_NETWORK_CONNECT_TO");
    let repeated = Ended::of(&shell.args(["-c", &command]).output().unwrap());
    assert_eq!(repeated.code, 0, "{command}: {repeated:?}");
    assert_eq!(workspace.stand_in.starts().len(), 1);
}

#[test]
fn an_own_input_may_start_with_a_byte_order_mark() {
    let workspace = Workspace::new();
    let own = workspace.file("flow.json", format!("\u{feff}{}", super::workspace::flow(json!({}))));
    let ended = demo(&workspace, Some(&own));
    assert!(ended.code == 0 && ended.out.contains("a stand-in at "), "{ended:?}");
}

#[test]
fn a_file_that_cannot_be_read_is_not_called_for_real() {
    let workspace = Workspace::new();
    let ended = demo(&workspace, Some(&workspace.folder.join("missing.json")));
    assert!(ended.code != 0 && ended.err.contains("cannot read"), "{ended:?}");
    assert_eq!(ended.out, "");
    let ended = demo(&workspace, Some(&workspace.file("flow.json", "{")));
    assert!(ended.code == 2 && !ended.out.contains("for real"), "{ended:?}");
}

#[test]
fn the_demo_never_calls_the_placeholder_elsewhere() {
    let workspace = Workspace::new();
    let own = workspace.flow(json!({"snInstance": "your-instance-name", "snDomain": "servicenowservices.com"}));
    let ended = demo(&workspace, Some(&own));
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.err.contains("enter your instance's name"), "{ended:?}");
    assert!(!ended.out.contains("--instance-name"), "{ended:?}");
}
