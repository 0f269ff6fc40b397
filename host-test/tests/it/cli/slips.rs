//! What people write by mistake: each slip is named, and no wrong value is used silently.

use serde_json::{Value, json};

use super::FLOW;
use super::workspace::{Ended, Workspace, flow};

const BYTE_ORDER_MARK: &str = "\u{feff}";

fn marked(text: impl std::fmt::Display) -> String {
    format!("{BYTE_ORDER_MARK}{text}")
}

fn with_secret() -> Value {
    flow(json!({"authentication": {"type": "basic", "username": "camunda", "password": "{{secrets.PWD}}"}}))
}

mod byte_order_marks {
    use super::*;

    #[test]
    fn the_input_may_begin_with_one() {
        let workspace = Workspace::new();
        workspace.file("flow.json", marked(flow(json!({}))));
        assert_eq!(workspace.run(&["trigger", "flow.json"]).end().code, 0);
        let piped = workspace.run(&["trigger", "-"]).input(marked(flow(json!({})))).end();
        assert_eq!(piped.code, 0, "{piped:?}");
        let empty = workspace.run(&["trigger", "-"]).input(BYTE_ORDER_MARK).end();
        assert!(empty.err.contains("standard input is empty"), "{empty:?}");
    }

    #[test]
    fn a_body_file_is_sent_without_it() {
        let workspace = Workspace::new();
        workspace.flow(json!({}));
        workspace.file("body.json", marked("{\"a\":1}"));
        let ended = workspace.run(&["trigger", "flow.json", "--body", "@body.json"]).end();
        assert_eq!(ended.code, 0, "{ended:?}");
        assert_eq!(workspace.stand_in.requests().pop().unwrap().body, b"{\"a\":1}");
    }

    #[test]
    fn it_is_no_part_of_a_secret() {
        let workspace = Workspace::new();
        workspace.file("flow.json", with_secret().to_string());
        workspace.file("secrets.env", marked("PWD=demo-password\n"));
        workspace.file("mounted/PWD", marked("demo-password\n"));
        for from in ["--secrets-file=secrets.env", "--secrets-directory=mounted"] {
            let ended = workspace.run(&["trigger", "flow.json", from]).end();
            assert_eq!(ended.code, 0, "{from}: {ended:?}");
        }
    }

    #[test]
    fn certificate_files_may_hold_them() {
        let workspace = Workspace::new();
        workspace.flow(json!({}));
        let other = rcgen::generate_simple_self_signed(["client".to_owned()]).unwrap();
        // Two files in one: the second begins in the middle.
        let both = format!("{}{}", marked(other.cert.pem()), marked(workspace.stand_in.ca_pem()));
        workspace.file("both.pem", both);
        workspace.file("client.pem", marked(other.cert.pem()));
        workspace.file("client-key.pem", marked(other.signing_key.serialize_pem()));
        let ended = workspace
            .run(&["trigger", "flow.json", "--ca-file", "both.pem"])
            .arg("--client-certificate=client.pem")
            .arg("--client-key=client-key.pem")
            .end();
        assert_eq!(ended.code, 0, "{ended:?}");
    }

    #[test]
    fn a_configuration_file_is_read_and_its_columns_are_right() {
        let workspace = Workspace::new();
        workspace.file("config.toml", marked("[limits]\nwall-clock = \"9s\"\n"));
        let shown = workspace.run(&["config", "show", "--config=config.toml"]).end();
        assert!(shown.code == 0 && shown.out.contains("9s"), "{shown:?}");
        workspace.file("config.toml", marked("x = y"));
        let wrong = workspace.run(&["config", "show", "--config=config.toml"]).end();
        assert!(wrong.err.contains("(line 1, column 5)"), "{wrong:?}");
    }
}

/// A wrong password would end as a 401 and, after some of them, as a locked account.
#[test]
fn a_secrets_line_that_others_read_differently_is_refused() {
    let workspace = Workspace::new();
    workspace.file("flow.json", with_secret().to_string());
    for (line, slip) in [
        (
            "PWD=\"demo-password\"",
            "line 2 has quotation marks around the value: write PWD=value",
        ),
        (
            "PWD='demo-password'",
            "line 2 has quotation marks around the value: write PWD=value",
        ),
        ("PWD = demo-password", "line 2 has spaces around `=`: write PWD=value"),
        (
            "PWD=demo-password # mine",
            "line 2 has a comment (` #`) after the value: write PWD=value",
        ),
        (
            "PWD=demo-password ",
            "line 2 has spaces after the value: write PWD=value",
        ),
    ] {
        workspace.file("secrets.env", format!("OTHER=\"1\"\n{line}\n"));
        for command in [&["trigger", "flow.json"][..], &["secrets", "list", "flow.json"]] {
            let ended = workspace.run(command).arg("--secrets-file=secrets.env").end();
            assert_eq!(ended.code, 2, "{line}: {ended:?}");
            let output = format!("{}{}", ended.out, ended.err);
            assert!(output.contains(slip), "{line}: {output}");
        }
    }
    assert!(workspace.was_left_alone());
}

