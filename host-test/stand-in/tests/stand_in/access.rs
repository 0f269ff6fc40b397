//! Who may start a flow: basic, bearer, API key, OAuth, roles.

use servicenow_stand_in::{ApiKey, DEMO_FLOW, Flow, Instance, OAuthClient, StandIn, User};

use crate::client::{Answer, BASIC, Client, JSON, demo, request};

const TOKEN: &str = "/oauth_token.do";
const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";
const GRANT: &str = "grant_type=client_credentials&client_id=demo-client&client_secret=demo-secret";

fn start(client: &mut Client, credentials: &str, more_query: &str) -> Answer {
    let headers = format!("{credentials}{JSON}hello: header\r\n");
    client.post(&format!("{DEMO_FLOW}?hello=query{more_query}"), &headers, "{}")
}

#[test]
fn right_credentials_of_each_kind_start_the_flow_as_their_user() {
    let stand_in = demo();
    let mut client = Client::tls(&stand_in);
    let table = [
        (BASIC, ""),
        ("authorization: basic Y2FtdW5kYTpkZW1vLXBhc3N3b3Jk\r\n", ""),
        ("Authorization: Bearer demo-token\r\n", ""),
        ("X-SN-ApiKey: demo-api-key\r\n", ""),
        ("", "&x-sn-apikey=demo-api-key"),
    ];
    for (at, (credentials, query)) in table.into_iter().enumerate() {
        let answer = start(&mut client, credentials, query);
        assert_eq!(answer.status, 200, "{credentials}{query}");
        let started = stand_in.starts();
        assert_eq!(started.len(), at + 1, "{credentials}{query}");
        assert_eq!(started[at].user.as_deref(), Some("camunda"));
        assert_eq!(answer.json()["result"]["executionId"], started[at].id);
    }
}

#[test]
fn wrong_or_missing_credentials_start_nothing() {
    let stand_in = demo();
    let mut client = Client::tls(&stand_in);
    let table = [
        ("", ""),
        // camunda:wrong
        ("Authorization: Basic Y2FtdW5kYTp3cm9uZw==\r\n", ""),
        ("Authorization: Basic not-base64!\r\n", ""),
        ("Authorization: Bearer demo-tokens\r\n", ""),
        ("Authorization: Digest demo-token\r\n", ""),
        ("X-SN-ApiKey: demo-api-keys\r\n", ""),
        ("", "&x-sn-apikey=demo"),
        // An Authorization header decides alone.
        ("Authorization: Bearer wrong\r\nX-SN-ApiKey: demo-api-key\r\n", ""),
    ];
    for (credentials, query) in table {
        let answer = start(&mut client, credentials, query);
        assert_eq!(answer.status, 401, "{credentials}{query}");
        assert_eq!(answer.failure(), "User Not Authenticated");
        assert_eq!(answer.json()["error"]["detail"], "Required to provide Auth information");
        assert!(answer.header("www-authenticate").is_some());
    }
    assert!(stand_in.starts().is_empty());
    assert_eq!(stand_in.requests().len(), table.len());
}

#[test]
fn a_user_without_the_role_is_refused() {
    let stand_in = demo();
    // guest:guest-password
    let answer = start(
        &mut Client::tls(&stand_in),
        "Authorization: Basic Z3Vlc3Q6Z3Vlc3QtcGFzc3dvcmQ=\r\n",
        "",
    );
    assert_eq!((answer.status, answer.failure().as_str()), (403, "User Not Authorized"));
    assert!(stand_in.starts().is_empty());
}

/// What a check of credentials asks, without starting anything.
#[test]
fn the_table_of_users_is_for_who_has_a_role_and_a_403_is_not_a_401() {
    let stand_in = demo();
    let mut client = Client::tls(&stand_in);
    let target = "/api/now/table/sys_user?sysparm_limit=1";
    let answer = client.get(target, BASIC);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["result"].as_array().unwrap().len(), 1);
    // guest:guest-password, who has no role; camunda:wrong; nobody.
    for (credentials, status, failure) in [
        (
            "Authorization: Basic Z3Vlc3Q6Z3Vlc3QtcGFzc3dvcmQ=\r\n",
            403,
            "User Not Authorized",
        ),
        (
            "Authorization: Basic Y2FtdW5kYTp3cm9uZw==\r\n",
            401,
            "User Not Authenticated",
        ),
        ("", 401, "User Not Authenticated"),
    ] {
        let answer = client.get(target, credentials);
        assert_eq!((answer.status, answer.failure().as_str()), (status, failure));
        assert!(answer.header("date").is_some());
    }
    assert!(stand_in.starts().is_empty());
}

#[test]
fn a_public_flow_needs_no_credentials() {
    let stand_in = demo();
    let mut client = Client::tls(&stand_in);
    let path = "/api/sn_cico/flow_starter/public_flow";
    assert_eq!(client.post(path, JSON, "{}").status, 200);
    assert_eq!(stand_in.starts()[0].user, None);
}

