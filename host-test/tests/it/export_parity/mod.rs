//! The component's two functions: what means the same is the same request, byte for byte, and the same outcome.

mod meanings;

use std::collections::BTreeMap;

use flow_starter_host::input::{Authentication, ClientAuthentication, Method, TokenRequest};
use flow_starter_host::{ErrorKind, FlowResponse, FlowState, Outcome, TriggerError};
use host_test::rig::Rig;
use meanings::{Meaning, TOKEN, client, fixed_token, meaning, refused, requests};
use serde_json::{Value, json};
use servicenow_stand_in::{Instance, Recorded};

/// What came of a call, whichever door it came through; an id that the stand-in issued is `issued`, for it differs each time.
#[derive(Debug, PartialEq)]
struct Seen {
    requests: Vec<(String, String)>,
    outcome: Result<Told, TriggerError>,
}

#[derive(Debug, PartialEq)]
struct Told {
    status: u16,
    headers: BTreeMap<String, Vec<String>>,
    body: Value,
    execution_id: Option<String>,
    sys_id: Option<String>,
}

fn through<T>(
    rig: &Rig,
    meaning: &Meaning,
    call: impl FnOnce(&Rig) -> Outcome<T>,
    read: impl FnOnce(T, &str) -> Told,
) -> Seen {
    let stand_in = &rig.stand_in;
    stand_in.behave_well();
    stand_in.clear();
    for (path, behaviour) in &meaning.server {
        stand_in.behave(*path, behaviour.clone());
    }
    let result = call(rig).result;
    let issued = stand_in
        .starts()
        .pop()
        .map(|start| start.id)
        .unwrap_or_else(|| "no id".to_owned());
    let requests = stand_in.requests().iter().map(bytes).collect();
    let outcome = result.map(|it| read(it, &issued)).map_err(|mut error| {
        if let Some(response) = &mut error.response {
            response.headers.retain(|(name, _)| name != "date");
        }
        error
    });
    Seen { requests, outcome }
}

/// Head and body, byte for byte.
fn bytes(request: &Recorded) -> (String, String) {
    // Headers are sent in ISO-8859-1.
    let head = request.head.iter().copied().map(char::from).collect();
    let body = String::from_utf8(request.body.clone()).expect("a body is UTF-8");
    (head, body)
}

fn through_the_typed_door(rig: &Rig, meaning: &Meaning) -> Seen {
    let call = |rig: &Rig| rig.trigger_flow(meaning.typed.clone());
    through(rig, meaning, call, |response: FlowResponse, issued| {
        let mut headers = BTreeMap::<String, Vec<String>>::new();
        for (name, value) in response.headers.into_iter().filter(|(name, _)| name != "date") {
            headers.entry(name).or_default().push(value);
        }
        let text = response.body.replace(issued, "issued");
        let body = match serde_json::from_str(&text) {
            Ok(body @ (Value::Object(_) | Value::Array(_))) => body,
            _ if text.is_empty() => Value::Null,
            _ => Value::from(text),
        };
        let id = |id: Option<String>| id.map(|id| id.replace(issued, "issued"));
        Told {
            status: response.status,
            headers,
            body,
            execution_id: id(response.execution_id),
            sys_id: id(response.sys_id),
        }
    })
}

fn through_the_json_door(rig: &Rig, meaning: &Meaning) -> Seen {
    through(
        rig,
        meaning,
        |rig| rig.execute(&meaning.json),
        |json: String, issued| {
            let answer: Value = serde_json::from_str(&json.replace(issued, "issued")).unwrap();
            let headers = answer["headers"]
                .as_object()
                .unwrap()
                .iter()
                // Each stands under its usual spelling as well, with the same value.
                .filter(|(name, _)| *name != "date" && !name.contains(|c: char| c.is_ascii_uppercase()));
            let texts = |value: &Value| match value {
                Value::Array(values) => values.iter().map(|value| value.as_str().unwrap().to_owned()).collect(),
                value => vec![value.as_str().unwrap().to_owned()],
            };
            Told {
                status: answer["status"].as_u64().unwrap().try_into().unwrap(),
                headers: headers.map(|(name, value)| (name.clone(), texts(value))).collect(),
                body: answer["body"].clone(),
                execution_id: answer["executionId"].as_str().map(str::to_owned),
                sys_id: answer["sysId"].as_str().map(str::to_owned),
            }
        },
    )
}

#[test]
fn equal_inputs_make_equal_requests_at_both_exports() {
    let rig = Rig::start(Instance::demo()).unwrap();
    for meaning in requests(&format!("http://{}", rig.stand_in.http_addr())) {
        let typed = through_the_typed_door(&rig, &meaning);
        assert!(
            !typed.requests.is_empty(),
            "{}: nothing was sent: {:?}",
            meaning.name,
            typed.outcome
        );
        assert_eq!(through_the_json_door(&rig, &meaning), typed, "{}", meaning.name);
    }
}

#[test]
fn both_exports_refuse_with_the_same_words() {
    let rig = Rig::start(Instance::demo()).unwrap();
    for meaning in refused() {
        let typed = through_the_typed_door(&rig, &meaning);
        let error = typed.outcome.as_ref().expect_err(meaning.name);
        assert_eq!(
            (error.kind, error.flow),
            (ErrorKind::InvalidInput, FlowState::NotStarted),
            "{}",
            meaning.name
        );
        assert_eq!(typed.requests, [], "{}", meaning.name);
        assert_eq!(through_the_json_door(&rig, &meaning), typed, "{}", meaning.name);
    }
}

#[test]
fn a_body_with_get_or_delete_fails_typed_and_is_dropped_in_json() {
    let rig = Rig::start(Instance::demo()).unwrap();
    for (method, name) in [(Method::Get, "GET"), (Method::Delete, "DELETE")] {
        let path = format!("/api/sn_cico/flow_starter/{}_flow", name.to_lowercase());
        let meaning = meaning(name, json!({"method": name, "restApiTriggerPath": path}), |it| {
            (it.method, it.path) = (method, path.into())
        });
        let typed = through_the_typed_door(&rig, &meaning);
        assert_eq!(typed.outcome.unwrap_err().kind, ErrorKind::InvalidInput, "{name}");
        assert_eq!(typed.requests, [], "{name}");
        let json = through_the_json_door(&rig, &meaning);
        assert_eq!(json.outcome.unwrap().execution_id.as_deref(), Some("issued"), "{name}");
        assert_eq!(json.requests[0].1, "", "{name}");
    }
}

#[test]
fn a_token_is_asked_for_alone_as_it_is_before_a_flow() {
    let rig = Rig::start(Instance::demo()).unwrap();
    for place in [ClientAuthentication::RequestBody, ClientAuthentication::BasicHeader] {
        let flow = meaning("oauth", json!({}), |it| {
            it.authentication = Authentication::OauthClientCredentials(client(place))
        });
        let before_a_flow = through_the_typed_door(&rig, &flow.answered(TOKEN, fixed_token()));
        rig.stand_in.clear();
        let request = TokenRequest {
            instance: "acme".to_owned(),
            domain: None,
            endpoint: None,
            credentials: client(place),
            limits: None,
        };
        let token = rig.request_token(request).result.unwrap();
        let alone: Vec<_> = rig.stand_in.requests().iter().map(bytes).collect();
        assert_eq!((token.token.as_str(), token.expires_in_s), ("demo-token", Some(1799)));
        assert_eq!(alone, before_a_flow.requests[..1]);
    }
}
