//! Flag, environment, file, default: in this order, each named by `config show`.

use serde_json::{Value, json};

use super::workspace::{ODD_SECRET, Run, Workspace};

/// The program with nothing set by the place itself.
pub fn bare(workspace: &Workspace, arguments: &[&str]) -> Run {
    ["TLS_CA_FILE", "NETWORK_CONNECT_TO", "LOG_LEVEL", "LOG_FORMAT"]
        .into_iter()
        .fold(workspace.run(arguments), |run, name| {
            run.without(&format!("FLOW_STARTER_{name}"))
        })
}

pub fn shown(run: Run) -> Value {
    let ended = run.arg("--output=json").end();
    let all = ended.json();
    // A component and native code at once are shown, and are a mistake.
    let mistake = all["error"]
        .as_str()
        .unwrap_or_default()
        .starts_with("component.precompiled");
    assert_eq!(ended.code, if mistake { 2 } else { 0 }, "{ended:?}");
    all
}

#[test]
fn settings_are_shown_for_a_person_with_their_source() {
    let workspace = Workspace::new();
    let ended = bare(
        &workspace,
        &["config", "show", "--allow", "a.example.com", "--allow", "b.example.com"],
    )
    .end();
    assert_eq!(ended.code, 0);
    let looked_for = workspace.folder.join(".config/flow-starter/config.toml");
    assert!(ended.out.starts_with(&format!(
        "configuration file: none; looked for {}\n",
        looked_for.display()
    )));
    let rows: Vec<Vec<_>> = ended
        .out
        .lines()
        .map(|line| {
            line.split("  ")
                .map(str::trim)
                .filter(|cell| !cell.is_empty())
                .collect()
        })
        .collect();
    for row in [
        ["policy.allow", "a.example.com, b.example.com", "flag --allow"],
        ["limits.memory", "64MiB", "default"],
        ["tls.client-key", "-", "default"],
    ] {
        assert!(rows.contains(&row.to_vec()), "{row:?} {}", ended.out);
    }
}

#[test]
fn the_configuration_file_in_its_usual_place_is_read() {
    let workspace = Workspace::new();
    let file = workspace.file(
        ".config/flow-starter/config.toml",
        "[tls]\nca-file = [\"own.pem\"]\n[log]\nlevel = \"off\"\n",
    );
    let all = shown(bare(&workspace, &["config", "show"]));
    assert_eq!((all["file"].as_str(), &all["read"]), (file.to_str(), &json!(true)));
    assert_eq!(all["settings"]["log.level"]["value"], "off");
    // Seen from the file, not from where one stands.
    let beside = file.parent().unwrap().join("own.pem");
    assert_eq!(
        all["settings"]["tls.ca-file"]["value"],
        json!([beside.to_str().unwrap()])
    );

    workspace.file("other/flow-starter/config.toml", "[log]\nlevel = \"info\"\n");
    let other = workspace.folder.join("other");
    let all = shown(bare(&workspace, &["config", "show"]).env("XDG_CONFIG_HOME", other.to_str().unwrap()));
    assert_eq!(all["settings"]["log.level"]["value"], "info");
    workspace.file("named.toml", "[log]\nlevel = \"debug\"\n");
    let all = shown(bare(&workspace, &["config", "show"]).env("FLOW_STARTER_CONFIG", "named.toml"));
    assert_eq!(all["settings"]["log.level"]["source"], "file named.toml");
}

#[test]
fn a_configuration_error_is_one_sentence() {
    let workspace = Workspace::new();
    for (text, message) in [
        (
            "[policy]\nalow = []",
            "`config.toml` has an unknown key `policy.alow`: did you mean `policy.allow`?",
        ),
        (
            "[polizy]\nallow = []",
            "`config.toml` has an unknown key `polizy`: did you mean `policy`?",
        ),
        ("[camunda]\nx = 1", "`config.toml` has an unknown key `camunda`"),
        (
            "[policy]\nallow = \"a\"",
            "policy.allow (file config.toml) must be a list of strings, for example [\"acme.service-now.com\"",
        ),
        (
            "[policy]\nallow = [1]",
            "policy.allow (file config.toml) must be a list of strings",
        ),
        (
            "[policy]\nallow = [\"*.com\"]",
            "policy.allow (file config.toml): a wildcard",
        ),
        (
            "[limits]\nmemory = true",
            "limits.memory (file config.toml) must be a size in bytes, optionally with KiB, MiB or GiB, for example \"64MiB\"",
        ),
        (
            "[limits]\nconcurrent-calls = -1",
            "limits.concurrent-calls (file config.toml) must be a whole number up to 4294967295, for example 256",
        ),
        (
            "[log]\nlevel = \"loud\"",
            "log.level (file config.toml) must be one of off, error, warn, info, debug, trace",
        ),
        (
            "[network]\nproxy = \"socks5://user:odd/secret@p\"",
            "network.proxy (file config.toml): the proxy must be an http:// or https:// URL",
        ),
        ("allow = [", "`config.toml` is not TOML (line 1, column"),
        (
            "[component]\nfile = \"a\"\nprecompiled = \"b\"",
            "component.precompiled (file config.toml): component.file is set in the same place",
        ),
    ] {
        workspace.file("config.toml", text);
        let ended = bare(&workspace, &["config", "show", "--config", "config.toml"]).end();
        assert_eq!(ended.code, 2, "{text}");
        assert!(ended.err.contains(message), "{text}: {}", ended.err);
        assert_eq!(ended.err.lines().count(), 1, "{}", ended.err);
    }
    for (file, message) in [("missing.toml", "there is no such file"), (".", "it is a directory")] {
        let ended = bare(&workspace, &["config", "show", "--config", file]).end();
        assert_eq!(ended.code, 2);
        assert!(ended.err.contains(message), "{}", ended.err);
    }
}

