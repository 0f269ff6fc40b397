//! Whatever the JSON door is given: one clean request, or a refusal that says no credential.

#![no_main]

use flow_starter_input::request::{self, Request};
use flow_starter_input::{Invalid, Mask, Method, template};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use servicenow_flow_starter::error::Failure;
use servicenow_flow_starter::types::{ErrorKind, FlowState};
use servicenow_flow_starter_fuzz::credentials::Credentials;
use servicenow_flow_starter_fuzz::fields;

fuzz_target!(|bytes: &[u8]| {
    let text = fields::input(bytes);
    // What JSON it is, by somebody else's reading; null where it is none that serde_json takes whole.
    let value: Value = serde_json::from_str(&text).unwrap_or_default();
    let config = match template::parse(&text) {
        Ok(config) => config,
        Err(invalid) => return refused(invalid, &Mask::of_json(&text), &Credentials::of_input(&value)),
    };
    let (mask, method, path) = (Mask::of_config(&config), config.method, config.path.clone());
    if let Some(named) = value["method"].as_str() {
        assert_eq!(named, name(method), "another method than the input names");
    }
    let mut plan = match request::plan(&config) {
        Ok(plan) => plan,
        Err(invalid) => return refused(invalid, &mask, &Credentials::of_call(&value)),
    };
    assert!(plan.flow.method == method, "another method than the configuration's");
    let target = plan.flow.path_with_query();
    let begins = encoded(&path);
    let added = target.strip_prefix(&*begins);
    let added = added.unwrap_or_else(|| panic!("`{}` became `{target}`", &*path));
    assert!(
        added.is_empty() || added.starts_with(['?', '&']) || path.ends_with(['?', '&']),
        "`{added}` was added to `{begins}`",
    );
    assert!(
        !path.ends_with(char::is_whitespace),
        "white space at the end: {:?}",
        &*path
    );
    if let Some(request) = &plan.token {
        assert!(request.method == Method::Post, "a token is asked for by POST");
        clean(request);
        plan.flow.authorize_bearer("a-token");
    }
    clean(&plan.flow);
});

fn refused(invalid: Invalid, mask: &Mask, credentials: &Credentials) {
    let error = Failure::from(invalid).into_error(mask);
    assert!(error.kind == ErrorKind::InvalidInput && error.flow == FlowState::NotStarted && !error.retryable);
    assert!(error.response.is_none() && error.retry_after_ms.is_none());
    assert!(!error.message.is_empty(), "a refusal without a word");
    assert!(
        !error.message.contains(char::is_control),
        "no single line: {:?}",
        error.message
    );
    credentials.assert_not_in(&error.message, "the message");
}

/// The trigger's path as it must be sent.
fn encoded(path: &str) -> String {
    let mut sent = String::new();
    for c in path.chars() {
        if c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@/%?".contains(c) {
            sent.push(c);
        } else {
            let mut bytes = [0; 4];
            c.encode_utf8(&mut bytes)
                .bytes()
                .for_each(|byte| sent.push_str(&format!("%{byte:02X}")));
        }
    }
    sent
}

/// One request and no more, whoever reads it.
fn clean(request: &Request) {
    let target = request.path_with_query();
    assert!(
        target.starts_with('/') && !target.starts_with("//"),
        "no path: {target}"
    );
    assert!(
        target
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"#\\\"<>[]^`{|}".contains(&byte)),
        "what a URL cannot hold: {target:?}"
    );
    let authority = request.authority();
    assert!(
        !authority.is_empty()
            && authority
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && !b"/?#@\\".contains(&byte)),
        "no authority: {authority:?}"
    );
    let loopback = ["localhost", "127.", "[::1]"]
        .iter()
        .any(|host| authority.starts_with(host));
    assert!(request.tls() || loopback, "in the clear to {authority}");
    for (name, value) in request.headers() {
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        assert!(
            !name.is_empty() && name.bytes().all(token),
            "no header's name: {name:?}"
        );
        assert!(
            !name.contains(|c: char| c.is_ascii_uppercase()),
            "not in lower case: {name}"
        );
        assert!(
            !value
                .iter()
                .any(|byte| *byte != b'\t' && char::from(*byte).is_control()),
            "the value of {name}: {:?}",
            String::from_utf8_lossy(value)
        );
    }
    let values = |wanted: &str| -> Vec<&[u8]> {
        let headers = request.headers().iter();
        headers
            .filter(|(name, _)| name == wanted)
            .map(|(_, value)| value.as_slice())
            .collect()
    };
    for name in ["authorization", "content-type", "content-length"] {
        assert!(values(name).len() <= 1, "{name} more than once");
    }
    assert_eq!(values("user-agent").len(), 1, "one user agent");
    let codings = values("accept-encoding");
    assert!(matches!(codings[..], [coding] if coding.eq_ignore_ascii_case(b"identity")));
    for name in [
        "host",
        "transfer-encoding",
        "connection",
        "expect",
        "upgrade",
        "te",
        "trailer",
    ] {
        assert!(values(name).is_empty(), "{name} is the host's");
    }
    let length = (request.method != Method::Get).then(|| request.body().len().to_string());
    assert_eq!(
        values("content-length").first().copied(),
        length.as_deref().map(str::as_bytes)
    );
    assert!(
        request.body().is_empty() || !matches!(request.method, Method::Get | Method::Delete),
        "a body with {}",
        name(request.method)
    );
}

fn name(method: Method) -> &'static str {
    match method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Patch => "PATCH",
        Method::Delete => "DELETE",
    }
}
