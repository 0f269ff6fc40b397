//! Flag, environment, file, default: in this order, each named by `config show`.

use serde_json::{Value, json};

use crate::place::{ODD_SECRET, Place, Run};

/// The program with nothing set by the place itself.
fn bare(place: &Place, arguments: &[&str]) -> Run {
    ["TLS_CA_FILE", "NETWORK_CONNECT_TO", "LOG_LEVEL", "LOG_FORMAT"]
        .into_iter()
        .fold(place.run(arguments), |run, name| {
            run.without(&format!("FLOW_STARTER_{name}"))
        })
}

fn shown(run: Run) -> Value {
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

/// For each setting: in the file, in the environment, as a flag, and how each of them is shown.
fn samples() -> Vec<(&'static str, [&'static str; 3], [Value; 3])> {
    let texts = |a: &str, b: &str, c: &str| [json!(a), json!(b), json!(c)];
    vec![
        (
            "policy.allow",
            [
                r#"["a.example.com", "b.example.com"]"#,
                "c.example.com, d.example.com",
                "e.example.com",
            ],
            [
                json!(["a.example.com", "b.example.com"]),
                json!(["c.example.com", "d.example.com"]),
                json!(["e.example.com"]),
            ],
        ),
        (
            "policy.open",
            [r#"["private"]"#, "loopback,private", "link-local"],
            [
                json!(["private"]),
                json!(["loopback", "private"]),
                json!(["link-local"]),
            ],
        ),
        (
            "component.file",
            [r#""/a.wasm""#, "/b.wasm", "/c.wasm"],
            texts("/a.wasm", "/b.wasm", "/c.wasm"),
        ),
        (
            "component.precompiled",
            [r#""/a.cwasm""#, "/b.cwasm", "/c.cwasm"],
            texts("/a.cwasm", "/b.cwasm", "/c.cwasm"),
        ),
        (
            "component.imports",
            [r#"["wasi:a/b"]"#, "wasi:c/d", "wasi:e/f"],
            [json!(["wasi:a/b"]), json!(["wasi:c/d"]), json!(["wasi:e/f"])],
        ),
        (
            "limits.memory",
            [r#""32MiB""#, "16MiB", "8388608"],
            [json!(32 << 20), json!(16 << 20), json!(8 << 20)],
        ),
        (
            "limits.computing",
            ["7", "6s", "5000ms"],
            [json!(7), json!(6), json!(5)],
        ),
        (
            "limits.wall-clock",
            [r#""2min""#, "60", "1500ms"],
            [json!(120), json!(60), json!(1.5)],
        ),
        (
            "limits.concurrent-calls",
            ["3", "2", "1"],
            [json!(3), json!(2), json!(1)],
        ),
        (
            "secrets.environment-prefix",
            [r#""A_""#, "B_", "none"],
            texts("A_", "B_", "none"),
        ),
        (
            "secrets.file",
            [r#"["/a"]"#, "/b,/c", "/d"],
            [json!(["/a"]), json!(["/b", "/c"]), json!(["/d"])],
        ),
        (
            "secrets.directory",
            [r#"["/a"]"#, "/b,/c", "/d"],
            [json!(["/a"]), json!(["/b", "/c"]), json!(["/d"])],
        ),
        (
            "tls.ca-file",
            [r#"["/a"]"#, "/b,/c", "/d"],
            [json!(["/a"]), json!(["/b", "/c"]), json!(["/d"])],
        ),
        (
            "tls.client-certificate",
            [r#""/a""#, "/b", "/c"],
            texts("/a", "/b", "/c"),
        ),
        ("tls.client-key", [r#""/a""#, "/b", "/c"], texts("/a", "/b", "/c")),
        (
            "network.proxy",
            [r#""http://a:1""#, "http://b:1", "none"],
            texts("http://a:1", "http://b:1", "none"),
        ),
        ("network.no-proxy", [r#""a,b""#, "c", "d"], texts("a,b", "c", "d")),
        (
            "network.connect-to",
            [r#"["a:1:127.0.0.1:1"]"#, "b:1:127.0.0.1:1", "c:1:127.0.0.1:1"],
            [
                json!(["a:1:127.0.0.1:1"]),
                json!(["b:1:127.0.0.1:1"]),
                json!(["c:1:127.0.0.1:1"]),
            ],
        ),
        ("network.idle-timeout", ["0", "1", "2s"], [json!(0), json!(1), json!(2)]),
        ("log.level", [r#""info""#, "warn", "off"], texts("info", "warn", "off")),
        (
            "log.format",
            [r#""json""#, "text", "json"],
            texts("json", "text", "json"),
        ),
        (
            "output.color",
            [r#""always""#, "auto", "never"],
            texts("always", "auto", "never"),
        ),
        (
            "output.format",
            [r#""text""#, "json", "json"],
            texts("text", "json", "json"),
        ),
    ]
}

#[test]
fn each_setting_is_a_flag_before_the_environment_before_the_file_before_its_default() {
    let place = Place::new();
    let defaults = shown(bare(&place, &["config", "show"]))["settings"].clone();
    let known: Vec<_> = defaults.as_object().unwrap().keys().cloned().collect();
    let mut sampled: Vec<_> = samples().iter().map(|(name, ..)| (*name).to_owned()).collect();
    sampled.sort();
    assert_eq!(sampled, known, "every setting has a sample");

    let mut run = bare(&place, &["config", "show", "--config", "all.toml"]);
    let mut file = String::new();
    for (name, given, _) in samples() {
        let (section, key) = name.split_once('.').unwrap();
        file.push_str(&format!("{section}.{key} = {}\n", given[0]));
        run = run.env(defaults[name]["variable"].as_str().unwrap(), "");
    }
    place.file("all.toml", &file);
    // `--output=json` is the flag by which this test reads it.
    let by_file = shown(run)["settings"].clone();
    for (name, _, values) in samples().into_iter().filter(|(name, ..)| *name != "output.format") {
        assert_eq!(by_file[name]["value"], values[0], "{name}");
        assert_eq!(by_file[name]["source"], "file all.toml", "{name}");
        if name != "output.color" {
            assert_eq!(defaults[name]["source"], "default", "{name}");
        }
    }

    let with_environment = || {
        samples().into_iter().fold(
            bare(&place, &["config", "show", "--config", "all.toml"]),
            |run, (name, given, _)| run.env(defaults[name]["variable"].as_str().unwrap(), given[1]),
        )
    };
    let by_environment = shown(with_environment())["settings"].clone();
    let by_flag = samples()
        .into_iter()
        .filter(|(name, ..)| *name != "output.format")
        .fold(with_environment(), |run, (name, given, _)| {
            run.arg(&format!("{}={}", defaults[name]["flag"].as_str().unwrap(), given[2]))
        });
    let by_flag = shown(by_flag)["settings"].clone();
    for (name, _, values) in samples() {
        if name != "output.format" {
            assert_eq!(by_environment[name]["value"], values[1], "{name}");
            let variable = defaults[name]["variable"].as_str().unwrap();
            assert_eq!(
                by_environment[name]["source"],
                format!("environment {variable}"),
                "{name}"
            );
        }
        assert_eq!(by_flag[name]["value"], values[2], "{name}");
        let flag = defaults[name]["flag"].as_str().unwrap();
        assert_eq!(by_flag[name]["source"], format!("flag {flag}"), "{name}");
    }
}

#[test]
fn settings_are_shown_for_a_person_with_their_source() {
    let place = Place::new();
    let ended = bare(
        &place,
        &["config", "show", "--allow", "a.example.com", "--allow", "b.example.com"],
    )
    .end();
    assert_eq!(ended.code, 0);
    let looked_for = place.folder.join(".config/flow-starter/config.toml");
    assert!(ended.out.starts_with(&format!(
        "configuration file: none; looked for {}\n",
        looked_for.display()
    )));
    for line in [
        "policy.allow                a.example.com, b.example.com  flag --allow\n",
        "limits.memory               64MiB                         default\n",
        "tls.client-key              -                             default\n",
    ] {
        assert!(ended.out.contains(line), "{line}{}", ended.out);
    }
}

#[test]
fn the_configuration_file_in_its_usual_place_is_read() {
    let place = Place::new();
    let file = place.file(
        ".config/flow-starter/config.toml",
        "[tls]\nca-file = [\"own.pem\"]\n[log]\nlevel = \"off\"\n",
    );
    let all = shown(bare(&place, &["config", "show"]));
    assert_eq!((all["file"].as_str(), &all["read"]), (file.to_str(), &json!(true)));
    assert_eq!(all["settings"]["log.level"]["value"], "off");
    // Seen from the file, not from where one stands.
    let beside = file.parent().unwrap().join("own.pem");
    assert_eq!(
        all["settings"]["tls.ca-file"]["value"],
        json!([beside.to_str().unwrap()])
    );

    place.file("other/flow-starter/config.toml", "[log]\nlevel = \"info\"\n");
    let other = place.folder.join("other");
    let all = shown(bare(&place, &["config", "show"]).env("XDG_CONFIG_HOME", other.to_str().unwrap()));
    assert_eq!(all["settings"]["log.level"]["value"], "info");
    place.file("named.toml", "[log]\nlevel = \"debug\"\n");
    let all = shown(bare(&place, &["config", "show"]).env("FLOW_STARTER_CONFIG", "named.toml"));
    assert_eq!(all["settings"]["log.level"]["source"], "file named.toml");
}

#[test]
fn what_is_wrong_in_the_configuration_file_is_said_in_one_sentence() {
    let place = Place::new();
    for (text, told) in [
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
            "policy.allow (file config.toml) must be a list of texts, as in [\"acme.service-now.com\"",
        ),
        (
            "[policy]\nallow = [1]",
            "policy.allow (file config.toml) must be a list of texts",
        ),
        (
            "[policy]\nallow = [\"*.com\"]",
            "policy.allow (file config.toml): a wildcard",
        ),
        (
            "[limits]\nmemory = true",
            "limits.memory (file config.toml) must be a size in bytes, with or without KiB, MiB or GiB, as in \"64MiB\"",
        ),
        (
            "[limits]\nconcurrent-calls = -1",
            "limits.concurrent-calls (file config.toml) must be a whole number up to 4294967295, as in 256",
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
            "component.precompiled (file config.toml): component.file is set there as well",
        ),
    ] {
        place.file("config.toml", text);
        let ended = bare(&place, &["config", "show", "--config", "config.toml"]).end();
        assert_eq!(ended.code, 2, "{text}");
        assert!(ended.err.contains(told), "{text}: {}", ended.err);
        assert_eq!(ended.err.lines().count(), 1, "{}", ended.err);
    }
    for (file, told) in [("missing.toml", "there is no such file"), (".", "it is a directory")] {
        let ended = bare(&place, &["config", "show", "--config", file]).end();
        assert_eq!(ended.code, 2);
        assert!(ended.err.contains(told), "{}", ended.err);
    }
}

#[test]
fn a_stronger_source_decides_between_a_component_and_native_code() {
    let place = Place::new();
    place.flow(json!({}));
    place.file("config.toml", "[component]\nprecompiled = \"b\"\n");
    let run = bare(
        &place,
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
    assert!(ended.err.contains("cannot read the component `c.wasm`"), "{ended:?}");
}

#[test]
fn a_proxys_password_is_not_shown_and_everybodys_variables_are_named() {
    let place = Place::new();
    let proxy = "http://user:wrong-password%2F1@proxy.example.com:3128";
    let run = bare(&place, &["config", "show"])
        .env("HTTPS_PROXY", proxy)
        .env("no_proxy", "localhost");
    let all = shown(run)["settings"].clone();
    assert_eq!(all["network.proxy"]["value"], "http://***@proxy.example.com:3128");
    assert_eq!(all["network.proxy"]["source"], "environment HTTPS_PROXY");
    assert_eq!(all["network.no-proxy"]["source"], "environment no_proxy");
    let run = bare(&place, &["config", "show", "--proxy", "none"]).env("HTTPS_PROXY", proxy);
    assert_eq!(shown(run)["settings"]["network.proxy"]["value"], "none");
    let ended = bare(&place, &["config", "show"])
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
    let place = Place::new();
    place.flow(json!({}));
    let denied = place
        .run(&["trigger", "flow.json"])
        .env("FLOW_STARTER_POLICY_ALLOW", "other.service-now.com")
        .end();
    assert_eq!(denied.code, 3, "{denied:?}");
    place.file("config.toml", "[policy]\nallow = [\"other.service-now.com\"]\n");
    let denied = place.run(&["trigger", "flow.json", "--config", "config.toml"]).end();
    assert_eq!(denied.code, 3, "{denied:?}");
    assert!(place.was_left_alone());
    let started = place
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
