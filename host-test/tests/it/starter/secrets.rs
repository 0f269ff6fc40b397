use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use flow_starter_host::{ErrorKind, FlowState};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use servicenow_stand_in::{Answer, Behaviour, DEMO_FLOW, Instance, StandIn, User};

use super::{Log, input, starter};

/// Whatever JSON, a header and a URL have to escape.
const PASSWORD: &str = "p\"a\\ss {{secrets.OTHER}}/+?=&%41";
/// Of letters alone, so that it is what it is in a path and a header, too.
const KEY: &str = "k3y-of-the-integration";

fn instance() -> Instance {
    Instance::demo().user(User::new("robot", PASSWORD).role("sn_cico.flow_starter"))
}

fn stand_in() -> StandIn {
    let mut instance = instance();
    // The role of the demo's own user, whatever it is called.
    let roles = instance.users[0].roles.clone();
    instance.users.last_mut().unwrap().roles = roles;
    StandIn::start(instance).unwrap()
}

/// In each form that a server may have it in.
fn forms(secret: &str) -> Vec<String> {
    let quoted = Value::from(secret).to_string();
    vec![
        secret.to_owned(),
        utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
        form_urlencoded::byte_serialize(secret.as_bytes()).collect(),
        STANDARD.encode(secret),
        URL_SAFE_NO_PAD.encode(secret),
        STANDARD.encode(format!("robot:{secret}")),
        STANDARD
            .encode(format!("someone-else:{secret}"))
            .trim_end_matches('=')
            .to_owned(),
        quoted.trim_matches('"').to_owned(),
    ]
}

fn basic() -> Value {
    json!({ "type": "basic", "username": "{{secrets.USER}}", "password": "{{ secrets.PWD }}" })
}

const SECRETS: [(&str, &str); 4] = [
    ("USER", "robot"),
    ("PWD", PASSWORD),
    ("OTHER", "never-looked-at"),
    ("KEY", KEY),
];

#[tokio::test]
async fn a_secret_arrives_as_it_is_and_once() {
    let stand_in = stand_in();
    let starter = starter(&stand_in, &SECRETS).await;
    let body = json!({ "correlationValue": "cam-id-1", "copy": "<{{secrets.PWD}}>", "n": 1 });
    let outcome = starter
        .execute(&input(json!({ "authentication": basic(), "body": body })))
        .await;
    assert!(outcome.result.is_ok(), "{outcome:?}");
    let request = &stand_in.requests()[0];
    let sent: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(sent["copy"], format!("<{PASSWORD}>"));
    let authorization = format!("Basic {}", STANDARD.encode(format!("robot:{PASSWORD}")));
    assert_eq!(request.header("authorization").collect::<Vec<_>>(), [authorization]);
}

#[tokio::test]
async fn a_missing_secret_is_an_input_error_that_names_it() {
    let stand_in = stand_in();
    let starter = starter(&stand_in, &[("USER", "robot")]).await;
    let outcome = starter.execute(&input(json!({ "authentication": basic() }))).await;
    let error = outcome.result.unwrap_err();
    assert_eq!(
        (error.kind, error.flow, error.retryable),
        (ErrorKind::InvalidInput, FlowState::NotStarted, false)
    );
    assert!(
        error.message.starts_with("Secret with name 'PWD' is not available"),
        "{error}"
    );
    assert_eq!(stand_in.connections(), 0);
}

/// The server sends everything back that it was sent, in every form, in a header, in the envelope and in the body.
#[tokio::test]
async fn echoed_secrets_are_masked() {
    let stand_in = stand_in();
    let starter = starter(&stand_in, &SECRETS).await;
    let log = Log::default();
    let _listening = log.listen();
    let path = "/api/x_acme/k3y-of-the-integration/echo";
    let mut tried = 0;
    for form in forms(PASSWORD).into_iter().chain(forms(KEY)) {
        for status in [200, 302, 400, 401, 500] {
            let in_header: String = form.chars().filter(|c| !c.is_control()).collect();
            let answer = Answer::new(status)
                .header("X-Echo", &in_header)
                .header(
                    "Location",
                    format!(
                        "https://acme.service-now.com/{}",
                        utf8_percent_encode(&form, NON_ALPHANUMERIC)
                    ),
                )
                .body(
                    json!({ "error": { "message": format!("You said {form}!"), "detail": form }, "status": "failure" })
                        .to_string(),
                );
            stand_in.behave(path, Behaviour::Answer(answer));
            let input = input(json!({
                "restApiTriggerPath": "/api/x_acme/{{secrets.KEY}}/echo", "authentication": basic(), "headers": {"x-key": "secrets.KEY"},
            }));
            let outcome = starter.execute(&input).await;
            let shown = match &outcome.result {
                Ok(json) => {
                    let mut answer: Value = serde_json::from_str(json).unwrap();
                    assert_ne!(answer["body"], Value::Null, "a success's body is the process's");
                    answer.as_object_mut().unwrap().remove("body");
                    answer.to_string()
                }
                Err(error) => format!(
                    "{error} {outcome:?} {:?}",
                    error.response.as_ref().map(|it| (&it.headers, &it.body))
                ),
            };
            let shown = format!("{shown} {:?}", outcome.requests);
            for secret in [PASSWORD, KEY] {
                for form in forms(secret) {
                    assert!(!shown.contains(&form), "{status}, {form}: {shown}");
                }
            }
            assert!(shown.contains("***"), "{status}: {shown}");
            tried += 1;
        }
    }
    assert_eq!(tried, 80);
    let logged = log.text();
    assert!(
        logged.contains("the call failed") && logged.contains("/api/x_acme/***/echo"),
        "{logged}"
    );
    for secret in [PASSWORD, KEY] {
        for form in forms(secret) {
            assert!(!logged.contains(&form), "{form} was logged");
        }
    }
    assert!(!logged.contains("You said"), "a body was logged");
}

#[tokio::test]
async fn a_dry_run_shows_the_request_and_sends_nothing() {
    let stand_in = stand_in();
    let starter = starter(&stand_in, &SECRETS).await;
    let dry_run = starter
        .dry_run(&input(
            json!({ "authentication": basic(), "queryParameters": { "hello": "query", "key": "secrets.KEY" } }),
        ))
        .await;
    assert_eq!(dry_run.refusal, None);
    let [request] = &dry_run.requests[..] else {
        panic!("{dry_run:?}")
    };
    assert_eq!(
        (request.method.as_str(), request.url.as_str(), request.allowed),
        (
            "POST",
            &*format!("https://acme.service-now.com{DEMO_FLOW}?hello=query&key=***"),
            true
        )
    );
    assert!(
        request
            .headers
            .contains(&("authorization".to_owned(), "Basic ***".to_owned())),
        "{request:?}"
    );
    assert_eq!(request.body, r#"{"correlationValue":"cam-id-1"}"#);

    let elsewhere = starter.dry_run(&input(json!({ "snInstance": "elsewhere" }))).await;
    assert!(
        !elsewhere.requests[0].allowed && elsewhere.refusal.is_none(),
        "{elsewhere:?}"
    );
    let refused = starter.dry_run(&input(json!({ "method": "FETCH" }))).await;
    assert_eq!(refused.refusal.unwrap().kind, ErrorKind::InvalidInput);
    let missing = starter.dry_run(&input(json!({ "snInstance": "secrets.NONE" }))).await;
    assert!(missing.requests.is_empty() && missing.refusal.is_some());
    assert_eq!(stand_in.connections(), 0);
}
