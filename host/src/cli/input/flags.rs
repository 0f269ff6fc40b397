//! The input's fields as flags, named as in the connector's documentation.

use std::path::Path;

use anyhow::Result;
use serde::de::IgnoredAny;

use super::members::{Members, quoted};
use crate::exit::{bad, unreadable};

/// What a flow's trigger may be called with, and what it is not called without.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "The input's fields, in place of the file's")]
pub(crate) struct Flags {
    /// The instance's name alone: acme for https://acme.service-now.com
    #[arg(long, value_name = "NAME")]
    instance_name: Option<String>,
    /// The trigger's path, sent as it stands: /api/sn_cico/flow_starter/my_flow
    #[arg(long, value_name = "PATH")]
    rest_api_trigger_path: Option<String>,
    /// GET, POST, PUT, PATCH or DELETE; each of them starts the flow [POST, where there is no file]
    #[arg(long, value_name = "METHOD")]
    method: Option<String>,
    /// The trigger's headers as a JSON object
    #[arg(long, value_name = "JSON")]
    headers: Option<String>,
    /// One more header, 'Name: value'; may be given more than once
    #[arg(long, value_name = "NAME: VALUE")]
    header: Vec<String>,
    /// The trigger's query parameters as a JSON object
    #[arg(long, value_name = "JSON")]
    query_parameters: Option<String>,
    /// One more query parameter, name=value; may be given more than once
    #[arg(long, value_name = "NAME=VALUE")]
    query: Vec<String>,
    /// The request's body: JSON, or @FILE for what is in a file
    #[arg(long, value_name = "BODY")]
    request_body: Option<String>,
    /// basic, bearer, apiKey, oauth-client-credentials-flow or noAuth [as the other flags say]
    #[arg(long, value_name = "TYPE")]
    authentication_type: Option<String>,
    /// Basic: the user
    #[arg(long, value_name = "USER")]
    username: Option<String>,
    /// Basic: the password. Others can read a command line: write '{{secrets.NAME}}', here and below
    #[arg(long, value_name = "PASSWORD")]
    password: Option<String>,
    /// Bearer: the token
    #[arg(long, value_name = "TOKEN")]
    token: Option<String>,
    /// API key: its header's or parameter's name [x-sn-apikey]
    #[arg(long, value_name = "NAME")]
    api_key_name: Option<String>,
    /// API key: the key
    #[arg(long, value_name = "KEY")]
    api_key_value: Option<String>,
    /// API key: headers or query [headers]
    #[arg(long, value_name = "LOCATION")]
    api_key_location: Option<String>,
    /// OAuth: the client's id
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// OAuth: the client's secret
    #[arg(long, value_name = "SECRET")]
    client_secret: Option<String>,
    /// OAuth: where tokens are given [/oauth_token.do of the instance]
    #[arg(long, value_name = "URL")]
    oauth_token_endpoint: Option<String>,
    /// OAuth: scopes, separated by spaces
    #[arg(long, value_name = "SCOPES")]
    scopes: Option<String>,
    /// OAuth: the audience, where the token's server asks for one
    #[arg(long, value_name = "AUDIENCE")]
    audience: Option<String>,
    /// OAuth: credentialsBody or basicAuthHeader [credentialsBody]
    #[arg(long, value_name = "HOW")]
    client_authentication: Option<String>,
    /// What follows the instance's name: servicenowservices.com [service-now.com]
    #[arg(long, value_name = "DOMAIN")]
    domain: Option<String>,
    /// A whole origin in place of instance and domain: https://flows.example.com
    #[arg(long, value_name = "ORIGIN")]
    endpoint: Option<String>,
    /// Seconds; 0: no limit [20]
    #[arg(long, value_name = "SECONDS")]
    connection_timeout: Option<String>,
    /// Seconds; 0: no limit [20]
    #[arg(long, value_name = "SECONDS")]
    read_timeout: Option<String>,
    /// The longest answer to read, in bytes [1048576]
    #[arg(long, value_name = "BYTES")]
    max_response_bytes: Option<String>,
}

type Field<'a> = (&'static str, &'a Option<String>);

impl Flags {
    /// Whether none was given.
    pub(super) fn are_none(&self) -> bool {
        let texts = self
            .fields()
            .into_iter()
            .chain(self.ways().into_iter().flat_map(|(_, fields)| fields));
        let others = [
            &self.headers,
            &self.query_parameters,
            &self.request_body,
            &self.authentication_type,
        ];
        texts.map(|(_, value)| value).chain(others).all(Option::is_none)
            && self.header.is_empty()
            && self.query.is_empty()
    }

