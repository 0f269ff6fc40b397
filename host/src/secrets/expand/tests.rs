use super::super::provider::{Providing, SecretError};
use super::*;

/// Secrets that a test names.
#[derive(Debug)]
struct Held(&'static [(&'static str, &'static str)]);

impl SecretProvider for Held {
    fn get<'a>(&'a self, name: &'a str) -> Providing<'a> {
        let value = self.0.iter().find(|(known, _)| *known == name);
        Box::pin(std::future::ready(Ok(value.map(|(_, value)| Secret::new(value)))))
    }

    fn place(&self, name: &str) -> String {
        format!("the test's {name}")
    }
}

/// One that cannot be asked.
#[derive(Debug)]
struct Broken;

impl SecretProvider for Broken {
    fn get<'a>(&'a self, name: &'a str) -> Providing<'a> {
        let place = self.place(name);
        Box::pin(std::future::ready(Err(SecretError {
            place,
            why: "it is locked".to_owned(),
            passes: true,
        })))
    }

    fn place(&self, name: &str) -> String {
        format!("the vault's {name}")
    }
}

const HELD: Held = Held(&[
    ("PWD", "p\"a\\s\n{{secrets.OTHER}} secrets.OTHER"),
    ("OTHER", "never to be seen"),
    ("ID", "acme"),
    ("PIN", "123"),
    ("EMPTY", ""),
]);

async fn expanded(input: &str) -> Result<String, String> {
    let secrets = Secrets::none().with(HELD);
    let expanded = secrets.expand(input).await.map_err(|error| error.to_string())?;
    Ok(expanded.json().to_owned())
}

const PWD_AS_JSON: &str = r#"p\"a\\s\n{{secrets.OTHER}} secrets.OTHER"#;

#[tokio::test]
async fn a_value_is_put_in_once_and_as_json() {
    for (input, output) in [
        (
            r#"{"snInstance":"{{secrets.ID}}"}"#,
            r#"{"snInstance":"acme"}"#.to_owned(),
        ),
        (r#"{"snInstance":"secrets.ID"}"#, r#"{"snInstance":"acme"}"#.to_owned()),
        (
            r#"{"authentication":{"password":"{{ secrets.PWD }}"}}"#,
            format!(r#"{{"authentication":{{"password":"{PWD_AS_JSON}"}}}}"#),
        ),
        (
            r#"{"headers":{"a":["x","Bearer {{secrets.ID}}"]},"queryParameters":{"q":"secrets.ID&secrets.ID"}}"#,
            r#"{"headers":{"a":["x","Bearer acme"]},"queryParameters":{"q":"acme&acme"}}"#.to_owned(),
        ),
        (
            r#"{"snInstance":"\u007b\u007bsecrets.ID}}"}"#,
            r#"{"snInstance":"acme"}"#.to_owned(),
        ),
        // Every other byte stays.
        (
            " {\"body\" : {\"z\":1.0, \"a\":1e400,\"z\":\"\\u00e9\\/\", \"s\":\"secrets.ID\"} }\n",
            " {\"body\" : {\"z\":1.0, \"a\":1e400,\"z\":\"\\u00e9\\/\", \"s\":\"acme\"} }\n".to_owned(),
        ),
        // Names are not values, and other variables are none of the connector's.
        (
            r#"{"headers":{"{{secrets.ID}}":"x"},"note":"secrets.MISSING","deep":{"body":"secrets.MISSING"}}"#,
            r#"{"headers":{"{{secrets.ID}}":"x"},"note":"secrets.MISSING","deep":{"body":"secrets.MISSING"}}"#
                .to_owned(),
        ),
        (
            r#"not JSON {{secrets.MISSING}}"#,
            "not JSON {{secrets.MISSING}}".to_owned(),
        ),
        (r#"["secrets.MISSING"]"#, r#"["secrets.MISSING"]"#.to_owned()),
    ] {
        assert_eq!(expanded(input).await.unwrap(), output, "{input}");
    }
}

#[tokio::test]
async fn a_body_of_json_within_a_text_cannot_be_broken_out_of() {
    let input = serde_json::json!({ "body": r#"{"password":"{{secrets.PWD}}","n":1.0}"# }).to_string();
    let output: serde_json::Value = serde_json::from_str(&expanded(&input).await.unwrap()).unwrap();
    assert_eq!(output["body"], format!(r#"{{"password":"{PWD_AS_JSON}","n":1.0}}"#));
    // As plain text it is put in as it is.
    let input = serde_json::json!({ "body": "user=secrets.ID&x={{secrets.PWD}}" }).to_string();
    let output: serde_json::Value = serde_json::from_str(&expanded(&input).await.unwrap()).unwrap();
    assert_eq!(output["body"], "user=acme&x=p\"a\\s\n{{secrets.OTHER}} secrets.OTHER");
}

#[tokio::test]
async fn an_unavailable_secret_is_reported_by_name() {
    for (input, expected) in [
        (
            r#"{"authentication":{"password":"{{secrets.NONE}}"}}"#,
            "Secret with name 'NONE' is not available (in `authentication.password`): looked in a secret provider.",
        ),
        (
            r#"{"body":"{\"a\":[\"secrets.NONE\"]}"}"#,
            "Secret with name 'NONE' is not available (in `body`): looked in a secret provider. `secrets.NONE` is a reference even without braces: if it is plain text, set `secrets.bare-references` to off.",
        ),
        (
            r#"{"snInstance":"secrets.EMPTY"}"#,
            "Secret with name 'EMPTY' is empty (in `snInstance`): give it a value in a secret provider.",
        ),
        (
            r#"{"snInstance":"{{secrets.}}"}"#,
            "`snInstance` contains a malformed reference to a secret: write it as {{secrets.NAME}}.",
        ),
    ] {
        assert_eq!(expanded(input).await.unwrap_err(), expected);
    }
    let none = Secrets::none()
        .expand(r#"{"snInstance":"secrets.ID"}"#)
        .await
        .unwrap_err();
    assert_eq!(
        none.to_string(),
        "Secret with name 'ID' is not available (in `snInstance`): this host has no secret provider. `secrets.ID` is a reference even without braces: if it is plain text, set `secrets.bare-references` to off."
    );
}

#[tokio::test]
async fn the_first_provider_that_has_it_gives_it() {
    let other = Held(&[("ID", "other"), ("MORE", "more")]);
    let secrets = Secrets::none().with(HELD).with(other);
    let uses = secrets
        .uses(r#"{"snInstance":"secrets.ID","headers":{"a":"secrets.PIN secrets.MORE secrets.NONE"}}"#)
        .await
        .unwrap();
    let found: Vec<_> = uses
        .iter()
        .map(|it| (it.name.as_str(), it.field.as_str(), it.found.is_ok(), it.short))
        .collect();
    assert_eq!(
        found,
        [
            ("ID", "snInstance", true, false),
            ("PIN", "headers.a", true, true),
            ("MORE", "headers.a", true, false),
            ("NONE", "headers.a", false, false),
        ]
    );
    let expanded = secrets
        .expand(r#"{"snInstance":"secrets.ID secrets.PIN secrets.MORE"}"#)
        .await
        .unwrap();
    assert_eq!(expanded.json(), r#"{"snInstance":"acme 123 more"}"#);
    assert_eq!(expanded.short(), ["PIN"]);
    assert_eq!(expanded.mask().text("acme 123 more".to_owned()), "*** 123 ***");
    assert_eq!(
        format!("{expanded:?} {secrets:?}").matches("acme").count(),
        1,
        "the test's own table alone"
    );
}

#[tokio::test]
async fn a_provider_that_cannot_be_asked_is_no_missing_secret() {
    let secrets = Secrets::none().with(Broken).with(HELD);
    let error = secrets.expand(r#"{"snInstance":"secrets.ID"}"#).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "Secret with name 'ID' cannot be looked up (in `snInstance`): a secret provider cannot be read: it is locked."
    );
    assert!(matches!(error, ExpandError::Provider { .. }));
}

/// One level is looked into, and no more: what stands deeper is text there, for who names references and for who replaces them.
#[tokio::test]
async fn json_within_json_within_a_body_is_text() {
    let deepest = r#"{"x":"{{secrets\u002eID}}"}"#;
    let body =
        serde_json::json!({ "body": deepest, "id": "{{secrets.ID}}", "k": "{\"k\":\"{{secrets.PWD}}\"}" }).to_string();
    let input = serde_json::json!({ "body": body }).to_string();
    let output: serde_json::Value = serde_json::from_str(&expanded(&input).await.unwrap()).unwrap();
    let output: serde_json::Value = serde_json::from_str(output["body"].as_str().unwrap()).unwrap();
    assert_eq!(output["body"], deepest);
    assert_eq!(output["id"], "acme");
    assert_eq!(output["k"], "{\"k\":\"p\"a\\s\n{{secrets.OTHER}} secrets.OTHER\"}");
}

#[tokio::test]
async fn unbounded_expansion_is_refused_in_advance() {
    let many = serde_json::json!({ "body": "{{secrets.ID}}".repeat(10) }).to_string();
    let secrets = Secrets::none().with(HELD);
    let error = secrets.expand_within(&many, many.len() + 39).await.unwrap_err();
    assert_eq!(
        error,
        ExpandError::TooLarge {
            size: many.len() + 40,
            most: many.len() + 39
        }
    );
    assert!(secrets.expand_within(&many, many.len() + 40).await.is_ok());

    let names: String = (0..101).map(|number| format!("secrets.N{number} ")).collect();
    for body in [names, format!("{{{{secrets.{}}}}}", "A".repeat(256))] {
        let error = expanded(&serde_json::json!({ "body": body }).to_string())
            .await
            .unwrap_err();
        assert!(error.starts_with("`body` refers to more than 100 secrets"), "{error}");
    }
    let half = r#"{"body":"\ud800 {{secrets.ID}}"}"#;
    assert!(expanded(half).await.unwrap_err().contains("malformed reference"));
}

/// Each of these once took minutes: a name as large as the input was copied for every reference, and places were compared one by one.
#[tokio::test]
async fn many_references_in_large_names_are_counted_once() {
    let references = "{{secrets.ID}}".repeat(100_000);
    let name = "k".repeat(1_000_000);
    let in_a_large_name = format!(r#"{{"body":{{"{name}":"{references}"}}}}"#);
    let members: Vec<_> = (0..50_000).map(|at| format!(r#""m{at}":"secrets.ID""#)).collect();
    let in_many_members = format!(r#"{{"authentication":{{{},"token":"secrets.ID"}}}}"#, members.join(","));
    let secrets = Secrets::none().with(HELD);
    let expanded = secrets.expand(&in_a_large_name).await.unwrap();
    assert_eq!(expanded.secret_in("body"), Some("ID"));
    let expanded = secrets.expand(&in_many_members).await.unwrap();
    assert_eq!(expanded.secret_in("authentication.token"), Some("ID"));
    assert_eq!(
        expanded.fields.len(),
        2,
        "the field as a whole, and the member that a refusal can name"
    );
}

#[tokio::test]
async fn without_bare_references_a_text_stays_as_it_stands() {
    let secrets = Secrets::none().with(HELD).bare_references(false);
    let input = r#"{"snInstance":"{{secrets.ID}}","body":{"see":"https://x.example/secrets.html","a":"secrets.ID"}}"#;
    let expanded = secrets.expand(input).await.unwrap();
    assert_eq!(expanded.json(), input.replace("{{secrets.ID}}", "acme"));
    let uses = secrets.uses(input).await.unwrap();
    assert_eq!(uses.len(), 1);
    // With braces somewhere, it is no text.
    let both = r#"{"snInstance":"secrets.NONE","headers":{"a":"{{secrets.NONE}}"}}"#;
    let message = Secrets::none().expand(both).await.unwrap_err().to_string();
    assert!(!message.contains("ordinary text"), "{message}");
}
