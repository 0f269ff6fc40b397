use std::time::Duration;

use flow_starter_host::egress::{Progress, Purpose};
use flow_starter_host::input::{Authentication, ClientAuthentication, ClientCredentials, Method};
use flow_starter_host::secrets::{Providing, SecretProvider};
use flow_starter_host::{Engine, ErrorKind, FlowConfig, FlowStarter, FlowState, Limits, Secrets};
use host_test::rig::{Rig, component_file};
use serde_json::json;
use servicenow_stand_in::{Answer, Behaviour, DEMO_FLOW, Fault, Instance, OAuthClient, StandIn};

use super::{Log, input, oauth, starter};

const TOKEN_PATH: &str = "/oauth_token.do";
const SECRETS: [(&str, &str); 1] = [("CLIENT", "demo-secret")];

fn asked(stand_in: &StandIn, path: &str) -> usize {
    stand_in
        .requests()
        .iter()
        .filter(|request| request.target.starts_with(path))
        .count()
}

#[tokio::test]
async fn a_token_is_asked_for_once_for_many_calls() {
    let stand_in = StandIn::start(Instance::demo()).unwrap();
    let starter = starter(&stand_in, &SECRETS).await;
    let input = oauth("{{secrets.CLIENT}}");
    let first = starter.execute(&input).await;
    assert!(first.result.is_ok(), "{first:?}");
    let purposes: Vec<_> = first.requests.iter().map(|request| request.purpose).collect();
    assert_eq!(
        purposes,
        [Purpose::Token, Purpose::Flow],
        "the call that asked shows both"
    );
    let second = starter.clone().execute(&input).await;
    assert_eq!(second.requests.len(), 1);
    let calls = (0..20).map(|_| starter.execute(&input));
    for outcome in futures_util::future::join_all(calls).await {
        assert!(outcome.result.is_ok(), "{outcome:?}");
    }
    assert_eq!((asked(&stand_in, TOKEN_PATH), stand_in.starts().len()), (1, 22));
}

#[tokio::test]
async fn many_calls_at_once_ask_for_one_token() {
    let stand_in = StandIn::start(Instance::demo()).unwrap();
    let starter = starter(&stand_in, &SECRETS).await;
    stand_in.behave(
        TOKEN_PATH,
        Behaviour::Delay {
            by: Duration::from_millis(300),
            then: Box::new(Behaviour::Normal),
        },
    );
    let input = oauth("secrets.CLIENT");
    let calls = (0..30).map(|_| starter.execute(&input));
    for outcome in futures_util::future::join_all(calls).await {
        assert!(outcome.result.is_ok(), "{outcome:?}");
    }
    assert_eq!((asked(&stand_in, TOKEN_PATH), stand_in.starts().len()), (1, 30));
}

#[tokio::test]
async fn a_kept_token_that_is_refused_is_dropped_and_the_call_may_be_tried_again() {
    let stand_in = StandIn::start(Instance::demo()).unwrap();
    let starter = starter(&stand_in, &SECRETS).await;
    let input = oauth("secrets.CLIENT");
    assert!(starter.execute(&input).await.result.is_ok());
    stand_in.revoke_tokens();
    let error = starter.execute(&input).await.result.unwrap_err();
    assert_eq!(
        (error.kind, error.flow, error.retryable),
        (ErrorKind::Unauthorized, FlowState::NotStarted, true),
        "{error}"
    );
    assert!(error.message.contains("the next attempt requests a new one"), "{error}");
    assert_eq!(stand_in.starts().len(), 1, "it was not tried again by itself");
    assert!(starter.execute(&input).await.result.is_ok());
    assert_eq!(asked(&stand_in, TOKEN_PATH), 2);
}

#[tokio::test]
async fn a_fresh_token_that_is_refused_is_dropped_and_is_no_reason_to_try_again() {
    let stand_in = StandIn::start(Instance::demo()).unwrap();
    let starter = starter(&stand_in, &SECRETS).await;
    let input = oauth("secrets.CLIENT");
    let refusal = Behaviour::Answer(Answer::new(401).body("{}"));
    stand_in.behave_once(DEMO_FLOW, refusal);
    let error = starter.execute(&input).await.result.unwrap_err();
    assert_eq!(
        (error.kind, error.retryable),
        (ErrorKind::Unauthorized, false),
        "{error}"
    );
    assert!(starter.execute(&input).await.result.is_ok());
    assert_eq!(asked(&stand_in, TOKEN_PATH), 2, "the refused one was dropped");
}

