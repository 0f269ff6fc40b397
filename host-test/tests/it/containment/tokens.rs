//! A guest and the tokens that are kept for its calls.

use flow_starter_host::input::{Authentication, ClientAuthentication, ClientCredentials, Method};
use flow_starter_host::{ErrorKind, FlowConfig, FlowResponse, FlowStarter, FlowState, Outcome};
use servicenow_stand_in::{Answer, Behaviour};

use super::sandbox::{Sandbox, error, patient};

async fn run_attack(starter: &FlowStarter, attack: &str, client: &str) -> Outcome<FlowResponse> {
    let mut config = FlowConfig::new(Method::Post, "acme", attack);
    config.authentication = Authentication::OauthClientCredentials(ClientCredentials {
        token_url: None,
        client_id: client.into(),
        client_secret: "demo-secret".into(),
        audience: None,
        scopes: Vec::new(),
        client_authentication: ClientAuthentication::RequestBody,
    });
    starter.trigger_flow(config).await
}

#[tokio::test]
async fn a_made_up_token_is_detected() {
    let sandbox = Sandbox::open(patient(8)).await;
    let starter = FlowStarter::new(sandbox.hostile.clone(), sandbox.egress.clone());
    for client in ["makes-one-up", "asks", "says-started"] {
        let error = error(run_attack(&starter, "/tells-its-token", client).await);
        assert_eq!(
            (error.kind, error.flow),
            (ErrorKind::Internal, FlowState::NotStarted),
            "{client}: {error}"
        );
        assert!(error.message.contains("contradicts"), "{client}: {error}");
    }
    assert_eq!(
        sandbox.stand_in.requests().len(),
        1,
        "one of them asked, and was refused"
    );
}

#[tokio::test]
async fn only_a_server_can_invalidate_a_cached_token() {
    let sandbox = Sandbox::open(patient(8)).await;
    sandbox
        .stand_in
        .behave("/oauth_token.do", Behaviour::Answer(Answer::new(200)));
    let starter = FlowStarter::new(sandbox.hostile.clone(), sandbox.egress.clone());
    for _ in 0..3 {
        let error = error(run_attack(&starter, "/says-unauthorized", "asks").await);
        assert_eq!(
            (error.kind, error.retryable),
            (ErrorKind::Unauthorized, false),
            "{error}"
        );
    }
    assert_eq!(sandbox.stand_in.requests().len(), 1, "the token is still kept");
}

#[tokio::test]
async fn a_guest_cannot_reveal_its_token() {
    let sandbox = Sandbox::open(patient(8)).await;
    sandbox
        .stand_in
        .behave("/oauth_token.do", Behaviour::Answer(Answer::new(200)));
    let starter = FlowStarter::new(sandbox.hostile.clone(), sandbox.egress.clone());
    let error = error(run_attack(&starter, "/tells-its-token", "asks").await);
    assert_eq!(error.message, "***");
}
