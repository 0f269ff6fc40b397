//! Merges flags into an input.

use std::path::Path;

use anyhow::Result;
use flow_starter_input::json::quote as quoted;
use serde::de::IgnoredAny;

use super::flags::Flags;
use super::members::Members;
use super::syntax;
use crate::exit::{bad, unreadable};

impl Flags {
    /// Replaces the input's fields with the given flags. `alone`: there is no other input.
    pub(super) fn merge_into(&self, mut input: Members, alone: bool) -> Result<Members> {
        for (name, value) in self.fields() {
            if let Some(value) = value {
                input.set(name, quoted(value));
            }
        }
        if let Some(method) = &self.method {
            input.set("method", quoted(&self::method(method)));
        }
        self.target(&mut input);
        if alone && self.method.is_none() {
            input.set("method", quoted("POST"));
        }
        if let Some(body) = &self.request_body {
            // The component would ignore it, as the template's form does.
            if let Some("\"GET\"" | "\"DELETE\"") = input.get("method") {
                return Err(bad(
                    "GET and DELETE have no body: omit --request-body, or choose another --method",
                ));
            }
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

    /// A domain or an endpoint replaces the file's destination.
    fn target(&self, input: &mut Members) {
        let (target, other) = match (&self.domain, &self.endpoint) {
            (Some(_), None) => ("domain", "snEndpoint"),
            (None, Some(_)) => ("url", "snDomain"),
            // The component refuses both together.
            _ => return,
        };
        input.remove(other);
        if input.get("snTarget").is_some_and(|target| target != "null") {
            input.set("snTarget", quoted(target));
        }
    }

    fn authentication(&self, input: &mut Members) -> Result<()> {
        let given: Vec<_> = self
            .authentication_types()
            .into_iter()
            .filter(|(_, fields)| fields.iter().any(|(_, value)| value.is_some()))
            .collect();
        let kind = match (&self.authentication_type, given.as_slice()) {
            (Some(kind), _) => kind.as_str(),
            (None, []) => return Ok(()),
            (None, [(kind, _)]) => kind,
            (None, [(one, _), (other, _), ..]) => {
                return Err(bad(format!(
                    "the flags belong to two authentication types, {one} and {other}: omit one, or set --authentication-type"
                )));
            }
        };
        // The input's members of the same type stay, unless a flag replaces them.
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

/// Accepts `post` for `POST`, as curl users type it. An invalid method stays, and the component refuses it.
fn method(given: &str) -> String {
    let known = ["GET", "POST", "PUT", "PATCH", "DELETE"];
    let meant = known.iter().find(|known| known.eq_ignore_ascii_case(given));
    meant.map_or(given, |known| *known).to_owned()
}

/// `@FILE`, or the text itself. It is sent unchanged.
fn body(given: &str) -> Result<String> {
    match given.strip_prefix('@') {
        None => Ok(given.to_owned()),
        Some(file) => std::fs::File::open(file)
            .and_then(super::whole)
            .map_err(|error| unreadable("the body", Path::new(file), &error)),
    }
}

/// Replaces the whole object, then adds single names and values.
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
        // Handled with the first of its name.
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
            "{flag} is not JSON{}; write an object, as in '{{\"hello\": \"world\"}}'",
            syntax::described(text, &error)
        )));
    }
    match Members::of(text) {
        Some(_) => Ok(()),
        None => Err(bad(format!(
            "{flag} must be a JSON object, as in '{{\"hello\": \"world\"}}'"
        ))),
    }
}

/// Neither quotes the value, which may be a credential.
fn header(text: &str) -> Result<(&str, &str)> {
    let (name, value) = text
        .split_once(':')
        .ok_or_else(|| bad("--header needs a colon between name and value: 'hello: world'"))?;
    Ok((name.trim(), value.trim()))
}

fn query(text: &str) -> Result<(&str, &str)> {
    text.split_once('=')
        .ok_or_else(|| bad("--query needs an equals sign between name and value: hello=world"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn over(flags: &Flags, input: &str) -> Value {
        let input = flags.merge_into(Members::of(input).unwrap(), input == "{}").unwrap();
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
    fn a_flag_replaces_the_files_field_and_keeps_the_others() {
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
    fn a_method_is_taken_in_lower_case() {
        for (given, method) in [("post", "POST"), ("Delete", "DELETE"), ("send", "send")] {
            let flags = Flags {
                method: some(given),
                ..Flags::default()
            };
            assert_eq!(over(&flags, r#"{"method":"PUT"}"#)["method"], method);
        }
    }

    #[test]
    fn a_flag_says_where_the_call_goes_whatever_the_file_says() {
        let domain = Flags {
            domain: some("servicenowservices.com"),
            ..Flags::default()
        };
        let endpoint = Flags {
            endpoint: some("https://flows.example.com"),
            ..Flags::default()
        };
        let (by_domain, by_url) = (
            json!({"snTarget": "domain", "snDomain": "servicenowservices.com"}),
            json!({"snTarget": "url", "snEndpoint": "https://flows.example.com"}),
        );
        for file in [
            r#"{"snTarget":"instance"}"#,
            r#"{"snTarget":"domain","snDomain":"x.example"}"#,
            r#"{"snTarget":"url","snEndpoint":"https://x.example"}"#,
        ] {
            assert_eq!(over(&domain, file), by_domain, "{file}");
            assert_eq!(over(&endpoint, file), by_url, "{file}");
        }
        // Where the file does not print it, it need not be said.
        assert_eq!(
            over(&endpoint, r#"{"snDomain":"x.example"}"#),
            json!({"snEndpoint": "https://flows.example.com"})
        );
    }

    #[test]
    fn a_body_that_would_be_left_out_is_refused() {
        let flags = Flags {
            request_body: some("{}"),
            ..Flags::default()
        };
        let merged = flags.merge_into(Members::of(r#"{"method":"GET"}"#).unwrap(), false);
        assert!(merged.unwrap_err().to_string().contains("have no body"));
    }

    #[test]
    fn two_ways_to_authenticate_are_refused() {
        let flags = Flags {
            token: some("t"),
            username: some("u"),
            ..Flags::default()
        };
        let message = flags.merge_into(Members::default(), true).unwrap_err().to_string();
        assert!(message.contains("basic and bearer"), "{message}");
    }

    #[test]
    fn an_error_in_a_flag_does_not_quote_it() {
        let wrong = |flags: Flags| flags.merge_into(Members::default(), true).unwrap_err().to_string();
        let messages = [
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
            messages
                .iter()
                .all(|message| !message.contains("pass-word") && message.contains("hello")),
            "{messages:?}"
        );
    }
}