mod unread_members {
    use super::*;

    /// A flow whose field has another name.
    fn renamed(field: &str, name: &str) -> Value {
        let mut input = flow(json!({}));
        let value = input.as_object_mut().unwrap().remove(field).unwrap();
        input[name] = value;
        input
    }

    fn trigger(workspace: &Workspace, input: &Value, more: &[&str]) -> Ended {
        let run = workspace.run(&["trigger", "-"]).input(input.to_string());
        more.iter().fold(run, |run, argument| run.arg(argument)).end()
    }

    #[test]
    fn a_fields_other_name_is_warned_about() {
        let workspace = Workspace::new();
        for (field, name) in [
            ("body", "requestBody"),
            ("body", "payload"),
            ("body", "data"),
            ("queryParameters", "query"),
            ("queryParameters", "params"),
            ("headers", "httpHeaders"),
            ("authentication", "auth"),
            ("authentication", "credentials"),
        ] {
            let warning = format!("\"{name}\" is not used; did you mean \"{field}\"?");
            let input = renamed(field, name);
            let ended = trigger(&workspace, &input, &["--dry-run"]);
            assert_eq!((ended.code, ended.err), (0, format!("warning: {warning}\n")));
            let ended = trigger(&workspace, &input, &["--dry-run", "--output=json"]);
            assert_eq!(ended.json()["warnings"], json!([warning]));
            let strict = trigger(&workspace, &input, &["--strict"]);
            assert_eq!(strict.code, 2, "{strict:?}");
            assert!(strict.err.contains(&warning), "{strict:?}");
        }
        assert!(workspace.was_left_alone());
    }

    #[test]
    fn the_instances_other_name_is_warned_about_before_it_is_missed() {
        let ended = trigger(&Workspace::new(), &renamed("snInstance", "instanceName"), &[]);
        assert_eq!(ended.code, 2);
        let warning = "warning: \"instanceName\" is not used; did you mean \"snInstance\"?\n";
        assert!(
            ended.err.starts_with(warning) && ended.err.contains("`snInstance` is missing"),
            "{ended:?}"
        );
    }

    #[test]
    fn credentials_outside_of_authentication_are_warned_about() {
        let workspace = Workspace::new();
        let input = flow(json!({"authentication": null, "username": "camunda", "password": "demo-password"}));
        let ended = trigger(&workspace, &input, &["--dry-run"]);
        for member in ["username", "password"] {
            let warning = format!(
                "warning: \"{member}\" is not used; did you mean {{\"authentication\": {{\"{member}\": …}}}}?\n"
            );
            assert!(ended.err.contains(&warning), "{ended:?}");
        }
        let within = json!({"type": "basic", "username": "camunda", "password": "demo-password", "scope": "x"});
        let ended = trigger(&workspace, &flow(json!({"authentication": within})), &["--dry-run"]);
        let warning = "\"scope\" in \"authentication\" is not used; did you mean \"scopes\"?";
        assert!(ended.err.contains(warning), "{ended:?}");
    }

    /// As the documentation names the field: the request would go out without credentials.
    #[test]
    fn a_flat_name_is_refused_and_its_nested_form_shown() {
        let workspace = Workspace::new();
        let input =
            flow(json!({"authentication": null, "authentication.type": "basic", "authentication.username": "camunda"}));
        workspace.file("flow.json", input.to_string());
        for command in [
            &["trigger", "flow.json"][..],
            &["trigger", "flow.json", "--password=x"],
            &["check", "flow.json"],
            &["secrets", "list", "flow.json"],
        ] {
            let ended = workspace.run(command).end();
            assert_eq!(ended.code, 2, "{command:?}");
            let message = "\"authentication.type\", which is not used: write {\"authentication\": {\"type\": …}}";
            assert!(ended.err.contains(message), "{command:?}: {ended:?}");
        }
        assert!(workspace.was_left_alone());
    }

    #[test]
    fn a_body_that_the_method_does_not_have_is_warned_about() {
        let workspace = Workspace::new();
        for method in ["GET", "DELETE"] {
            let ended = trigger(&workspace, &flow(json!({"method": method})), &["--dry-run"]);
            let warning = format!("warning: \"body\" is not used: {method} requests have no body;");
            assert!(ended.code == 0 && ended.err.starts_with(&warning), "{ended:?}");
        }
        let ended = trigger(&workspace, &flow(json!({})), &["--dry-run", "--method=get"]);
        assert!(ended.err.starts_with("warning: \"body\" is not used: GET"), "{ended:?}");
        assert_eq!(
            trigger(
                &workspace,
                &flow(json!({"method": "GET", "body": null})),
                &["--dry-run"]
            )
            .err,
            ""
        );
    }

