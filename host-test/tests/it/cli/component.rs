//! `inspect`, `compile` and `--precompiled`: a component's file, and its native code.

use serde_json::json;

use super::workspace::{WRONG_SECRET, Workspace};

#[test]
fn a_component_is_looked_into() {
    let workspace = Workspace::new();
    let inside = workspace.run(&["inspect"]).end();
    assert_eq!((inside.code, inside.err.as_str()), (0, ""), "{inside:?}");
    assert!(inside.out.contains("wasi:http/outgoing-handler"), "{inside:?}");
    let file = host_test::rig::component_file();
    let named = workspace
        .run(&["inspect", file.to_str().unwrap(), "--output", "json"])
        .end();
    assert_eq!(named.json()["accepted"], true);

    workspace.file("page.wasm", "<!DOCTYPE html>");
    let refused = workspace.run(&["inspect", "page.wasm"]).end();
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.out.contains("This host does not accept it"), "{refused:?}");
    let missing = workspace.run(&["inspect", "missing.wasm"]).end();
    assert_eq!(missing.code, 2, "{missing:?}");
    assert!(
        missing.err.contains("cannot read the component: there is no such file"),
        "{missing:?}"
    );
}

#[test]
fn a_component_for_wasi_03_is_called_one() {
    let workspace = Workspace::new();
    workspace.flow(json!({}));
    let wasi_03 = r#"(component (import "wasi:http/client@0.3.0" (instance (export "send" (func async (param "request" u32))))))"#;
    workspace.file("later.wasm", wat::parse_str(wasi_03).unwrap());
    let message =
        "this is a component for WASI 0.3 (it has wasi:http/client@0.3.0), but this host runs components for WASI 0.2";
    let looked_into = workspace.run(&["inspect", "later.wasm"]).end();
    assert_eq!(looked_into.code, 2, "{looked_into:?}");
    assert!(
        looked_into.out.starts_with("later.wasm: component, "),
        "{looked_into:?}"
    );
    assert!(
        looked_into.out.contains("  denied   wasi:http/client@0.3.0"),
        "{looked_into:?}"
    );
    assert!(looked_into.out.contains(message), "{looked_into:?}");
    for arguments in [
        &["trigger", "flow.json", "--component", "later.wasm"][..],
        &["compile", "later.wasm", "--to", "later.cwasm"],
    ] {
        let refused = workspace.run(arguments).end();
        assert_eq!(refused.code, 2, "{refused:?}");
        assert!(refused.err.contains(message), "{refused:?}");
    }
    assert!(workspace.was_left_alone());
}

#[test]
fn native_code_starts_a_flow_as_the_component_does() {
    let workspace = Workspace::new();
    workspace.flow(json!({}));
    let compiled = workspace.run(&["compile", "--to", "flow-starter.cwasm"]).end();
    assert_eq!((compiled.code, compiled.err.as_str()), (0, ""), "{compiled:?}");
    let started = workspace
        .run(&["trigger", "flow.json", "--precompiled", "flow-starter.cwasm"])
        .end();
    assert_eq!((started.code, workspace.stand_in.starts().len()), (0, 1), "{started:?}");

    let wasm = host_test::rig::component_file();
    for (file, message) in [
        (wasm.to_str().unwrap(), "this is not a compiled connector"),
        ("flow.json", "this is not a compiled connector"),
        ("missing.cwasm", "there is no such file"),
    ] {
        let ended = workspace.run(&["trigger", "flow.json", "--precompiled", file]).end();
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(ended.err.contains(message), "{ended:?}");
    }
    workspace.file("page.wasm", "<!DOCTYPE html>");
    let refused = workspace.run(&["compile", "page.wasm", "--to", "page.cwasm"]).end();
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(!workspace.folder.join("page.cwasm").exists());
    let nowhere = workspace.run(&["compile", "--to", "missing/flow-starter.cwasm"]).end();
    assert_eq!(nowhere.code, 2, "{nowhere:?}");
    assert!(nowhere.err.contains("its directory does not exist"), "{nowhere:?}");
}

#[test]
fn an_import_that_cannot_be_named_is_a_wrong_setting() {
    let workspace = Workspace::new();
    let ended = workspace.run(&["inspect", "--allow-import", "wasi:sockets/tcp"]).end();
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(
        ended.err.contains("component.imports (flag --allow-import): "),
        "{ended:?}"
    );
}

#[test]
fn an_import_that_was_named_is_given() {
    let workspace = Workspace::new();
    let random =
        r#"(component (import "wasi:random/random@0.2.0" (instance (export "get-random-u64" (func (result u64))))))"#;
    workspace.file("random.wasm", wat::parse_str(random).unwrap());
    let given = |more: &[&str]| {
        let all: Vec<_> = ["inspect", "random.wasm"].iter().chain(more).copied().collect();
        workspace
            .run(&all)
            .end()
            .out
            .contains("\n  allowed  wasi:random/random")
    };
    assert!(!given(&[]));
    assert!(given(&["--allow-import", "wasi:random/random"]));
}

#[test]
fn a_check_ends_with_0_or_3_and_starts_nothing() {
    let workspace = Workspace::new();
    workspace.flow(json!({}));
    let passed = workspace.run(&["check", "flow.json"]).end();
    assert_eq!((passed.code, passed.err.as_str()), (0, ""), "{passed:?}");
    let failed = workspace.run(&["check", "flow.json", "--password", WRONG_SECRET]).end();
    assert_eq!(failed.code, 3, "{failed:?}");
    assert!(workspace.stand_in.starts().is_empty());
}

/// A device or a link would be gone, and a file in its workspace.
#[cfg(unix)]
#[test]
fn only_regular_files_are_replaced() {
    let workspace = Workspace::new();
    workspace.file("target", "x");
    std::os::unix::fs::symlink("target", workspace.folder.join("link")).unwrap();
    std::fs::create_dir(workspace.folder.join("folder")).unwrap();
    for to in ["link", "folder"] {
        let refused = workspace.run(&["compile", "--to", to]).end();
        assert_eq!(refused.code, 2, "{refused:?}");
        assert!(refused.err.contains("not a regular file"), "{refused:?}");
    }
    assert!(workspace.folder.join("link").is_symlink());
    let again = |_| workspace.run(&["compile", "-o", "target"]).end().code;
    assert_eq!([0, 1].map(again), [0, 0], "a file is replaced");
}
