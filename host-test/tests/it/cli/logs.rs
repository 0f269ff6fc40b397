//! The log: on standard error, with the call's id, and with nothing of a header or a body in it.

use serde_json::json;

use super::workspace::Workspace;

#[test]
fn every_event_of_a_call_has_its_id_and_is_our_own() {
    let workspace = Workspace::new();
    workspace.flow(json!({"body": {"correlationValue": "in-the-body"}, "headers": {"hello": "in-a-header"}}));
    let ids: Vec<_> = (0..2)
        .map(|_| {
            let ended = workspace.run(&["trigger", "flow.json"]).end();
            assert_eq!(ended.code, 0, "{ended:?}");
            assert!(!ended.logs.is_empty());
            let id = ended.logs[0]["call"].as_str().unwrap().to_owned();
            for event in &ended.logs {
                let text = event.to_string();
                assert_eq!(event["call"], id.as_str(), "{text}");
                assert!(event["target"].as_str().unwrap().starts_with("flow_starter"), "{text}");
                assert!(!text.contains("in-the-body") && !text.contains("in-a-header"), "{text}");
            }
            id
        })
        .collect();
    assert_ne!(ids[0], ids[1]);
    assert!(ids.iter().all(|id| id.len() == 16), "{ids:?}");
}

#[test]
fn the_level_decides_how_much_is_logged() {
    let workspace = Workspace::new();
    workspace.flow(json!({"headers": {"hello": "{{secrets.SHORT}}"}}));
    let logged = |level: &str| {
        let run = workspace.run(&["trigger", "flow.json", "--log-level", level]);
        run.env("SECRET_SHORT", "abc").end().logs
    };
    assert!(logged("off").is_empty());
    let warned = logged("warn");
    assert!(
        warned.len() == 1 && warned[0]["level"] == "WARN" && warned[0]["secret"] == "SHORT",
        "{warned:?}"
    );
    assert!(logged("trace").len() > warned.len());
}

#[test]
fn the_log_is_text_and_silent_by_default() {
    let workspace = Workspace::new();
    workspace.flow(json!({}));
    let ended = workspace
        .run(&["trigger", "flow.json"])
        .without("FLOW_STARTER_LOG_FORMAT")
        .end();
    assert!(ended.logs.is_empty() && ended.err.contains(" call{call="), "{ended:?}");
    let ended = workspace
        .run(&["trigger", "flow.json"])
        .without("FLOW_STARTER_LOG_LEVEL")
        .end();
    assert_eq!((ended.code, ended.err.as_str(), ended.logs.len()), (0, "", 0));
}