    /// The text fields that are members of the input themselves.
    fn fields(&self) -> [Field<'_>; 8] {
        [
            ("snInstance", &self.instance_name),
            ("snDomain", &self.domain),
            ("snEndpoint", &self.endpoint),
            ("restApiTriggerPath", &self.rest_api_trigger_path),
            ("method", &self.method),
            ("connectionTimeoutInSeconds", &self.connection_timeout),
            ("readTimeoutInSeconds", &self.read_timeout),
            ("maxResponseBytes", &self.max_response_bytes),
        ]
    }

    /// The ways to authenticate, and the members of `authentication` that belong to each.
    fn ways(&self) -> [(&'static str, Vec<Field<'_>>); 4] {
        [
            (
                "basic",
                vec![("username", &self.username), ("password", &self.password)],
            ),
            ("bearer", vec![("token", &self.token)]),
            (
                "apiKey",
                vec![
                    ("apiKeyLocation", &self.api_key_location),
                    ("name", &self.api_key_name),
                    ("value", &self.api_key_value),
                ],
            ),
            (
                "oauth-client-credentials-flow",
                vec![
                    ("clientId", &self.client_id),
                    ("clientSecret", &self.client_secret),
                    ("oauthTokenEndpoint", &self.oauth_token_endpoint),
                    ("scopes", &self.scopes),
                    ("audience", &self.audience),
                    ("clientAuthentication", &self.client_authentication),
                ],
            ),
        ]
    }

    /// These fields in place of the input's own. `alone`: there is no other input.
    pub(super) fn over(&self, mut input: Members, alone: bool) -> Result<Members> {
        for (name, value) in self.fields() {
            if let Some(value) = value {
                input.set(name, quoted(value));
            }
        }
        if alone && self.method.is_none() {
            input.set("method", quoted("POST"));
        }
        if let Some(body) = &self.request_body {
            input.set("body", quoted(&self::body(body)?));
        }
        pairs(
            &mut input,
            "headers",
            "--headers",
            self.headers.as_deref(),
            &self.header,
            header,
        )?;
        pairs(
            &mut input,
            "queryParameters",
            "--query-parameters",
            self.query_parameters.as_deref(),
            &self.query,
            query,
        )?;
        self.authentication(&mut input)?;
        Ok(input)
    }

    fn authentication(&self, input: &mut Members) -> Result<()> {
        let given: Vec<_> = self
            .ways()
            .into_iter()
            .filter(|(_, fields)| fields.iter().any(|(_, value)| value.is_some()))
            .collect();
        let kind = match (&self.authentication_type, given.as_slice()) {
            (Some(kind), _) => kind.as_str(),
            (None, []) => return Ok(()),
            (None, [(kind, _)]) => kind,
            (None, [(one, _), (other, _), ..]) => {
                return Err(bad(format!(
                    "the flags are of two ways to authenticate, {one} and {other}: leave one out, or say --authentication-type"
                )));
            }
        };
        // What the input says of the same way stays, where a flag does not say otherwise.
        let own = input.get("authentication").and_then(Members::of).unwrap_or_default();
        let same = own.get("type") == Some(quoted(kind).as_str());
        let mut authentication = if same { own } else { Members::default() };
        authentication.set("type", quoted(kind));
        for (name, value) in given.into_iter().flat_map(|(_, fields)| fields) {
            if let Some(value) = value {
                authentication.set(name, quoted(value));
            }
        }
        if kind == "apiKey" && authentication.get("name").is_none() {
            authentication.set("name", quoted("x-sn-apikey"));
        }
        input.set("authentication", authentication.to_json());
        Ok(())
    }
}

/// `@FILE`, or the text itself. It is sent as it is.
fn body(given: &str) -> Result<String> {
    match given.strip_prefix('@') {
        None => Ok(given.to_owned()),
        Some(file) => std::fs::read_to_string(file).map_err(|error| unreadable("the body", Path::new(file), &error)),
    }
}

/// A whole object in place of the input's, then one name and value after the other.
fn pairs(
    input: &mut Members,
    field: &str,
    flag: &str,
    whole: Option<&str>,
    single: &[String],
    read: fn(&str) -> Result<(&str, &str)>,
) -> Result<()> {
    if let Some(whole) = whole {
        object(flag, whole)?;
        input.set(field, whole.trim().to_owned());
    }
    if single.is_empty() {
        return Ok(());
    }
    let mut pairs = match input.get(field) {
        None | Some("null" | "\"\"") => Members::default(),
        Some(own) => Members::of(own).ok_or_else(|| bad(format!("the input's `{field}` must be a JSON object")))?,
    };
    let given = single.iter().map(|text| read(text)).collect::<Result<Vec<_>>>()?;
    for (at, (name, _)) in given.iter().enumerate() {
        let same = |other: &&(&str, &str)| match field {
            "headers" => other.0.eq_ignore_ascii_case(name),
            _ => other.0 == *name,
        };
        // The first of its name stands for all of them.
        if given.iter().take(at).any(|other| same(&other)) {
            continue;
        }
        let values: Vec<_> = given.iter().filter(same).map(|(_, value)| quoted(value)).collect();
        if field == "headers" {
            pairs.remove_ignoring_case(name);
        }
        pairs.set(
            name,
            match values.as_slice() {
                [value] => value.clone(),
                values => format!("[{}]", values.join(",")),
            },
        );
    }
    input.set(field, pairs.to_json());
    Ok(())
}

