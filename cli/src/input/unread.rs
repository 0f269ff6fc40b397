//! Unused members, and the fields that were probably meant.
//!
//! The component ignores unknown members, because a job has every variable of its scope. A hand-written file has typos, and an unnoticed
//! one sends a request without credentials or with an empty body. So the command line warns, but only if a name resembles a field or is a
//! synonym: every other member may be a process variable.

use flow_starter_host::input::INPUT_FIELDS;
use flow_starter_input::fields::AUTHENTICATION;
use flow_starter_input::message::cut;

use super::members::Members;
use crate::exit::bad;

/// Members of Camunda's templates and REST connector that have no meaning here.
const CAMUNDAS: [&str; 10] = [
    "url",
    "storeResponse",
    "writeTimeoutInSeconds",
    "skipEncoding",
    "ignoreNullValues",
    "groupSetCookieHeaders",
    "resultVariable",
    "resultExpression",
    "errorExpression",
    "retryBackoff",
];

/// Synonyms of fields in other tools and connectors: letters and digits only, in lower case.
const SYNONYMS: [(&str, &[&str]); 11] = [
    (
        "snInstance",
        &["instance", "instancename", "servicenowinstance", "sninstancename"],
    ),
    ("snDomain", &["domain", "domainname"]),
    ("snEndpoint", &["endpoint", "baseurl", "origin"]),
    (
        "restApiTriggerPath",
        &[
            "path",
            "triggerpath",
            "apipath",
            "flowpath",
            "restapipath",
            "restapitrigger",
        ],
    ),
    ("method", &["httpmethod", "requestmethod", "verb", "httpverb"]),
    ("headers", &["header", "httpheaders", "requestheaders"]),
    (
        "queryParameters",
        &[
            "query",
            "params",
            "parameters",
            "queryparams",
            "querystring",
            "urlparameters",
            "urlparams",
            "requestparameters",
        ],
    ),
    (
        "body",
        &[
            "requestbody",
            "httpbody",
            "payload",
            "requestpayload",
            "data",
            "postdata",
            "json",
        ],
    ),
    (
        "authentication",
        &[
            "auth",
            "credentials",
            "credential",
            "authorization",
            "basicauth",
            "basic",
            "oauth",
        ],
    ),
    (
        "connectionTimeoutInSeconds",
        &["connectiontimeout", "connecttimeout", "connecttimeoutinseconds"],
    ),
    (
        "readTimeoutInSeconds",
        &[
            "readtimeout",
            "timeout",
            "timeoutinseconds",
            "requesttimeout",
            "sockettimeout",
        ],
    ),
];

/// The same for the members of `authentication`, which other tools put at the top level.
const AUTHENTICATION_SYNONYMS: [(&str, &[&str]); 12] = [
    ("type", &["authtype", "authenticationtype"]),
    ("username", &["user", "login", "userid", "userlogin"]),
    ("password", &["pass", "passwd", "pwd", "userpassword"]),
    ("token", &["bearertoken", "accesstoken", "bearer", "jwt"]),
    ("apiKeyLocation", &["apikeyin", "keylocation"]),
    ("name", &["apikeyname", "keyname"]),
    ("value", &["apikey", "apikeyvalue", "key", "xsnapikey"]),
    (
        "oauthTokenEndpoint",
        &[
            "tokenendpoint",
            "tokenurl",
            "tokenuri",
            "oauthurl",
            "accesstokenurl",
            "oauthtokenurl",
        ],
    ),
    ("clientId", &["oauthclientid"]),
    ("clientSecret", &["oauthclientsecret"]),
    ("scopes", &["scope", "oauthscope", "oauthscopes"]),
    ("clientAuthentication", &["clientauth", "clientauthmethod"]),
];

/// Names that are fields only inside `authentication`; at the top level they are process variables.
const NOT_AT_THE_TOP: [&str; 6] = ["type", "name", "value", "key", "audience", "login"];

