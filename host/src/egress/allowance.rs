//! The requests that a call may still send: one for the flow, and before it one for a token if the input needs it.

use http::Method;

use super::destinations::Destinations;
use super::origin::Origin;
use super::policy::Policy;
use super::record::{Purpose, Stop};

/// The requests that a call may still send.
#[derive(Debug)]
pub(crate) struct Allowance {
    named: Destinations,
    policy: Policy,
    flow: bool,
    token: bool,
}

impl Allowance {
    pub(crate) fn new(named: Destinations, policy: Policy) -> Self {
        Self {
            flow: named.flow().is_some(),
            token: named.token().is_some(),
            named,
            policy,
        }
    }

    /// The purpose of a request. A POST to exactly the token URL is the token's, any other is the flow's.
    pub(crate) fn purpose(&self, method: &Method, origin: &Origin, target: &str) -> Purpose {
        let is_tokens = self.token
            && method == Method::POST
            && self
                .named
                .token_url()
                .is_some_and(|url| url.origin == *origin && *url.path_and_query == *target);
        if is_tokens { Purpose::Token } else { Purpose::Flow }
    }

    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The failure of a request that the input names and the policy does not allow. A request that the input does not name has no advice.
    pub(crate) fn refusal(&self, purpose: Purpose, origin: &Origin) -> Option<Stop> {
        let named = match purpose {
            Purpose::Token => self.named.token(),
            Purpose::Flow => self.named.flow(),
        };
        self.policy.refusal(origin).filter(|_| named == Some(origin))
    }

    /// Allows a request, once for each purpose; `false` if it is denied.
    pub(crate) fn take(&mut self, purpose: Purpose, origin: &Origin) -> bool {
        let (named, left) = match purpose {
            Purpose::Token => (self.named.token(), &mut self.token),
            Purpose::Flow => (self.named.flow(), &mut self.flow),
        };
        if named == Some(origin) && self.policy.allows(origin) {
            std::mem::take(left)
        } else {
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = r#"{"snInstance":"acme"}"#;
    const OAUTH: &str = r#"{"snInstance":"acme","authentication":{"type":"oauth-client-credentials-flow",
        "oauthTokenEndpoint":"https://login.example/token"}}"#;

    fn origin(text: &str) -> Origin {
        text.parse().unwrap()
    }

    fn clouds_and_login() -> Policy {
        Policy::new(["*.service-now.com".parse().unwrap(), "login.example".parse().unwrap()])
    }

    fn ask(allowance: &mut Allowance, method: Method, to: &str, target: &str) -> Option<Purpose> {
        let to = origin(to);
        let purpose = allowance.purpose(&method, &to, target);
        allowance.take(purpose, &to).then_some(purpose)
    }

    #[test]
    fn a_call_reaches_what_its_input_names_and_nothing_else() {
        for (to, allowed) in [
            ("https://acme.service-now.com", true),
            ("https://ACME.service-now.com:443", true),
            ("https://acme.service-now.com:8443", false),
            ("https://other.service-now.com", false),
            ("https://service-now.com", false),
            ("https://acme.service-now.com.evil.example", false),
            ("http://localhost:443", false),
            ("https://127.0.0.1", false),
        ] {
            let mut allowance = Allowance::new(Destinations::of_json(PLAIN), Policy::default());
            let answer = ask(&mut allowance, Method::POST, to, "/api/x/y");
            assert_eq!(answer.is_some(), allowed, "{to}");
        }
    }

    #[test]
    fn a_policy_narrows_and_never_widens() {
        let elsewhere = Policy::new([origin("https://other.service-now.com").into()]);
        for (policy, to, allowed) in [
            (Policy::deny_all(), "https://acme.service-now.com", false),
            (elsewhere.clone(), "https://acme.service-now.com", false),
            (elsewhere, "https://other.service-now.com", false),
            (
                Policy::new([origin("https://acme.service-now.com").into()]),
                "https://acme.service-now.com",
                true,
            ),
        ] {
            let mut allowance = Allowance::new(Destinations::of_json(PLAIN), policy);
            assert_eq!(ask(&mut allowance, Method::GET, to, "/").is_some(), allowed);
        }
    }

    #[test]
    fn one_request_for_the_flow_and_one_for_its_token() {
        let mut allowance = Allowance::new(Destinations::of_json(OAUTH), clouds_and_login());
        let (login, acme) = ("https://login.example", "https://acme.service-now.com");
        let post = Method::POST;
        assert_eq!(ask(&mut allowance, post.clone(), login, "/token"), Some(Purpose::Token));
        assert_eq!(ask(&mut allowance, post.clone(), login, "/token"), None);
        assert_eq!(ask(&mut allowance, Method::GET, acme, "/api/x/y"), Some(Purpose::Flow));
        assert_eq!(ask(&mut allowance, Method::GET, acme, "/api/x/y"), None);
    }

    #[test]
    fn only_a_post_to_the_token_url_is_a_token_request() {
        for (method, target) in [
            (Method::GET, "/token"),
            (Method::POST, "/token?x"),
            (Method::POST, "/Token"),
            (Method::POST, "/"),
        ] {
            let mut allowance = Allowance::new(Destinations::of_json(OAUTH), clouds_and_login());
            assert_eq!(ask(&mut allowance, method, "https://login.example", target), None);
        }
    }

    #[test]
    fn an_input_without_destinations_reaches_no_server() {
        let mut allowance = Allowance::new(Destinations::of_json("junk"), Policy::default());
        let to = "https://acme.service-now.com";
        assert_eq!(ask(&mut allowance, Method::POST, to, "/"), None);
    }
}
