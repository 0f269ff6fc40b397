//! What the JSON door takes and refuses; the requests that come of it are in `request`'s tests.

use super::*;
use crate::Mask;
use number::{milliseconds, whole};

fn refusal(input: &str) -> String {
    match parse(input) {
        Err(Invalid { sentence, .. }) => sentence,
        Ok(_) => panic!("taken: {input}"),
    }
}

/// The least that is needed, and `rest`.
fn job(rest: &str) -> String {
    format!(r#"{{"snInstance":"acme","restApiTriggerPath":"/api/x","method":"POST"{rest}}}"#)
}

#[rustfmt::skip]
const REFUSED: &[(&str, &str)] = &[
    ("", "The input is not JSON (line 1, column 0)"),
    ("{\"password\": hunter22}", "The input is not JSON (line 1, column 14)"),
    ("[]", "The input must be an object"),
    ("\"hunter22\"", "The input must be an object"),
    (r#"{"restApiTriggerPath":"/a","method":"GET"}"#, "`snInstance` is missing: for example `acme`"),
    (r#"{"instance":"acme","restApiTriggerPath":"/a","method":"GET"}"#, "`snInstance` is missing (found `instance`; the name must be exactly `snInstance`)"),
    (r#"{"sn_instance":"acme","restApiTriggerPath":"/a","method":"GET"}"#, "(found `sn_instance`;"),
    (r#"{"snInstnace":"acme","restApiTriggerPath":"/a","method":"GET"}"#, "(found `snInstnace`;"),
    (r#"{"snInstance":null,"restApiTriggerPath":"/a","method":"GET"}"#, "`snInstance` is missing: "),
    (r#"{"snInstance":"","restApiTriggerPath":"/a","method":"GET"}"#, "`snInstance` is missing: "),
    (r#"{"snInstance":"acme","path":"/a","method":"GET"}"#, "`restApiTriggerPath` is missing (found `path`;"),
    (r#"{"snInstance":"acme","restApiTriggerPath":"/a"}"#, "`method` is missing: for example `POST`."),
    (r#"{"snInstance":"acme","restApiTriggerPath":"/a","Method":"GET"}"#, "`method` is missing (found `Method`;"),
    (r#"{"snInstance":"acme","restApiTriggerPath":"/a","method":"post"}"#, "must be one of GET, POST, PUT, PATCH and DELETE, not `post`."),
    (r#"{"snInstance":"acme","restApiTriggerPath":"/a","method":"GET "}"#, "not `GET `."),
    (r#"{"snInstance":"acme","restApiTriggerPath":"/a","method":["GET"]}"#, "`method` must be text."),
    (r#"{"snInstance":true,"restApiTriggerPath":"/a","method":"GET"}"#, "`snInstance` must be text."),
    (r#"{"snInstance":"acme","snInstance":"acme","restApiTriggerPath":"/a","method":"GET"}"#, "`snInstance` is given twice: remove one."),
    (r#"{"snInstance":"\ud800","restApiTriggerPath":"/a","method":"GET"}"#, "`snInstance` contains half of a surrogate pair"),
];

#[rustfmt::skip]
const REFUSED_FIELDS: &[(&str, &str)] = &[
    (r#","headers":["hunter22"]"#, "`headers` must be an object of names and values"),
    (r#","headers":"hunter22""#, "`headers` must be an object of names and values"),
    (r#","headers":{"a":["\udc00"]}"#, "`headers` contains half of a surrogate pair"),
    (r#","queryParameters":1"#, "`queryParameters` must be an object of names and values"),
    (r#","body":{"a":1},"body":{"a":2}"#, "`body` is given twice"),
    (r#","headers":{"content-type":"application/xml"},"body":{"a":"hunter22"}"#, "cannot be converted to its content type"),
    (r#","headers":{"Content-Type":"multipart/form-data"},"body":["hunter22"]"#, "cannot be converted to its content type"),
    (r#","headers":{"content-type":""},"body":{}"#, "cannot be converted to its content type"),
    (r#","headers":{"content-type":"application/x-www-form-urlencoded"},"body":["hunter22"]"#, "The body is a list, but its content type is a form"),
    (r#","headers":{"content-type":"application/x-www-form-urlencoded"},"body":{"a":"\ud800"}"#, "`body` contains half of a surrogate pair"),
    (r#","body":"\ud800""#, "`body` contains half of a surrogate pair"),
    (r#","snDomain":{}"#, "`snDomain` must be text."),
    (r#","snTarget":"instance","snDomain":"x.com""#, "`snDomain` is given, but `snTarget` is `instance`: remove one of the two."),
    (r#","snTarget":"instance","snEndpoint":"https://x.com""#, "`snEndpoint` is given, but `snTarget` is `instance`"),
    (r#","snTarget":"domain""#, "`snDomain` is missing, but `snTarget` is `domain`: for example `servicenowservices.com`."),
    (r#","snTarget":"domain","snDomain":null"#, "`snDomain` is missing"),
    (r#","snTarget":"domain","snDomain":"x.com","snEndpoint":"https://x.com""#, "`snEndpoint` is given, but `snTarget` is `domain`"),
    (r#","snTarget":"url","snEndpoint":"""#, "`snEndpoint` is missing, but `snTarget` is `url`"),
    (r#","snTarget":"url","snEndpoint":null"#, "`snEndpoint` is missing"),
    (r#","snTarget":"url","snEndpoint":"https://x.com","snDomain":"x.com""#, "`snDomain` is given, but `snTarget` is `url`"),
    (r#","snTarget":"Instance""#, "`snTarget` must be one of instance, domain and url, not `Instance`."),
    (r#","snTarget":true"#, "`snTarget` must be text."),
    (r#","authentication":"basic""#, "`authentication` must be an object"),
    (r#","authentication":[]"#, "`authentication` must be an object"),
    (r#","authentication":{"username":"admin","password":"hunter22"}"#, "`authentication.type` is missing, but `authentication.username` is given: for example `basic`."),
    (r#","authentication":{"Type":"basic","password":"hunter22"}"#, "`authentication.type` is missing (found `authentication.Type`;"),
    (r#","authentication":{"type":"","token":"hunter22"}"#, "`authentication.type` is missing, but `authentication.token` is given"),
    (r#","authentication":{"type":"Basic"}"#, "must be one of basic, bearer, apiKey, oauth-client-credentials-flow and noAuth, not `Basic`."),
    (r#","authentication":{"type":"basic","password":"hunter22"}"#, "`authentication.username` is missing."),
    (r#","authentication":{"type":"basic","user":"u","password":"hunter22"}"#, "`authentication.username` is missing (found `authentication.user`;"),
    (r#","authentication":{"type":"basic","username":"u","password":null}"#, "`authentication.password` is missing."),
    (r#","authentication":{"type":"basic","username":"u","password":{"p":"hunter22"}}"#, "`authentication.password` must be text."),
    (r#","authentication":{"type":"basic","username":"u","password":"hunter22","password":"hunter23"}"#, "`authentication.password` is given twice"),
    (r#","authentication":{"type":"bearer"}"#, "`authentication.token` is missing."),
    (r#","authentication":{"type":"apiKey","apiKeyLocation":"hunter22"}"#, "`authentication.apiKeyLocation` must be `headers` or `query`."),
    (r#","authentication":{"type":"apiKey","name":"k"}"#, "`authentication.value` is missing."),
    (r#","authentication":{"type":"oauth-client-credentials-flow","clientId":"c"}"#, "`authentication.clientSecret` is missing"),
    (r#","authentication":{"type":"oauth-client-credentials-flow","clientId":"c","clientSecret":"hunter22","clientAuthentication":"x"}"#, "must be `credentialsBody` or `basicAuthHeader`."),
    (r#","authentication":{"type":"oauth-client-credentials-flow","clientId":"c","clientSecret":"hunter22","scopes":{"a":"b"}}"#, "`authentication.scopes` must be text, or a list of texts"),
    (r#","authentication":{"type":"oauth-client-credentials-flow","clientId":"c","clientSecret":"hunter22","scopes":[["a"]]}"#, "`authentication.scopes` must be text, or a list of texts"),
    (r#","connectionTimeoutInSeconds":-1"#, "`connectionTimeoutInSeconds` must be a number of seconds from 0 (no limit) to 4294967"),
    (r#","connectionTimeoutInSeconds":true"#, "`connectionTimeoutInSeconds` must be a number of seconds"),
    (r#","readTimeoutInSeconds":"PT20S""#, "`readTimeoutInSeconds` must be a number of seconds"),
    (r#","readTimeoutInSeconds":4294967.5"#, "`readTimeoutInSeconds` must be a number of seconds"),
    (r#","maxResponseBytes":1.5"#, "`maxResponseBytes` must be a whole number of bytes up to 4294967295"),
    (r#","maxResponseBytes":4294967296"#, "`maxResponseBytes` must be a whole number of bytes"),
];

#[test]
fn a_bad_input_is_refused_with_a_sentence_that_says_what_to_do() {
    let fields = REFUSED_FIELDS.iter().map(|(rest, part)| (job(rest), *part));
    for (input, part) in REFUSED
        .iter()
        .map(|(input, part)| ((*input).to_owned(), *part))
        .chain(fields)
    {
        let sentence = refusal(&input);
        assert!(sentence.contains(part), "{input}: {sentence}");
        assert!(sentence.ends_with('.'), "{input}: {sentence}");
        assert!(!sentence.contains("hunter2"), "{input}: {sentence}");
    }
}

// Found by the fuzz target `input`, on a seed of its own: a header's list is as many headers, and was masked as the JSON that it is.
#[test]
fn a_credential_in_a_headers_list_is_masked() {
    let input = r#"{"snInstance":"acme","restApiTriggerPath":"/a","method":"hunter22","headers":{"Authorization":["x","Bearer hunter22"]}}"#;
    assert!(refusal(input).contains("hunter22"));
    assert!(!Mask::of_json(input).text(refusal(input)).contains("hunter22"));
}

#[test]
fn a_credential_that_stands_where_the_method_should_is_masked() {
    let input = job("")
        .replace("POST", "hunter22")
        .replace('}', r#","authentication":{"type":"basic","password":"hunter22"}}"#);
    assert!(refusal(&input).contains("hunter22"), "the sentence quotes the method");
    assert!(!Mask::of_json(&input).text(refusal(&input)).contains("hunter22"));
    let input = job("")
        .replace("POST", "hunter22")
        .replace('}', r#","headers":{"Authorization":"Bearer hunter22"}}"#);
    assert!(!Mask::of_json(&input).text(refusal(&input)).contains("hunter22"));
}

#[test]
fn a_target_keeps_to_what_it_says() {
    for (rest, domain, endpoint) in [
        ("", None, None),
        (r#","snTarget":null,"snDomain":"x.com""#, Some("x.com"), None),
        (
            r#","snTarget":"","snEndpoint":"https://x.com""#,
            None,
            Some("https://x.com"),
        ),
        (r#","snTarget":"instance","snDomain":"","snEndpoint":null"#, None, None),
        (
            r#","snTarget":"domain","snDomain":"x.com","snEndpoint":null"#,
            Some("x.com"),
            None,
        ),
        (
            r#","snTarget":"url","snDomain":null,"snEndpoint":"https://x.com""#,
            None,
            Some("https://x.com"),
        ),
    ] {
        let config = parse(&job(rest)).unwrap();
        assert_eq!(
            (config.domain.as_deref(), config.endpoint.as_deref()),
            (domain, endpoint),
            "{rest}"
        );
    }
    assert!(destination(&job(r#","snTarget":"url""#)).is_err());
}

#[test]
fn unknown_members_are_ignored() {
    let config = parse(&job(
        r#","deep":[[[[{"a":1e999}]]]],"half":"\ud800","other":{"\ud800":1}"#,
    ))
    .unwrap();
    assert_eq!(config.instance, "acme");
}

#[test]
fn limits_come_in_seconds_as_a_number_or_as_text() {
    let limits = |rest| parse(&job(rest)).unwrap().limits.unwrap();
    let given = limits(r#","connectionTimeoutInSeconds":1.5,"readTimeoutInSeconds":"0","maxResponseBytes":"100""#);
    assert_eq!(
        (
            given.connect_timeout_ms,
            given.first_byte_timeout_ms,
            given.between_bytes_timeout_ms,
            given.max_response_bytes
        ),
        (1_500, 0, 0, 100)
    );
    let given = limits(r#","readTimeoutInSeconds":2"#);
    assert_eq!(
        (given.first_byte_timeout_ms, given.between_bytes_timeout_ms),
        (2_000, 2_000)
    );
    for absent in [
        "",
        r#","connectionTimeoutInSeconds":null,"readTimeoutInSeconds":"","maxResponseBytes":null"#,
    ] {
        let given = limits(absent);
        assert_eq!(
            (
                given.connect_timeout_ms,
                given.first_byte_timeout_ms,
                given.max_response_bytes
            ),
            (20_000, 20_000, 0)
        );
    }
}

#[test]
fn an_empty_authentication_is_none() {
    for rest in [
        "",
        r#","authentication":null"#,
        r#","authentication":{}"#,
        r#","authentication":{"type":null,"username":"","password":null}"#,
    ] {
        assert!(
            matches!(parse(&job(rest)).unwrap().authentication, Authentication::None),
            "{rest}"
        );
    }
}

#[test]
fn seconds_become_milliseconds_and_are_never_rounded_to_none() {
    for (text, ms) in [
        ("0", Some(0)),
        ("0.0", Some(0)),
        ("0e5", Some(0)),
        ("20", Some(20_000)),
        ("20.0", Some(20_000)),
        ("2e1", Some(20_000)),
        ("2E+1", Some(20_000)),
        ("2500e-3", Some(2_500)),
        ("0.5", Some(500)),
        ("1.0015", Some(1_002)),
        ("0.0001", Some(1)),
        ("1e-999", Some(1)),
        ("4294967", Some(4_294_967_000)),
        ("4294966.9999", Some(4_294_967_000)),
        ("4294967.0001", None),
        ("4294968", None),
        ("1e300", None),
        ("99999999999999999999999999", None),
        ("-1", None),
        ("-0.5", None),
        ("", None),
        (" 1", None),
        ("1 ", None),
        ("+1", None),
        ("1.", None),
        (".5", None),
        ("1e", None),
        ("1e5e5", None),
        ("1.2.3", None),
        ("1,5", None),
        ("PT20S", None),
        ("NaN", None),
        ("٣", None),
        ("1e99999999999", None),
    ] {
        assert_eq!(milliseconds(text), ms, "{text}");
    }
}

#[test]
fn a_whole_number_has_no_fraction() {
    for (text, number) in [
        ("0", Some(0)),
        ("1048576", Some(1_048_576)),
        ("1e3", Some(1_000)),
        ("1.0", Some(1)),
        ("1.5", None),
        ("4294967295", Some(u32::MAX)),
        ("4294967296", None),
        ("-1", None),
        ("x", None),
    ] {
        assert_eq!(whole(text), number, "{text}");
    }
}