/// A flat `authentication.password`, as the documentation names the field, would send the request without credentials.
///
/// # Errors
/// It shows how to write the field.
pub(super) fn check_names(source: &str, members: &Members) -> anyhow::Result<()> {
    let within = |name: &str| {
        let member = name.strip_prefix("authentication.")?;
        AUTHENTICATION.iter().copied().find(|known| *known == member)
    };
    if let Some(member) = members.names().find_map(within) {
        return Err(bad(format!(
            "{source} has a field \"authentication.{member}\", which is not used: write {}",
            nested("authentication", member)
        )));
    }
    match slip(members) {
        Some((given, meant)) => Err(bad(format!(
            "{source} has `{given}` but no `{meant}`: did you mean `{meant}`? The name must match exactly"
        ))),
        None => Ok(()),
    }
}

/// A member that resembles a missing field.
fn slip(members: &Members) -> Option<(String, &'static str)> {
    let missing = |meant: &&str| members.get(meant).is_none();
    others(members).find_map(|given| Some((shown(given), nearest(given, &INPUT_FIELDS).filter(missing)?)))
}

/// One warning for each unused member.
pub(super) fn warnings(members: &Members) -> Vec<String> {
    let mut warnings: Vec<_> = others(members)
        .filter_map(|name| {
            let meant = meant(name)?;
            Some(format!("\"{}\" is not used; did you mean {meant}?", shown(name)))
        })
        .collect();
    let authentication = members.get("authentication").and_then(Members::of).unwrap_or_default();
    let own = authentication.names().filter(|name| !AUTHENTICATION.contains(name));
    warnings.extend(own.filter_map(|name| {
        let meant = nearest(name, &AUTHENTICATION).or_else(|| synonym(name, &AUTHENTICATION_SYNONYMS))?;
        let name = shown(name);
        Some(format!(
            "\"{name}\" in \"authentication\" is not used; did you mean \"{meant}\"?"
        ))
    }));
    if let (Some(method @ ("\"GET\"" | "\"DELETE\"")), Some(body)) = (members.get("method"), members.get("body"))
        && !matches!(body, "null" | "\"\"")
    {
        let method = method.trim_matches('"');
        warnings.push(format!(
            "\"body\" is not used: {method} requests have no body; to send one, use POST, PUT or PATCH"
        ));
    }
    warnings
}

fn others(members: &Members) -> impl Iterator<Item = &str> {
    let known = |name: &&str| INPUT_FIELDS.contains(name) || CAMUNDAS.contains(name);
    members.names().filter(move |name| !known(name))
}

/// The field that a top-level member was meant to be, as JSON.
fn meant(name: &str) -> Option<String> {
    if let Some((object @ ("authentication" | "headers" | "queryParameters" | "body"), member)) = name.split_once('.') {
        let member = match object {
            "authentication" => synonym(member, &AUTHENTICATION_SYNONYMS).unwrap_or(member),
            _ => member,
        };
        return Some(nested(object, &shown(member)));
    }
    if let Some(field) = nearest(name, &INPUT_FIELDS).or_else(|| synonym(name, &SYNONYMS)) {
        return Some(format!("\"{field}\""));
    }
    if NOT_AT_THE_TOP.contains(&letters(name).as_str()) {
        return None;
    }
    let exact = AUTHENTICATION.iter().find(|known| letters(known) == letters(name));
    let member = exact.copied().or_else(|| synonym(name, &AUTHENTICATION_SYNONYMS))?;
    Some(nested("authentication", member))
}

fn nested(object: &str, member: &str) -> String {
    format!("{{\"{object}\": {{\"{member}\": …}}}}")
}

/// A name for display: truncated, without control characters.
fn shown(name: &str) -> String {
    crate::terminal::printable(&cut(name, 60))
}