/// The client's id and secret are not sent for a call that cannot be made.
#[tokio::test]
async fn no_token_is_asked_for_before_the_whole_input_is_valid() {
    let stand_in = StandIn::start(Instance::demo()).unwrap();
    let starter = starter(&stand_in, &SECRETS).await;
    for (member, value) in [
        ("restApiTriggerPath", json!("/api/a/../b")),
        ("headers", json!({ "host": "evil.example" })),
        ("body", json!("{")),
        ("readTimeoutInSeconds", json!("5.")),
        ("readTimeoutInSeconds", json!(".5")),
        ("readTimeoutInSeconds", json!("+5")),
        ("connectionTimeoutInSeconds", json!(4_294_967.2)),
        ("method", json!("post")),
    ] {
        let mut input: serde_json::Value = serde_json::from_str(&oauth("{{secrets.CLIENT}}")).unwrap();
        input[member] = value;
        let outcome = starter.execute(&input.to_string()).await;
        let error = outcome.result.unwrap_err();
        assert_eq!(
            (error.kind, error.flow),
            (ErrorKind::InvalidInput, FlowState::NotStarted),
            "{error}"
        );
        assert!(outcome.requests.is_empty(), "{member}: {:?}", outcome.requests);
        let shown = starter.dry_run(&input.to_string()).await;
        assert!(shown.requests.is_empty() && shown.refusal.is_some(), "{shown:?}");
    }
    let mut config = FlowConfig::new(Method::Post, "acme", "/api/a/../b");
    config.authentication = Authentication::OauthClientCredentials(client("demo-client", "demo-secret"));
    assert_eq!(
        starter.trigger_flow(config).await.result.unwrap_err().kind,
        ErrorKind::InvalidInput
    );
    assert_eq!(stand_in.requests().len(), 0);
}

fn client(id: &str, secret: &str) -> ClientCredentials {
    ClientCredentials {
        token_url: None,
        client_id: id.into(),
        client_secret: secret.into(),
        audience: None,
        scopes: Vec::new(),
        client_authentication: ClientAuthentication::RequestBody,
    }
}

/// What any other answer says is nothing about the token.
#[tokio::test]
async fn only_a_401_drops_a_token() {
    let stand_in = StandIn::start(Instance::demo()).unwrap();
    let starter = starter(&stand_in, &SECRETS).await;
    let input = oauth("secrets.CLIENT");
    for status in [200, 403, 404, 429, 500, 503] {
        stand_in.behave_once(DEMO_FLOW, Behaviour::Answer(Answer::new(status).body("{}")));
        let _ = starter.execute(&input).await;
    }
    assert_eq!(asked(&stand_in, TOKEN_PATH), 1);
}

#[tokio::test]
async fn another_secret_does_not_get_the_token() {
    let stand_in = StandIn::start(Instance::demo()).unwrap();
    let starter = starter(&stand_in, &SECRETS).await;
    assert!(starter.execute(&oauth("demo-secret")).await.result.is_ok());
    let outcome = starter.execute(&oauth("guessed-secret")).await;
    let error = outcome.result.unwrap_err();
    assert_eq!(
        (error.kind, error.flow, error.retryable),
        (ErrorKind::Unauthorized, FlowState::NotStarted, false),
        "{error}"
    );
    assert_eq!(outcome.requests.len(), 1);
    assert_eq!(
        (outcome.requests[0].purpose, outcome.requests[0].progress),
        (Purpose::Token, Progress::Answered(401))
    );
    assert_eq!(stand_in.starts().len(), 1);
}

#[tokio::test]
async fn a_token_that_expires_is_asked_for_again() {
    let mut instance = Instance::demo();
    let mut client = OAuthClient::new("short-client", "short-secret", "camunda");
    client.expires_in = 0;
    instance = instance.oauth_client(client);
    let stand_in = StandIn::start(instance).unwrap();
    let starter = starter(&stand_in, &[]).await;
    let input = input(json!({ "authentication": {
        "type": "oauth-client-credentials-flow", "clientId": "short-client", "clientSecret": "short-secret" } }));
    // It has expired when it arrives, and whether the instance takes it is the instance's to say.
    for _ in 0..3 {
        let _ = starter.execute(&input).await;
    }
    assert_eq!(asked(&stand_in, TOKEN_PATH), 3);
}

#[tokio::test]
async fn typed_calls_cache_tokens_too() {
    let stand_in = StandIn::start(Instance::demo()).unwrap();
    let starter = starter(&stand_in, &[]).await;
    for _ in 0..3 {
        let mut config = FlowConfig::new(Method::Post, "acme", DEMO_FLOW);
        config.headers = vec![("hello".to_owned(), "header".into())];
        config.query = vec![("hello".to_owned(), "query".into())];
        config.authentication = Authentication::OauthClientCredentials(ClientCredentials {
            client_authentication: ClientAuthentication::BasicHeader,
            ..client("demo-client", "demo-secret")
        });
        let outcome = starter.trigger_flow(config).await;
        assert!(outcome.result.is_ok(), "{outcome:?}");
    }
    assert_eq!((asked(&stand_in, TOKEN_PATH), stand_in.starts().len()), (1, 3));
}