#[test]
fn an_api_key_counts_only_where_its_declaration_says() {
    let key = |header: Option<&str>, query: Option<&str>| ApiKey {
        value: "k".to_owned(),
        user: "u".to_owned(),
        header: header.map(str::to_owned),
        query: query.map(str::to_owned),
    };
    let table = [
        (key(None, None), [200, 401, 401]),
        (key(Some("x-mine"), None), [401, 200, 401]),
        (key(None, Some("mine")), [401, 401, 200]),
    ];
    for (key, statuses) in table {
        let instance = Instance::new("acme")
            .user(User::new("u", "p"))
            .api_key(key.clone())
            .flow(Flow::new("/f"));
        let stand_in = StandIn::start(instance).unwrap();
        let mut client = Client::plain(&stand_in);
        let sent = [("/f", "x-sn-apikey: k\r\n"), ("/f", "x-mine: k\r\n"), ("/f?mine=k", "")];
        assert_eq!(
            sent.map(|(target, headers)| client.post(target, headers, "").status),
            statuses,
            "{key:?}"
        );
    }
}

/// Servlet containers read headers so.
#[test]
fn a_headers_value_is_read_as_iso_8859_1() {
    let key = ApiKey {
        value: "schlüssel".to_owned(),
        user: "u".to_owned(),
        header: None,
        query: None,
    };
    let instance = Instance::new("acme")
        .user(User::new("u", "p"))
        .api_key(key)
        .flow(Flow::new("/f"));
    let stand_in = StandIn::start(instance).unwrap();
    let mut client = Client::plain(&stand_in);
    for (value, status, read) in [
        (&b"schl\xfcssel"[..], 200, "schlüssel"),
        ("schlüssel".as_bytes(), 401, "schlÃ¼ssel"),
    ] {
        let head = [b"POST /f HTTP/1.1\r\nHost: acme\r\nx-sn-apikey: ", value, b"\r\n\r\n"].concat();
        assert_eq!(client.send(head).answer().status, status);
        let requests = stand_in.requests();
        assert_eq!(requests.last().unwrap().header("x-sn-apikey").next(), Some(read));
    }
}

#[test]
fn a_token_comes_for_the_clients_credentials_in_the_body_or_in_the_header() {
    let stand_in = demo();
    let mut client = Client::tls(&stand_in);
    // demo-client:demo-secret
    let basic = format!("Authorization: Basic ZGVtby1jbGllbnQ6ZGVtby1zZWNyZXQ=\r\n{FORM}");
    for (headers, form) in [
        (FORM, GRANT),
        (&basic, "grant_type=client_credentials&scope=useraccount"),
    ] {
        let answer = client.post(TOKEN, headers, form);
        assert_eq!(answer.status, 200);
        let json = answer.json();
        assert_eq!(
            (&json["token_type"], &json["expires_in"]),
            (&"Bearer".into(), &1799.into())
        );
        let token = json["access_token"].as_str().unwrap();
        let bearer = format!("Authorization: Bearer {token}\r\n");
        assert_eq!(start(&mut client, &bearer, "").status, 200);
    }
    assert_eq!(stand_in.starts().len(), 2);
    assert_ne!(stand_in.starts()[0].id, stand_in.starts()[1].id);
}

#[test]
fn a_token_is_refused_with_the_errors_of_the_standard() {
    let stand_in = demo();
    let mut client = Client::tls(&stand_in);
    let wrong_secret = "grant_type=client_credentials&client_id=demo-client&client_secret=x";
    let table = [
        ("POST", FORM, wrong_secret, 401, "invalid_client"),
        ("POST", FORM, "grant_type=client_credentials", 401, "invalid_client"),
        (
            "POST",
            FORM,
            "grant_type=password&client_id=a",
            400,
            "unsupported_grant_type",
        ),
        ("POST", FORM, "client_id=a", 400, "invalid_request"),
        ("POST", JSON, "{}", 400, "invalid_request"),
        ("GET", "", "", 405, "invalid_request"),
    ];
    for (method, headers, form, status, error) in table {
        let answer = client.send(request(method, TOKEN, headers, form)).answer();
        assert_eq!(
            (answer.status, answer.json()["error"].as_str()),
            (status, Some(error)),
            "{method} {form}"
        );
    }
}

#[test]
fn a_revoked_or_expired_token_is_worth_nothing() {
    let instance = Instance::demo().oauth_client(OAuthClient {
        expires_in: 0,
        ..OAuthClient::new("brief", "s", "camunda")
    });
    let stand_in = StandIn::start(instance).unwrap();
    let mut client = Client::tls(&stand_in);
    let token = |client: &mut Client, form: &str| {
        let answer = client.post(TOKEN, FORM, form);
        let token = answer.json()["access_token"].as_str().unwrap().to_owned();
        format!("Authorization: Bearer {token}\r\n")
    };
    let brief = token(
        &mut client,
        "grant_type=client_credentials&client_id=brief&client_secret=s",
    );
    assert_eq!(start(&mut client, &brief, "").status, 401);

    let good = token(&mut client, GRANT);
    assert_eq!(start(&mut client, &good, "").status, 200);
    stand_in.revoke_tokens();
    assert_eq!(start(&mut client, &good, "").status, 401);
    assert_eq!(stand_in.starts().len(), 1);
}
