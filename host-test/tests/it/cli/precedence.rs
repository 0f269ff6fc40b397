//! Every setting by file, environment and flag: a walk through all of them.

use serde_json::{Value, json};

use super::settings::{bare, shown};
use super::workspace::Workspace;

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
            [r#"["wasi:random/random"]"#, "wasi:cli/stdout", "wasi:cli/stderr"],
            [
                json!(["wasi:random/random"]),
                json!(["wasi:cli/stdout"]),
                json!(["wasi:cli/stderr"]),
            ],
        ),
        (
            "limits.memory",
            [r#""32MiB""#, "16MiB", "8388608"],
            [json!(32 << 20), json!(16 << 20), json!(8 << 20)],
        ),
        ("limits.cpu-time", ["7", "6s", "5000ms"], [json!(7), json!(6), json!(5)]),
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
            "secrets.bare-references",
            [r#""off""#, "on", "off"],
            texts("off", "on", "off"),
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
        ("tls.system-roots", [r#""off""#, "on", "off"], texts("off", "on", "off")),
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
        (
            "engine.kind",
            [r#""camunda8""#, "CAMUNDA8", "camunda8"],
            texts("camunda8", "camunda8", "camunda8"),
        ),
        (
            "engine.url",
            [r#""http://a""#, "http://b", "http://c"],
            texts("http://a", "http://b", "http://c"),
        ),
        (
            "engine.auth-strategy",
            [r#""BASIC""#, "OAUTH", "none"],
            texts("BASIC", "OAUTH", "NONE"),
        ),
        ("engine.username", [r#""a""#, "b", "c"], texts("a", "b", "c")),
        ("engine.password", [r#""a""#, "b", "c"], texts("***", "***", "***")),
        ("engine.client-id", [r#""a""#, "b", "c"], texts("a", "b", "c")),
        ("engine.client-secret", [r#""a""#, "b", "c"], texts("***", "***", "***")),
        (
            "engine.oauth-url",
            [r#""http://a""#, "http://b", "http://c"],
            texts("http://a", "http://b", "http://c"),
        ),
        ("engine.oauth-scope", [r#""a""#, "b", "c"], texts("a", "b", "c")),
        (
            "engine.token-audience",
            [r#""a""#, "b", "none"],
            texts("a", "b", "none"),
        ),
        (
            "engine.tenant-ids",
            [r#"["a"]"#, "b,c", "d"],
            [json!(["a"]), json!(["b", "c"]), json!(["d"])],
        ),
        ("engine.ca-file", [r#""/a""#, "/b", "/c"], texts("/a", "/b", "/c")),
        (
            "engine.client-certificate",
            [r#""/a""#, "/b", "/c"],
            texts("/a", "/b", "/c"),
        ),
        ("engine.client-key", [r#""/a""#, "/b", "/c"], texts("/a", "/b", "/c")),
        (
            "worker.job-types",
            [r#"["a:1"]"#, "b:1,c:1", "d:1"],
            [json!(["a:1"]), json!(["b:1", "c:1"]), json!(["d:1"])],
        ),
        ("worker.name", [r#""a""#, "b", "c"], texts("a", "b", "c")),
        ("worker.max-jobs", ["3", "2", "1"], [json!(3), json!(2), json!(1)]),
        (
            "worker.max-jobs-per-instance",
            ["3", "2", "1"],
            [json!(3), json!(2), json!(1)],
        ),
        (
            "worker.job-timeout",
            [r#""7min""#, "400", "500s"],
            [json!(420), json!(400), json!(500)],
        ),
        (
            "worker.request-timeout",
            ["5", "6s", "7000ms"],
            [json!(5), json!(6), json!(7)],
        ),
        (
            "worker.lease",
            ["true", "off", "on"],
            [json!(true), json!(false), json!(true)],
        ),
        (
            "worker.shutdown-timeout",
            ["5", "6s", "7000ms"],
            [json!(5), json!(6), json!(7)],
        ),
        (
            "worker.management-address",
            [r#""127.0.0.1:0""#, "none", "0.0.0.0:9600"],
            texts("127.0.0.1:0", "none", "0.0.0.0:9600"),
        ),
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
fn the_order_of_precedence_holds_for_each_setting() {
    let workspace = Workspace::new();
    let defaults = shown(bare(&workspace, &["config", "show"]))["settings"].clone();
    let known: Vec<_> = defaults.as_object().unwrap().keys().cloned().collect();
    let mut sampled: Vec<_> = samples().iter().map(|(name, ..)| (*name).to_owned()).collect();
    sampled.sort();
    assert_eq!(sampled, known, "every setting has a sample");

    let mut run = bare(&workspace, &["config", "show", "--config", "all.toml"]);
    let mut file = String::new();
    for (name, given, _) in samples() {
        let (section, key) = name.split_once('.').unwrap();
        file.push_str(&format!("{section}.{key} = {}\n", given[0]));
        run = run.env(defaults[name]["variable"].as_str().unwrap(), "");
    }
    workspace.file("all.toml", &file);
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
            bare(&workspace, &["config", "show", "--config", "all.toml"]),
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