fn synonym(name: &str, table: &[(&'static str, &[&str])]) -> Option<&'static str> {
    let name = letters(name);
    let found = table.iter().find(|(_, synonyms)| synonyms.contains(&name.as_str()));
    found.map(|(field, _)| *field)
}

/// The known name that differs in one or two letters, or that starts with this name.
fn nearest(name: &str, known: &[&'static str]) -> Option<&'static str> {
    let given = letters(name);
    let near = |known: &&&'static str| {
        let known = letters(known);
        // In short words, one letter makes a different word: `code` is not `body`.
        let slips = (known.len() / 4).min(2);
        strsim::damerau_levenshtein(&known, &given) <= slips
            || (given.len() > 5 && known.starts_with(given.trim_end_matches('s')))
    };
    // A huge name is not a typo.
    (given.len() > 3 && given.len() < 60).then(|| known.iter().find(near).copied())?
}

/// A name's letters and digits in lower case: `request_body` and `requestBody` are the same word.
fn letters(name: &str) -> String {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|c| c.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warnings_of(input: &str) -> Vec<String> {
        warnings(&Members::of(input).unwrap())
    }

    #[test]
    fn a_field_by_another_name_is_named() {
        for (name, meant) in [
            ("requestBody", "\"body\""),
            ("request_body", "\"body\""),
            ("payload", "\"body\""),
            ("data", "\"body\""),
            ("Boddy", "\"body\""),
            ("query", "\"queryParameters\""),
            ("params", "\"queryParameters\""),
            ("httpHeaders", "\"headers\""),
            ("instanceName", "\"snInstance\""),
            ("auth", "\"authentication\""),
            ("credentials", "\"authentication\""),
            ("username", "{\"authentication\": {\"username\": …}}"),
            ("password", "{\"authentication\": {\"password\": …}}"),
            ("client_id", "{\"authentication\": {\"clientId\": …}}"),
            ("authentication.user", "{\"authentication\": {\"username\": …}}"),
            ("headers.hello", "{\"headers\": {\"hello\": …}}"),
        ] {
            let input = format!("{{\"{name}\":\"pass-word\"}}");
            assert_eq!(
                warnings_of(&input),
                [format!("\"{name}\" is not used; did you mean {meant}?")]
            );
        }
        assert_eq!(
            warnings_of(r#"{"authentication":{"type":"basic","user":"u","scope":"s","colour":1}}"#),
            [
                "\"user\" in \"authentication\" is not used; did you mean \"username\"?",
                "\"scope\" in \"authentication\" is not used; did you mean \"scopes\"?",
            ]
        );
    }

    #[test]
    fn camundas_members_and_a_processs_variables_are_silent() {
        let mut input: Vec<_> = INPUT_FIELDS.iter().chain(&CAMUNDAS).copied().collect();
        input.extend([
            "camId",
            "code",
            "orderId",
            "name",
            "type",
            "value",
            "key",
            "customer",
            "approved",
            "retryCount",
            "jobTimeout",
            "snQueryResult",
            "result",
            "response",
            "email",
            "city",
            "boy",
            "",
        ]);
        let members: Vec<_> = input.iter().map(|name| format!("\"{name}\":null")).collect();
        assert_eq!(warnings_of(&format!("{{{}}}", members.join(","))), Vec::<String>::new());
    }

    #[test]
    fn every_synonym_is_a_word_of_its_own() {
        for (at, (field, synonyms)) in SYNONYMS.iter().enumerate() {
            assert!(INPUT_FIELDS.contains(field));
            for synonym in *synonyms {
                assert_eq!(*synonym, letters(synonym));
                let others = SYNONYMS.iter().skip(at + 1).any(|(_, others)| others.contains(synonym));
                assert!(!others, "{synonym}");
                assert!(!CAMUNDAS.iter().any(|known| letters(known) == *synonym), "{synonym}");
            }
        }
        for (member, synonyms) in AUTHENTICATION_SYNONYMS {
            assert!(AUTHENTICATION.contains(&member));
            assert!(synonyms.iter().all(|synonym| *synonym == letters(synonym)));
        }
    }

    #[test]
    fn a_body_that_its_method_does_not_have_is_warned_about() {
        for (input, warned) in [
            (r#"{"method":"GET","body":{"a":1}}"#, true),
            (r#"{"method":"DELETE","body":"{}"}"#, true),
            (r#"{"method":"GET","body":null}"#, false),
            (r#"{"method":"GET","body":""}"#, false),
            (r#"{"method":"POST","body":{"a":1}}"#, false),
        ] {
            assert_eq!(warnings_of(input).len(), usize::from(warned), "{input}");
        }
    }

    #[test]
    fn control_characters_are_not_shown() {
        let warnings = warnings_of("{\"bo\\u001b\\u202ddy\":1}");
        assert!(
            warnings.len() == 1 && !warnings[0].contains(['\u{1b}', '\u{202d}']),
            "{warnings:?}"
        );
    }
}
