//! What holds for every answer, tried on random ones.

use crate::error::Step;
use crate::response;
use crate::transport::{Answer, End};
use crate::types::TriggerError;
use crate::{FlowStarter, bindings::exports::connectors::servicenow_flow_starter::connector::Guest};
use flow_starter_input::{Mask, output, request};
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, failure_persistence: None, ..ProptestConfig::default() })]

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
            let out = output::json(output::Response {
                status: response.status,
                headers: &response.headers,
                body: &response.body,
                execution_id: response.execution_id.as_deref(),
                sys_id: response.sys_id.as_deref(),
            });
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
