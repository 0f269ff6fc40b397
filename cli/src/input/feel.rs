//! Rejects FEEL expressions. Camunda evaluates the form's expressions before a job gets them; nobody evaluates those in a file.

use anyhow::Result;
use flow_starter_input::json::{self, Json};

use super::members::Members;
use crate::exit::bad;

/// Fields whose values never start with `=`, with an example value.
const PLAIN: [(&str, &str); 11] = [
    ("snTarget", "\"instance\""),
    ("snInstance", "\"acme\""),
    ("snDomain", "\"service-now.com\""),
    ("snEndpoint", "\"https://flows.example.com\""),
    ("restApiTriggerPath", "\"/api/sn_cico/flow_starter/my_flow\""),
    ("method", "\"POST\""),
    ("headers", "{\"hello\": \"header\"}"),
    ("queryParameters", "{\"hello\": \"query\"}"),
    ("connectionTimeoutInSeconds", "20"),
    ("readTimeoutInSeconds", "20"),
    ("maxResponseBytes", "1048576"),
];

/// The same for the members of `authentication`. The credentials may contain anything, so only an unmistakable expression counts there.
const PLAIN_AUTHENTICATION: [(&str, &str); 4] = [
    ("type", "\"basic\""),
    ("apiKeyLocation", "\"headers\""),
    ("oauthTokenEndpoint", "\"https://acme.service-now.com/oauth_token.do\""),
    ("clientAuthentication", "\"credentialsBody\""),
];
const CREDENTIALS: [&str; 6] = ["username", "password", "token", "value", "clientId", "clientSecret"];

/// # Errors
/// The first field that contains an expression. It is not quoted.
pub(super) fn check(source: &str, input: &Members) -> Result<()> {
    let refuse = |field: &str, example: &str| {
        Err(bad(format!(
            "{source}: \"{field}\" begins with `=` like a FEEL expression. Camunda evaluates those; here, write the value itself, for example {example}"
        )))
    };
    for (field, example) in PLAIN {
        if text(input, field).is_some_and(|text| begins(&text)) {
            return refuse(field, example);
        }
    }
    // Text other than JSON may start with `=`, if a header declares it.
    let body = text(input, "body").is_some_and(|text| begins(&text));
    if body && !has_content_type(input) {
        return refuse("body", "{\"correlationValue\": \"cam-id-1\"}");
    }
    if text(input, "authentication").is_some_and(|text| begins(&text)) {
        return refuse(
            "authentication",
            "{\"type\": \"basic\", \"username\": …, \"password\": …}",
        );
    }
    let own = input.get("authentication").and_then(Members::of).unwrap_or_default();
    for (field, example) in PLAIN_AUTHENTICATION {
        if text(&own, field).is_some_and(|text| begins(&text)) {
            return refuse(&format!("authentication.{field}"), example);
        }
    }
    for field in CREDENTIALS {
        if text(&own, field).is_some_and(|text| is_expression(&text)) {
            return refuse(&format!("authentication.{field}"), "\"{{secrets.NAME}}\"");
        }
    }
    Ok(())
}

fn begins(text: &str) -> bool {
    text.trim_start().starts_with('=')
}

/// `="camunda"`, `={{secrets.snPwd}}`, `= secrets.snPwd`: no credential looks like that.
fn is_expression(text: &str) -> bool {
    let Some(expression) = text.strip_prefix('=').map(str::trim) else {
        return false;
    };
    let quoted = expression.strip_prefix('"').is_some_and(|rest| rest.ends_with('"'));
    quoted || expression.starts_with("{{") || expression.starts_with("secrets.")
}

fn text(members: &Members, name: &str) -> Option<String> {
    match Json::of(json::parse(members.get(name)?).ok()?)? {
        Json::Text(text) => Some(text.into_owned()),
        _ => None,
    }
}

fn has_content_type(input: &Members) -> bool {
    let headers = input.get("headers").and_then(Members::of).unwrap_or_default();
    let mut names = headers.names();
    names.any(|name| name.eq_ignore_ascii_case("content-type"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(input: &str) -> Option<String> {
        let checked = check("`flow.json`", &Members::of(input).unwrap());
        checked.err().map(|error| error.to_string())
    }

    #[test]
    fn an_expression_is_refused_where_a_plain_value_belongs() {
        for (input, field) in [
            (r#"{"snInstance":"=\"acme\""}"#, "snInstance"),
            (r#"{"headers":"={\"hello\":\"header\"}"}"#, "headers"),
            (r#"{"queryParameters":" = {\"a\": 1}"}"#, "queryParameters"),
            (r#"{"readTimeoutInSeconds":"=20"}"#, "readTimeoutInSeconds"),
            (r#"{"body":"={\"correlationValue\": camId}"}"#, "body"),
            (r#"{"authentication":"=auth"}"#, "authentication"),
            (r#"{"authentication":{"type":"=\"basic\""}}"#, "authentication.type"),
            (
                r#"{"authentication":{"username":"=\"camunda\""}}"#,
                "authentication.username",
            ),
            (
                r#"{"authentication":{"password":"={{secrets.PWD}}"}}"#,
                "authentication.password",
            ),
            (
                r#"{"authentication":{"token":"=secrets.TOKEN"}}"#,
                "authentication.token",
            ),
        ] {
            let message = refusal(input).unwrap();
            let begin = format!("`flow.json`: \"{field}\" begins with `=` like a FEEL expression. ");
            assert!(message.starts_with(&begin), "{input}: {message}");
            assert!(
                !["camunda\"", "camId", "PWD", "TOKEN"]
                    .iter()
                    .any(|value| message.contains(value)),
                "{message}"
            );
        }
    }

    #[test]
    fn a_value_that_may_begin_so_is_taken() {
        for input in [
            r#"{"authentication":{"password":"=pass-word="}}"#,
            r#"{"authentication":{"password":"="}}"#,
            r#"{"headers":{"content-type":"text/plain"},"body":"=1+1"}"#,
            r#"{"headers":{"a":"=b"},"queryParameters":{"q":"=1"},"body":{"a":"=b"}}"#,
            r#"{"other":"=x","snInstance":null}"#,
        ] {
            assert_eq!(refusal(input), None, "{input}");
        }
    }
}
