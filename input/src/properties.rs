//! What holds for every input, tried on random ones.

use crate::request::{self, Request};
use crate::{Authentication, Credentials, FlowConfig, Method, Sensitive, template};
use proptest::prelude::*;

/// Text in which the characters that matter to us are common.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[ -~]{0,6}",
        2 => prop::sample::select(vec![
            "/", "//", "..", "%2e", "%2F", "%", "\r\n", "\0", "\t", "#", "?", "\\", ":", "@", "\"", "ü", "😀", "\u{feff}", "{", "}", "[", "]",
            "<html>", "<!--", "-->", "null", "1e999", "\\ud800", "\\", "e", "-", ",",
        ]).prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

fn pairs() -> impl Strategy<Value = Vec<(String, Sensitive)>> {
    prop::collection::vec(
        (prop_oneof!["[a-zA-Z-]{1,8}", text()], text().prop_map(Sensitive::from)),
        0..3,
    )
}

fn method() -> impl Strategy<Value = Method> {
    prop::sample::select(vec![
        Method::Get,
        Method::Post,
        Method::Put,
        Method::Patch,
        Method::Delete,
    ])
}

fn path() -> impl Strategy<Value = String> {
    prop_oneof![3 => "(/[a-z0-9%2eF.;_~-]{0,5}){1,4}(\\?[a-z=&%20]{0,6})?", 1 => text().prop_map(|text| format!("/{text}"))]
}

fn is_clean(request: &Request) -> bool {
    let target = request.path_with_query();
    let plain = |text: &[u8]| !text.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0));
    target.starts_with('/')
        && target.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#')
        && request
            .authority()
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"/?#@\\".contains(&byte))
        && request
            .headers()
            .iter()
            .all(|(name, value)| plain(name.as_bytes()) && plain(value))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_json_input_causes_a_panic(text in text()) {
        let _ = template::parse(&text).map(|config| drop(request::plan(&config)));
    }

    #[test]
    fn json_is_read_as_serde_json_reads_it(text in text()) {
        crate::json::tests::assert_like_serde_json(&text);
        crate::json::tests::assert_like_serde_json(&format!("[{}]", serde_json::to_string(&text).unwrap()));
    }

    #[test]
    fn a_quoted_text_reads_back(text in any::<String>()) {
        prop_assert_eq!(serde_json::from_str::<String>(&crate::json::quote(&text)).unwrap(), text);
    }

    #[test]
    fn a_json_body_is_sent_byte_for_byte(text in text(), number in "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?") {
        let body = format!("{{\"z\": {number},\t\"a\":[{}, {number}]}}", serde_json::to_string(&text).unwrap());
        let input = format!(r#"{{"snInstance":"acme","restApiTriggerPath":"/a","method":"POST","body":{body}}}"#);
        let config = template::parse(&input).unwrap();
        let plan = request::plan(&config).unwrap();
        prop_assert_eq!(plan.flow.body(), body.as_bytes());
    }

    #[test]
    fn a_path_is_kept_but_for_what_a_url_cannot_hold_or_refused(path in path()) {
        let config = FlowConfig { path: path.clone().into(), ..request::tests::config() };
        if let Ok(plan) = request::plan(&config) {
            let holds = |c: char| c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@/%?".contains(c);
            let mut expected = String::new();
            for c in path.chars() {
                match holds(c) {
                    true => expected.push(c),
                    false => c.to_string().bytes().for_each(|byte| expected.push_str(&format!("%{byte:02X}"))),
                }
            }
            prop_assert_eq!(plan.flow.path_with_query(), expected);
        }
    }

    #[test]
    fn nothing_is_smuggled_into_a_request(
        instance in prop_oneof![4 => Just("acme".to_owned()), 1 => text()],
        domain in prop::option::of(text()),
        endpoint in prop::option::of(prop_oneof![text().prop_map(|text| format!("https://{text}")), text()]),
        path in path(), method in method(), headers in pairs(), query in pairs(), body in prop::option::of(text()), password in text(),
    ) {
        let authentication = Authentication::Basic(Credentials { username: "user".into(), password: password.into() });
        let config = FlowConfig {
            instance, domain, endpoint: endpoint.map(Sensitive::from), path: path.into(), method, headers, query,
            body: body.map(Sensitive::from), authentication, limits: None,
        };
        if let Ok(plan) = request::plan(&config) {
            prop_assert!(is_clean(&plan.flow), "{} {:?}", plan.flow.path_with_query(), plan.flow.headers());
            let count = |wanted: &str| plan.flow.headers().iter().filter(|(name, _)| name == wanted).count();
            prop_assert!(count("authorization") == 1 && count("content-length") <= 1 && count("host") == 0);
        }
    }
}
