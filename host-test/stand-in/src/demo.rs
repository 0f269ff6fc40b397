//! The ready-made instance: the flow of Camunda's blueprint, and one flow for each thing that can differ.

use crate::instance::{ApiKey, BearerToken, Flavour, Flow, Instance, Method, OAuthClient, User};

/// The flow of the blueprint that Camunda publishes with its connector.
pub const DEMO_FLOW: &str = "/api/sn_cico/flow_starter/my_flow";

/// The role that every flow of the demo but the public one asks for.
const STARTER: &str = "x_flow_starter";

impl Instance {
    /// `acme`, with the blueprint's flow ([`DEMO_FLOW`], POST), a flow for each other method, one with a path
    /// parameter, one that is public, one that answers 202, a Scripted REST API; and a user, `camunda`, who may start them
    /// by password, bearer token, API key or OAuth, beside one, `guest`, who may not.
    #[must_use]
    pub fn demo() -> Self {
        let other_methods = [Method::Get, Method::Put, Method::Patch, Method::Delete];
        let demo = Self::new("acme")
            .user(User::new("camunda", "demo-password").role(STARTER))
            .user(User::new("guest", "guest-password"))
            .api_key(ApiKey {
                value: "demo-api-key".to_owned(),
                user: "camunda".to_owned(),
                header: Some("x-sn-apikey".to_owned()),
                query: Some("x-sn-apikey".to_owned()),
            })
            .oauth_client(OAuthClient::new("demo-client", "demo-secret", "camunda"))
            .bearer_token(BearerToken {
                value: "demo-token".to_owned(),
                user: "camunda".to_owned(),
            })
            .flow(
                Flow::new(DEMO_FLOW)
                    .role(STARTER)
                    .required_header("hello")
                    .required_query("hello"),
            );
        other_methods
            .into_iter()
            .fold(demo, |demo, method| {
                let name = method.as_str().to_lowercase();
                demo.flow(
                    Flow::new(format!("/api/sn_cico/flow_starter/{name}_flow"))
                        .methods([method])
                        .role(STARTER),
                )
            })
            .flow(Flow::new("/api/sn_cico/flow_starter/parameter_flow/{number}").role(STARTER))
            .flow(Flow::new("/api/sn_cico/flow_starter/public_flow").public())
            .flow(
                Flow::new("/api/sn_cico/flow_starter/accepted_flow")
                    .role(STARTER)
                    .status(202),
            )
            .flow(
                Flow::new("/api/x_acme/scripted/my_flow")
                    .methods(Method::ALL)
                    .flavour(Flavour::ScriptedRest)
                    .role(STARTER),
            )
    }
}