    #[test]
    fn every_result_as_json_has_the_warnings() {
        let workspace = Workspace::new();
        let warnings = json!(["\"payload\" is not used; did you mean \"body\"?"]);
        let input = |members: Value| {
            let mut input = flow(members);
            input["payload"] = json!({"a": 1});
            input
        };
        workspace.file("flow.json", input(json!({})).to_string());
        let started = workspace.run(&["trigger", "flow.json", "--output=json"]).end();
        assert_eq!(
            (started.code, &started.json()["warnings"]),
            (0, &warnings),
            "{started:?}"
        );
        assert_eq!(started.json()["status"], 200);
        let listed = workspace.run(&["secrets", "list", "flow.json", "--output=json"]).end();
        assert_eq!((listed.code, &listed.json()["warnings"]), (0, &warnings));
        let checked = workspace.run(&["check", "flow.json", "--output=json"]).end().json();
        assert_eq!(
            checked[0],
            json!({"target": "the input", "step": "warning", "ok": null, "detail": warnings[0], "fix": null})
        );
        let wrong = input(json!({"restApiTriggerPath": "x"}));
        let refused = trigger(&workspace, &wrong, &["--output=json"]);
        assert_eq!((refused.code, &refused.json()["warnings"]), (2, &warnings));
    }

    #[test]
    fn camundas_own_members_and_variables_are_silent() {
        let workspace = Workspace::new();
        let input = flow(json!({
            "url": "=\"https://\" + snInstance + \".service-now.com\" + restApiTriggerPath",
            "storeResponse": false,
            "camId": "cam-id-1",
            "code": 7,
            "type": "order",
            "name": "x",
        }));
        let ended = trigger(&workspace, &input, &["--strict", "--output=json"]);
        assert_eq!((ended.code, ended.err.as_str()), (0, ""));
        assert_eq!(ended.json().get("warnings"), None);
    }
}

#[test]
fn an_expression_in_a_plain_values_place_is_refused() {
    let workspace = Workspace::new();
    for (members, field) in [
        (json!({"snInstance": "=\"acme\""}), "snInstance"),
        (json!({"headers": "={\"hello\": \"header\"}"}), "headers"),
        (json!({"body": "={\"correlationValue\": camId}"}), "body"),
        (
            json!({"authentication": {"type": "basic", "username": "=\"camunda\"", "password": "x"}}),
            "authentication.username",
        ),
    ] {
        workspace.flow(members);
        for command in [&["trigger", "flow.json"][..], &["check", "flow.json"]] {
            let ended = workspace.run(command).end();
            assert_eq!(ended.code, 2, "{field}: {ended:?}");
            let message = format!("`flow.json`: \"{field}\" begins with `=` like a FEEL expression. Camunda evaluates");
            assert!(ended.err.contains(&message), "{field}: {ended:?}");
        }
    }
    workspace.flow(json!({}));
    let ended = workspace
        .run(&["trigger", "flow.json", "--headers", "={\"a\":\"b\"}"])
        .end();
    assert!(
        ended.code == 2 && ended.err.contains("like a FEEL expression"),
        "{ended:?}"
    );
    assert!(workspace.was_left_alone());
}

#[test]
fn a_body_with_a_bare_variable_gets_a_hint_about_feel() {
    let workspace = Workspace::new();
    workspace.flow(json!({"body": "{\"correlationValue\": camId}"}));
    let ended = workspace.run(&["trigger", "flow.json"]).end();
    assert!(
        ended.code == 2
            && ended
                .err
                .contains("in Camunda's form a FEEL expression begins with `=`"),
        "{ended:?}"
    );
}

#[test]
fn a_wrong_instance_or_path_is_explained() {
    let workspace = Workspace::new();
    for (members, message) in [
        (
            json!({"snInstance": "acme_dev"}),
            "contains `_`: use only letters, digits and hyphens",
        ),
        (json!({"snInstance": " acme "}), "contains a space or a line break"),
        (
            json!({"restApiTriggerPath": format!("https://acme.service-now.com{FLOW}")}),
            "enter only the part of the URL after the host",
        ),
    ] {
        workspace.flow(members);
        let ended = workspace.run(&["trigger", "flow.json"]).end();
        assert!(ended.code == 2 && ended.err.contains(message), "{ended:?}");
    }
}