#[test]
fn a_misspelled_variable_is_an_error_and_a_foreign_one_is_not() {
    let workspace = Workspace::new();
    let ended = bare(&workspace, &["config", "show"])
        .env("FLOW_STARTER_POLICY_ALOW", "a.example.com")
        .end();
    assert_eq!((ended.code, ended.out.as_str()), (2, ""));
    let message = "unknown environment variable FLOW_STARTER_POLICY_ALOW: did you mean FLOW_STARTER_POLICY_ALLOW?";
    assert!(ended.err.contains(message), "{ended:?}");
    let run = bare(&workspace, &["config", "show"]).env("FLOW_STARTER_SERVICE_HOST", "10.0.0.1");
    assert_eq!(run.env("FLOW_STARTER_PORT", "tcp://10.0.0.1:80").end().code, 0);
}

#[test]
fn the_example_of_a_file_sets_nothing_and_its_lines_are_right() {
    let workspace = Workspace::new();
    let example = bare(&workspace, &["config", "example"]).end();
    assert_eq!((example.code, example.err.as_str()), (0, ""));
    workspace.file("config.toml", &example.out);
    let untouched = shown(bare(&workspace, &["config", "show", "--config", "config.toml"]));
    let settings = untouched["settings"].as_object().unwrap();
    assert!(
        settings
            .iter()
            .all(|(name, setting)| setting["source"] == "default" || name.starts_with("output."))
    );

    // Each `# key = …` taken into force: all of them at once but for the native code, which excludes the component.
    let line = |line: &str| match line
        .strip_prefix("# ")
        .filter(|line| line.split_once(" = ").is_some_and(|(key, _)| !key.contains(' ')))
    {
        Some(line) if !line.starts_with("precompiled") => format!("{line}\n"),
        _ => format!("{line}\n"),
    };
    workspace.file("config.toml", example.out.lines().map(line).collect::<String>());
    let all = shown(bare(&workspace, &["config", "show", "--config", "config.toml"]));
    let settings = all["settings"].as_object().unwrap();
    for (name, setting) in settings
        .iter()
        .filter(|(name, _)| !["component.precompiled", "output.format"].contains(&name.as_str()))
    {
        assert_eq!(setting["source"], "file config.toml", "{name}");
    }
}

#[test]
fn a_stronger_source_decides_between_a_component_and_native_code() {
    let workspace = Workspace::new();
    workspace.flow(json!({}));
    workspace.file("config.toml", "[component]\nprecompiled = \"b\"\n");
    let run = bare(
        &workspace,
        &[
            "trigger",
            "flow.json",
            "--config",
            "config.toml",
            "--component",
            "c.wasm",
        ],
    );
    let ended = run.end();
    assert!(
        ended.err.contains("cannot read the component: there is no such file"),
        "{ended:?}"
    );
}

#[test]
fn a_proxys_password_is_not_shown_and_everybodys_variables_are_named() {
    let workspace = Workspace::new();
    let proxy = "http://user:wrong-password%2F1@proxy.example.com:3128";
    let run = bare(&workspace, &["config", "show"])
        .env("HTTPS_PROXY", proxy)
        .env("no_proxy", "localhost");
    let all = shown(run)["settings"].clone();
    assert_eq!(all["network.proxy"]["value"], "http://***@proxy.example.com:3128");
    assert_eq!(all["network.proxy"]["source"], "environment HTTPS_PROXY");
    assert_eq!(all["network.no-proxy"]["source"], "environment no_proxy");
    let run = bare(&workspace, &["config", "show", "--proxy", "none"]).env("HTTPS_PROXY", proxy);
    assert_eq!(shown(run)["settings"]["network.proxy"]["value"], "none");
    let ended = bare(&workspace, &["config", "show"])
        .env("ALL_PROXY", &format!("ftp://u:{ODD_SECRET}@x"))
        .end();
    assert_eq!(ended.code, 2);
    assert!(
        ended
            .err
            .contains("network.proxy (environment ALL_PROXY): the proxy must be"),
        "{ended:?}"
    );
}

#[test]
fn the_policy_of_the_environment_and_of_the_file_is_kept_by_a_call() {
    let workspace = Workspace::new();
    workspace.flow(json!({}));
    let denied = workspace
        .run(&["trigger", "flow.json"])
        .env("FLOW_STARTER_POLICY_ALLOW", "other.service-now.com")
        .end();
    assert_eq!(denied.code, 3, "{denied:?}");
    workspace.file("config.toml", "[policy]\nallow = [\"other.service-now.com\"]\n");
    let denied = workspace
        .run(&["trigger", "flow.json", "--config", "config.toml"])
        .end();
    assert_eq!(denied.code, 3, "{denied:?}");
    assert!(workspace.was_left_alone());
    let started = workspace
        .run(&[
            "trigger",
            "flow.json",
            "--config",
            "config.toml",
            "--allow",
            "acme.service-now.com",
        ])
        .end();
    assert_eq!(started.code, 0, "{started:?}");
}
