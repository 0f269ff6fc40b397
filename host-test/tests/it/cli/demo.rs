//! `make run`: the placeholder of the examples becomes the stand-in's instance, and no other input does.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::json;

use super::place::{Ended, Place, program};

/// The program behind `make run`, in the repository, as `make` starts it.
fn demo(place: &Place, config: Option<&Path>) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_demo"));
    command
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .env_clear()
        .env("HOME", &place.folder)
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
    let place = Place::new();
    for name in ["your-instance-name", "Your-Instance-Name"] {
        let own = place.flow(json!({"snInstance": name}));
        for config in [None, Some(own.as_path())] {
            let ended = demo(&place, config);
            assert_eq!(ended.code, 0, "{config:?}: {ended:?}");
            for part in [
                "--instance-name acme",
                "--connect-to acme.service-now.com:443:",
                "✓ the same id",
            ] {
                assert!(ended.out.contains(part), "{config:?}: {part}: {ended:?}");
            }
        }
    }
}

#[test]
fn the_demo_calls_nobody_by_the_placeholder_elsewhere() {
    let place = Place::new();
    let own = place.flow(json!({"snInstance": "your-instance-name", "snDomain": "servicenowservices.com"}));
    let ended = demo(&place, Some(&own));
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.err.contains("enter your instance's name"), "{ended:?}");
    assert!(!ended.out.contains("--instance-name"), "{ended:?}");
}