fn object(flag: &str, text: &str) -> Result<()> {
    if let Err(error) = serde_json::from_str::<IgnoredAny>(text) {
        return Err(bad(format!(
            "{flag} is not JSON (line {}, column {}): write an object, as in '{{\"hello\": \"world\"}}'",
            error.line(),
            error.column()
        )));
    }
    match Members::of(text) {
        Some(_) => Ok(()),
        None => Err(bad(format!(
            "{flag} must be a JSON object, as in '{{\"hello\": \"world\"}}'"
        ))),
    }
}

/// Neither quotes what it was given, which may be a credential.
fn header(text: &str) -> Result<(&str, &str)> {
    let (name, value) = text
        .split_once(':')
        .ok_or_else(|| bad("a --header has a colon between its name and its value: 'hello: world'"))?;
    Ok((name.trim(), value.trim()))
}

fn query(text: &str) -> Result<(&str, &str)> {
    text.split_once('=')
        .ok_or_else(|| bad("a --query has an equals sign between its name and its value: hello=world"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn over(flags: &Flags, input: &str) -> Value {
        let input = flags.over(Members::of(input).unwrap(), input == "{}").unwrap();
        serde_json::from_str(&input.to_json()).unwrap()
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn flags_alone_make_an_input() {
        let flags = Flags {
            instance_name: some("acme"),
            rest_api_trigger_path: some("/api/x/y"),
            header: vec!["Hello: a".to_owned(), "hello:b".to_owned(), "x: :".to_owned()],
            query: vec!["q=1=2".to_owned()],
            request_body: some("{\"n\": 1.0}"),
            api_key_value: some("{{secrets.KEY}}"),
            read_timeout: some("5"),
            ..Flags::default()
        };
        assert_eq!(
            over(&flags, "{}"),
            json!({
                "snInstance": "acme",
                "restApiTriggerPath": "/api/x/y",
                "method": "POST",
                "headers": {"Hello": ["a", "b"], "x": ":"},
                "queryParameters": {"q": "1=2"},
                "body": "{\"n\": 1.0}",
                "authentication": {"type": "apiKey", "name": "x-sn-apikey", "value": "{{secrets.KEY}}"},
                "readTimeoutInSeconds": "5",
            })
        );
    }

    #[test]
    fn a_flag_stands_in_place_of_the_files_member_and_leaves_the_others() {
        let file = r#"{"snInstance":"acme","method":"PUT","headers":{"Hello":"old","kept":1},
            "authentication":{"type":"basic","username":"u","password":"p"}}"#;
        let flags = Flags {
            header: vec!["hello: new".to_owned()],
            password: some("q"),
            ..Flags::default()
        };
        assert_eq!(
            over(&flags, file),
            json!({
                "snInstance": "acme",
                "method": "PUT",
                "headers": {"hello": "new", "kept": 1},
                "authentication": {"type": "basic", "username": "u", "password": "q"},
            })
        );
        let token = Flags {
            token: some("t"),
            ..Flags::default()
        };
        assert_eq!(
            over(&token, file)["authentication"],
            json!({"type": "bearer", "token": "t"})
        );
    }

    #[test]
    fn two_ways_to_authenticate_are_refused() {
        let flags = Flags {
            token: some("t"),
            username: some("u"),
            ..Flags::default()
        };
        let told = flags.over(Members::default(), true).unwrap_err().to_string();
        assert!(told.contains("basic and bearer"), "{told}");
    }

    #[test]
    fn what_is_wrong_with_a_flag_does_not_quote_it() {
        let wrong = |flags: Flags| flags.over(Members::default(), true).unwrap_err().to_string();
        let told = [
            wrong(Flags {
                header: vec!["pass-word".to_owned()],
                ..Flags::default()
            }),
            wrong(Flags {
                query: vec!["pass-word".to_owned()],
                ..Flags::default()
            }),
            wrong(Flags {
                headers: some("{\"authorization\": \"pass-word}"),
                ..Flags::default()
            }),
            wrong(Flags {
                headers: some("[\"pass-word\"]"),
                ..Flags::default()
            }),
        ];
        assert!(
            told.iter()
                .all(|told| !told.contains("pass-word") && told.contains("hello")),
            "{told:?}"
        );
    }
}