/// A token is a secret too: the server echoes it, and it comes out nowhere.
#[tokio::test]
async fn a_token_does_not_come_out() {
    let stand_in = StandIn::start(Instance::demo()).unwrap();
    let starter = starter(&stand_in, &SECRETS).await;
    let input = oauth("secrets.CLIENT");
    let log = Log::default();
    let _listening = log.listen();
    assert!(starter.execute(&input).await.result.is_ok());
    let last = stand_in.requests().pop().unwrap();
    let token = last
        .header("authorization")
        .next()
        .unwrap()
        .strip_prefix("Bearer ")
        .unwrap()
        .to_owned();
    let echo = Answer::new(400)
        .header("X-Echo", &token)
        .body(json!({ "error": { "message": format!("not with {token}"), "detail": null } }).to_string());
    stand_in.behave(DEMO_FLOW, Behaviour::Answer(echo));
    let outcome = starter.execute(&input).await;
    let error = outcome.result.as_ref().unwrap_err();
    let output = format!(
        "{outcome:?} {error} {:?} {starter:?} {}",
        error.response.as_ref().map(|it| (&it.headers, &it.body)),
        log.text()
    );
    assert!(output.contains("not with ***") && !output.contains(&token), "{output}");
    assert!(!output.contains("demo-secret"), "{output}");
}

#[tokio::test]
async fn a_dry_run_asks_for_no_token() {
    let stand_in = StandIn::start(Instance::demo()).unwrap();
    let starter = starter(&stand_in, &SECRETS).await;
    let dry_run = starter.dry_run(&oauth("secrets.CLIENT")).await;
    let [token, flow] = &dry_run.requests[..] else {
        panic!("{dry_run:?}")
    };
    assert_eq!(
        (token.purpose, flow.purpose, dry_run.refusal),
        (Purpose::Token, Purpose::Flow, None)
    );
    assert!(
        token.url.ends_with(TOKEN_PATH) && token.body.contains("client_secret=***"),
        "{token:?}"
    );
    assert!(
        flow.headers
            .contains(&("authorization".to_owned(), "Bearer ***".to_owned())),
        "{flow:?}"
    );
    assert_eq!(stand_in.connections(), 0);
}

/// Whatever its time is spent on: a token, a provider of secrets, the flow.
#[tokio::test]
async fn the_wall_clock_covers_the_whole_call() {
    let stand_in = StandIn::start(Instance::demo()).unwrap();
    let limits = Limits {
        wall_clock: Duration::from_secs(2),
        concurrent_calls: 4,
        ..Limits::default()
    };
    let component = std::fs::read(component_file()).unwrap();
    let connector = Engine::new(limits).unwrap().load(&component).await.unwrap();
    let egress = Rig::reaching(&stand_in).unwrap().build().unwrap();
    let starter = FlowStarter::new(connector, egress).secrets(Secrets::none().with(Locked));
    let late = |by: u64| Behaviour::Delay {
        by: Duration::from_millis(by),
        then: Box::new(Behaviour::Normal),
    };
    // Neither takes too long by itself.
    stand_in.behave(TOKEN_PATH, late(1_200));
    stand_in.behave(DEMO_FLOW, late(1_200));
    let error = starter.execute(&oauth("demo-secret")).await.result.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Internal, "{error}");
    assert!(error.message.contains("(2 s)"), "{error}");
    let error = starter.execute(&oauth("secrets.NEVER")).await.result.unwrap_err();
    assert_eq!(
        (error.kind, error.flow, error.retryable),
        (ErrorKind::Internal, FlowState::NotStarted, true),
        "{error}"
    );
}

/// A provider that never answers.
#[derive(Debug)]
struct Locked;

impl SecretProvider for Locked {
    fn get<'a>(&'a self, _: &'a str) -> Providing<'a> {
        Box::pin(std::future::pending())
    }

    fn place(&self, name: &str) -> String {
        format!("the vault's {name}")
    }
}

/// What left by then decides.
#[tokio::test]
async fn a_call_that_is_given_up_is_judged_by_what_left() {
    let stand_in = StandIn::start(Instance::demo()).unwrap();
    let starter = starter(&stand_in, &SECRETS).await;
    let input = oauth("secrets.CLIENT");
    let arrived = |count: usize| {
        let stand_in = &stand_in;
        async move {
            while stand_in.requests().len() < count {
                tokio::task::yield_now().await;
            }
        }
    };
    stand_in.behave(TOKEN_PATH, Behaviour::Fault(Fault::Silence));
    let error = starter.execute_until(&input, arrived(1)).await.result.unwrap_err();
    assert_eq!((error.flow, error.retryable), (FlowState::NotStarted, true), "{error}");
    stand_in.behave_well();
    stand_in.behave(DEMO_FLOW, Behaviour::Fault(Fault::Silence));
    let outcome = starter.execute_until(&input, arrived(3)).await;
    assert_eq!(outcome.requests.last().unwrap().progress, Progress::Sent);
    let error = outcome.result.unwrap_err();
    assert_eq!((error.flow, error.retryable), (FlowState::Unknown, false), "{error}");
}
