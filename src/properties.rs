//! What holds for every input and every answer, tried on random ones.

use crate::error::Step;
use crate::mask::Mask;
use crate::request::{self, Request};
use crate::response;
use crate::transport::{Answer, End};
use crate::types::{Authentication, Credentials, FlowConfig, Method, TriggerError};
use crate::{FlowStarter, bindings::exports::connectors::servicenow_flow_starter::connector::Guest, input};
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

fn pairs() -> impl Strategy<Value = Vec<(String, String)>> {
    prop::collection::vec((prop_oneof!["[a-zA-Z-]{1,8}", text()], text()), 0..3)
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

fn end() -> impl Strategy<Value = End> {
    prop::sample::select(vec![End::Whole, End::Cut, End::Silent, End::TooLarge])
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        text().prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..40)
    ]
}

fn answer() -> impl Strategy<Value = Answer> {
    let names = vec![
        "content-type",
        "content-encoding",
        "location",
        "retry-after",
        "date",
        "x-ratelimit-reset",
        "set-cookie",
        "x",
    ];
    let values = prop_oneof![
        bytes(),
        prop::sample::select(vec![
            "application/json",
            "text/html",
            "text/plain; charset=latin1",
            "gzip",
            "120",
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "https://a/b",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ];
    let headers = prop::collection::vec((prop::sample::select(names).prop_map(str::to_owned), values), 0..4);
    (prop_oneof![100..700u16, any::<u16>()], headers, bytes(), end()).prop_map(|(status, headers, body, end)| Answer {
        status,
        headers,
        body,
        end,
    })
}

/// The parts of an error that a person or a log sees.
fn seen(error: &TriggerError) -> String {
    let mut seen = error.message.clone();
    if let Some(response) = &error.response {
        seen.push_str(&response.body);
        response.headers.iter().for_each(|(_, value)| seen.push_str(value));
    }
    seen
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
    fn no_input_of_the_json_door_stops_it(text in text()) {
        let _ = input::parse(&text).map(request::plan);
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
    fn a_body_goes_through_the_json_door_byte_for_byte(text in text(), number in "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?") {
        let body = format!("{{\"z\": {number},\t\"a\":[{}, {number}]}}", serde_json::to_string(&text).unwrap());
        let input = format!(r#"{{"snInstance":"acme","restApiTriggerPath":"/a","method":"POST","body":{body}}}"#);
        let plan = request::plan(input::parse(&input).unwrap()).unwrap();
        prop_assert_eq!(String::from_utf8(plan.flow.body).unwrap(), body);
    }

    #[test]
    fn a_path_is_kept_byte_for_byte_or_refused(path in path()) {
        let config = FlowConfig { path: path.clone(), ..request::tests::config() };
        if let Ok(plan) = request::plan(config) {
            prop_assert_eq!(plan.flow.path_with_query(), path);
        }
    }

    #[test]
    fn nothing_is_smuggled_into_a_request(
        instance in prop_oneof![4 => Just("acme".to_owned()), 1 => text()],
        domain in prop::option::of(text()),
        endpoint in prop::option::of(prop_oneof![text().prop_map(|text| format!("https://{text}")), text()]),
        path in path(), method in method(), headers in pairs(), query in pairs(), body in prop::option::of(text()), password in text(),
    ) {
        let authentication = Authentication::Basic(Credentials { username: "user".to_owned(), password });
        let config = FlowConfig { instance, domain, endpoint, path, method, headers, query, body, authentication, limits: None };
        if let Ok(plan) = request::plan(config) {
            prop_assert!(is_clean(&plan.flow), "{} {:?}", plan.flow.path_with_query(), plan.flow.headers());
            let count = |wanted: &str| plan.flow.headers().iter().filter(|(name, _)| name == wanted).count();
            prop_assert!(count("authorization") == 1 && count("content-length") <= 1 && count("host") == 0);
        }
    }

    #[test]
    fn no_answer_stops_the_reading(answer in answer()) {
        let _ = response::flow(answer, &Mask::default());
    }

    #[test]
    fn no_token_answer_stops_the_reading(answer in answer()) {
        if let Ok(token) = response::token(answer) {
            prop_assert!(request::is_token(&token.token));
        }
    }

    #[test]
    fn only_a_whole_2xx_is_a_success(answer in answer()) {
        let (status, end) = (answer.status, answer.end);
        if response::flow(answer, &Mask::default()).is_ok() {
            prop_assert!((200..300).contains(&status) && end == End::Whole);
        }
    }

    #[test]
    fn the_json_doors_answer_is_json(answer in answer()) {
        if let Ok(response) = response::flow(answer, &Mask::default()) {
            let out = crate::output::json(&response);
            prop_assert!(serde_json::from_str::<serde_json::Value>(&out).is_ok(), "{}", out);
        }
    }

    // The secret's own characters stand nowhere else in what a message says.
    #[test]
    fn a_secret_that_a_server_echoes_is_never_seen(
        secret in "[\u{100}-\u{17f}\"/+ ]{4,9}", before in text(), mut answer in answer(), cut in any::<bool>(),
    ) {
        let mut mask = Mask::default();
        mask.add(&secret);
        let text = if cut { secret.clone() } else { serde_json::to_string(&secret).unwrap() };
        let error = format!(r#"{{"error":{{"message":{},"detail":null}}}}"#, serde_json::to_string(&format!("{before}{secret}")).unwrap());
        answer.body = if cut { format!("{before}{text}").into_bytes() } else { error.into_bytes() };
        answer.headers.push(("x-echo".to_owned(), text.into_bytes()));
        if let Err(failure) = response::flow(answer, &mask) {
            let seen = seen(&failure.at(Step::Flow, "acme.service-now.com").into_error(&mask));
            prop_assert!(!seen.contains(&secret), "{}", seen);
        }
    }

    #[test]
    fn a_secret_is_never_in_a_refusal(
        secret in "[A-Z0-9]{12,20}", other in text(), fields in prop::collection::vec(0..8usize, 0..3), kind in "basic|bearer|apiKey|x|",
    ) {
        let mut job = serde_json::json!({
            "snInstance": "acme", "restApiTriggerPath": "/a", "method": "POST",
            "headers": {"Authorization": format!("Bearer {secret}")},
            "authentication": {"type": kind, "username": other.clone(), "password": secret, "token": secret, "name": "k", "value": secret},
        });
        let names = ["snInstance", "restApiTriggerPath", "method", "snDomain", "snEndpoint", "body", "readTimeoutInSeconds", "headers"];
        for field in fields {
            job[names[field]] = if field % 2 == 0 { secret.clone().into() } else { format!("{other} {secret}").into() };
        }
        job["readTimeoutInSeconds"] = "never".into();
        let error = <FlowStarter as Guest>::execute(job.to_string()).expect_err("a refusal");
        prop_assert!(!error.message.contains(&secret), "{}", error.message);
    }
}