#[test]
fn a_json_mistake_is_explained() {
    let workspace = Workspace::new();
    let right = flow(json!({})).to_string();
    for (input, message) in [
        (
            right.replacen('{', "{\n// mine\n", 1),
            "(line 2, column 1): JSON has no comments",
        ),
        (
            right.replacen('}', ",}", 1),
            "remove the comma before the closing bracket",
        ),
        (
            right.replace('"', "'"),
            "JSON uses straight double quotation marks (\") only",
        ),
        (format!("={right}"), "like a FEEL expression"),
    ] {
        let ended = workspace.run(&["trigger", "-"]).input(input).end();
        assert_eq!(ended.code, 2);
        assert!(ended.err.contains("standard input is not JSON (line "), "{ended:?}");
        assert!(ended.err.contains(message), "{message}: {ended:?}");
    }
    workspace.flow(json!({}));
    let ended = workspace.run(&["trigger", "flow.json", "--headers", "{'a':'b'}"]).end();
    assert!(ended.err.contains("straight double quotation marks"), "{ended:?}");
}

#[test]
fn a_flags_value_may_begin_with_a_hyphen() {
    let workspace = Workspace::new();
    workspace.flow(json!({}));
    let dry = |flags: &[&str]| {
        let run = workspace.run(&["trigger", "flow.json", "--dry-run"]);
        flags.iter().fold(run, |run, flag| run.arg(flag)).end()
    };
    assert_eq!(dry(&["--username", "-svc"]).code, 0);
    let query = dry(&["--query", "-a=b"]);
    assert!(query.code == 0 && query.out.contains("-a=b"), "{query:?}");
    let body = dry(&["--request-body", "-5"]);
    assert!(body.code == 0 && body.out.contains("\n-5\n"), "{body:?}");
    let timeout = dry(&["--read-timeout", "-5"]);
    assert!(
        timeout.err.contains("`readTimeoutInSeconds` must be a number"),
        "{timeout:?}"
    );
    let instance = dry(&["--instance-name", "-acme"]);
    assert!(instance.err.contains("(snInstance) is not a name"), "{instance:?}");
    let lower = dry(&["--method", "put"]);
    assert!(lower.code == 0 && lower.out.contains("PUT https://"), "{lower:?}");
}

/// `--username $USER --dry-run`, and no such variable: the call must not be made.
#[test]
fn a_flag_is_not_taken_for_the_value_before_it() {
    let workspace = Workspace::new();
    workspace.flow(json!({}));
    for flag in ["--username", "--password", "--scopes", "--request-body"] {
        let ended = workspace.run(&["trigger", "flow.json", flag, "--dry-run"]).end();
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(ended.err.contains("a value is missing before --dry-run"), "{ended:?}");
    }
    let ended = workspace
        .run(&["trigger", "flow.json", "--username", "--output=json"])
        .end();
    assert!(
        ended.code == 2 && ended.err.contains("a value is missing before --output"),
        "{ended:?}"
    );
    assert!(workspace.was_left_alone());
}

#[test]
fn a_flag_for_the_target_stands_in_place_of_all_that_the_file_says_of_it() {
    let workspace = Workspace::new();
    for file in [
        json!({"snTarget": "instance"}),
        json!({"snTarget": "domain", "snDomain": "other.example"}),
        json!({"snTarget": "url", "snEndpoint": "https://other.example"}),
        json!({"snDomain": "other.example"}),
    ] {
        workspace.flow(file.clone());
        for (flag, url) in [
            (
                "--endpoint=https://acme.service-now.com",
                "https://acme.service-now.com/",
            ),
            (
                "--domain=servicenowservices.com",
                "https://acme.servicenowservices.com/",
            ),
        ] {
            let ended = workspace.run(&["trigger", "flow.json", "--dry-run", flag]).end();
            assert!(ended.code == 0 && ended.out.contains(url), "{file} {flag}: {ended:?}");
        }
    }
}

#[test]
fn bare_references_can_be_switched_off() {
    let workspace = Workspace::new();
    let text = "see https://x.example/secrets.html";
    workspace.flow(json!({"body": {"text": text}}));
    let ended = workspace.run(&["trigger", "flow.json"]).end();
    assert_eq!(ended.code, 2);
    let message =
        "`secrets.html` is a reference even without braces: if it is plain text, set `secrets.bare-references` to off";
    assert!(ended.err.contains(message), "{ended:?}");
    let listed = workspace.run(&["secrets", "list", "flow.json"]).end();
    assert!(listed.out.contains("set secrets.bare-references to off"), "{listed:?}");

    workspace.file("config.toml", "[secrets]\nbare-references = \"off\"\n");
    for setting in ["--secrets-bare-references=off", "--config=config.toml"] {
        let ended = workspace.run(&["trigger", "flow.json", setting]).end();
        assert_eq!(ended.code, 0, "{ended:?}");
        let sent: Value = serde_json::from_slice(&workspace.stand_in.requests().pop().unwrap().body).unwrap();
        assert_eq!(sent["text"], text);
        let listed = workspace.run(&["secrets", "list", "flow.json", setting]).end();
        assert!(listed.out.contains("uses no secrets"), "{listed:?}");
    }
}
