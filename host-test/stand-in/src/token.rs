//! `POST /oauth_token.do`: OAuth's client credentials grant (RFC 6749, section 4.4).

use serde_json::json;

use crate::access::basic;
use crate::answer::Answer;
use crate::instance::Instance;
use crate::instance_state::InstanceState;
use crate::request::Request;

pub(crate) const PATH: &str = "/oauth_token.do";

pub(crate) fn issue(instance: &Instance, current: &mut InstanceState, request: &Request<'_>) -> Answer {
    if request.head.method != "POST" {
        return refuse(405, "invalid_request", "Use POST").header("Allow", "POST");
    }
    if !request.has_media_type("application/x-www-form-urlencoded") {
        return refuse(
            400,
            "invalid_request",
            "The content type is not application/x-www-form-urlencoded",
        );
    }
    let field = |name: &str| {
        form_urlencoded::parse(request.body)
            .find(|(own, _)| own == name)
            .map(|(_, value)| value.into_owned())
    };
    match field("grant_type").as_deref() {
        Some("client_credentials") => {}
        Some(_) => {
            return refuse(400, "unsupported_grant_type", "Only client_credentials is supported");
        }
        None => return refuse(400, "invalid_request", "grant_type is missing"),
    }
    let credentials = request
        .head
        .values("authorization")
        .next()
        .map_or_else(|| field("client_id").zip(field("client_secret")), basic_client);
    let client = credentials.and_then(|(id, secret)| {
        instance
            .oauth_clients
            .iter()
            .find(|client| client.id == id && client.secret == secret)
    });
    match client {
        Some(client) => Answer::json(
            200,
            &json!({
                "access_token": current.issue(&client.user, client.expires_in),
                "scope": "useraccount",
                "token_type": "Bearer",
                "expires_in": client.expires_in,
            }),
        ),
        // Section 5.2: 401, and a challenge when the client used the header.
        None => refuse(401, "invalid_client", "The client id or its secret is wrong")
            .header("WWW-Authenticate", "Basic realm=\"Service-now\""),
    }
}

/// In the header, id and secret are form-encoded first (RFC 6749, section 2.3.1).
fn basic_client(authorization: &str) -> Option<(String, String)> {
    let (id, secret) = basic(authorization)?;
    let decode = |text: String| {
        percent_encoding::percent_decode_str(&text.replace('+', " "))
            .decode_utf8()
            .map(|text| text.into_owned())
            .ok()
    };
    Some((decode(id)?, decode(secret)?))
}

fn refuse(status: u16, error: &str, description: &str) -> Answer {
    Answer::json(status, &json!({ "error": error, "error_description": description }))
}
