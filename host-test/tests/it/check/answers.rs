//! What the instance answers: awake or not, credentials good or not, clocks that agree or not.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use servicenow_stand_in::{Answer, Behaviour, Fault};

use super::{ACME, CLIENT_SECRET, KEY, PASSWORD, TOKEN, basic, check, check_text, input, oauth, run, stand_in};

const TABLE: &str = "/api/now/table/sys_user";
const TOKEN_PATH: &str = "/oauth_token.do";
const ASKED: &str = "/api/now/table/sys_user?sysparm_fields=sys_id&sysparm_limit=1";

#[test]
fn right_credentials_of_each_kind_pass_every_step() {
    let key = |at: &str| json!({ "type": "apiKey", "apiKeyLocation": at, "name": "x-sn-apikey", "value": KEY });
    for authentication in [
        basic("camunda", PASSWORD),
        basic("camunda", "{{secrets.SN_PASSWORD}}"),
        json!({ "type": "bearer", "token": TOKEN }),
        key("headers"),
        key("query"),
        oauth(CLIENT_SECRET, None),
    ] {
        let stand_in = stand_in();
        let ran = check(&stand_in, &input(&authentication));
        assert_eq!(ran.code, 0, "{}", ran.out);
        assert_eq!(ran.marks(), ['✓', '✓', '✓'], "{}", ran.out);
        assert!(!ran.out.contains('✗') && !ran.out.contains("To do"), "{}", ran.out);
        let requests = stand_in.requests();
        let last = requests.last().unwrap();
        assert_eq!(last.method, "GET");
        assert!(last.target.starts_with(ASKED), "{}", last.target);
        assert!(
            last.body.is_empty() && last.header("x-secret").next().is_none(),
            "{last:?}"
        );
        let is_oauth = authentication["type"] == "oauth-client-credentials-flow";
        assert_eq!(requests.len(), if is_oauth { 2 } else { 1 });
        assert_eq!(ran.out.contains("✓ token"), is_oauth, "{}", ran.out);
        let (mark, words) = ran.step(ACME, "flow");
        assert!(
            mark == '–' && words.starts_with("not tested: a check starts no flow"),
            "{}",
            ran.out
        );
    }
}

#[test]
fn wrong_credentials_are_refused_and_the_instance_is_awake_all_the_same() {
    let key = json!({ "type": "apiKey", "apiKeyLocation": "headers", "name": "x-sn-apikey", "value": "wrong" });
    for authentication in [
        basic("camunda", "wrong"),
        json!({ "type": "bearer", "token": "wrong" }),
        key,
    ] {
        let ran = check(&stand_in(), &input(&authentication));
        assert_eq!((ran.code, ran.marks()), (3, ['✓', '✗', '✓']), "{}", ran.out);
        assert!(ran.step(ACME, "credentials").1.contains("refused (401)"), "{}", ran.out);
        assert!(ran.out.contains("To do: "), "{}", ran.out);
    }
}

#[test]
fn a_user_without_read_access_has_valid_credentials() {
    let ran = check(&stand_in(), &input(&basic("guest", PASSWORD)));
    assert_eq!((ran.code, ran.marks()), (0, ['✓', '✓', '✓']), "{}", ran.out);
    assert!(
        ran.step(ACME, "credentials").1.contains("without read access"),
        "{}",
        ran.out
    );
}

#[test]
fn a_403_that_is_not_of_the_rest_api_says_nothing_for_the_credentials() {
    let stand_in = stand_in();
    let page = Answer::new(403).header("Content-Type", "text/html").body("<h1>No</h1>");
    stand_in.behave(TABLE, Behaviour::Answer(page));
    let ran = check(&stand_in, &input(&basic("camunda", PASSWORD)));
    assert_eq!((ran.code, ran.marks()), (3, ['✗', '–', '✓']), "{}", ran.out);
}

#[test]
fn a_hibernating_instance_is_recognised() {
    for authentication in [basic("camunda", PASSWORD), oauth(CLIENT_SECRET, None), Value::Null] {
        let stand_in = stand_in();
        stand_in.hibernate(true);
        let ran = check(&stand_in, &input(&authentication));
        assert_eq!((ran.code, ran.mark("instance")), (3, '✗'), "{}", ran.out);
        assert_eq!(ran.step(ACME, "credentials"), ('–', "not reached"), "{}", ran.out);
        assert!(ran.out.contains("wake the instance"), "{}", ran.out);
    }
}

#[test]
fn an_input_without_credentials_still_tests_the_instance() {
    let ran = check(&stand_in(), &input(&json!({ "type": "noAuth" })));
    assert_eq!((ran.code, ran.marks()), (0, ['✓', '–', '✓']), "{}", ran.out);
}

#[test]
fn a_wrong_client_gets_no_token() {
    let ran = check(&stand_in(), &input(&oauth("wrong", None)));
    assert_eq!((ran.code, ran.marks()), (3, ['✓', '–', '–']), "{}", ran.out);
    let (mark, words) = ran.step(ACME, "token");
    assert_eq!(mark, '✗');
    assert!(words.contains("refused (401)"), "{words}");
}

#[test]
fn a_token_endpoint_elsewhere_has_steps_of_its_own() {
    let elsewhere = Some("https://login.example/oauth_token.do");
    let stand_in = stand_in();
    let ran = check(&stand_in, &input(&oauth(CLIENT_SECRET, elsewhere)));
    assert_eq!((ran.code, ran.marks()), (0, ['✓', '✓', '✓']), "{}", ran.out);
    assert_eq!(ran.step("https://login.example", "TLS").0, '✓');
    assert_eq!(ran.step(ACME, "token").0, '✓');
    // The token's host says nothing for the instance.
    let refused = check(&stand_in, &input(&oauth("wrong", elsewhere)));
    assert_eq!((refused.code, refused.marks()), (3, ['–', '–', '–']), "{}", refused.out);
    assert_eq!(refused.step(ACME, "token").0, '✗');
}

#[test]
fn a_token_endpoint_that_fails_is_not_a_wrong_client() {
    let page = Answer::new(200).header("Content-Type", "text/html").body("<html>");
    for (behaviour, words) in [
        (Behaviour::status(503), "(503)"),
        (Behaviour::status(404), "no token (404)"),
        (Behaviour::Answer(Answer::new(200).body("{}")), "no token (200)"),
        (Behaviour::Answer(page), "no token (200)"),
        (Behaviour::Fault(Fault::Close), "ended without a response"),
    ] {
        let stand_in = stand_in();
        stand_in.behave(TOKEN_PATH, behaviour.clone());
        let elsewhere = Some("https://login.example/oauth_token.do");
        let ran = check(&stand_in, &input(&oauth(CLIENT_SECRET, elsewhere)));
        let (mark, detail) = ran.step(ACME, "token");
        assert_eq!((ran.code, mark), (3, '✗'), "{behaviour:?}: {}", ran.out);
        assert!(
            detail.contains(words) && !detail.contains("refused"),
            "{behaviour:?}: {detail}"
        );
        assert_eq!(ran.marks(), ['–', '–', '–'], "{}", ran.out);
    }
}

#[test]
fn an_instance_that_has_no_token_is_awake_where_it_says_so() {
    for (behaviour, instance, token) in [
        (Behaviour::status(404), '✓', '✗'),
        (Behaviour::Answer(Answer::new(200).body("{}")), '✓', '✗'),
        (Behaviour::status(503), '✗', '–'),
        (Behaviour::Hibernating, '✗', '–'),
    ] {
        let stand_in = stand_in();
        stand_in.behave(TOKEN_PATH, behaviour.clone());
        let ran = check(&stand_in, &input(&oauth(CLIENT_SECRET, None)));
        assert_eq!(
            (ran.mark("instance"), ran.mark("token")),
            (instance, token),
            "{behaviour:?}: {}",
            ran.out
        );
        assert_eq!(ran.code, 3);
    }
}

#[test]
fn every_other_response_has_its_own_message() {
    let redirect = Answer::new(302).header("Location", "https://login.example/?token=s3cret-header");
    for (behaviour, words) in [
        (
            Behaviour::Answer(redirect),
            "a redirect: the instance has another address",
        ),
        (
            Behaviour::Answer(Answer::new(200).body("{}")),
            "not a response from ServiceNow",
        ),
        (Behaviour::status(204), "not a response from ServiceNow"),
        (Behaviour::status(404), "no Table API"),
        (Behaviour::status(405), "not a response from ServiceNow"),
        (Behaviour::status(500), "it fails"),
        (Behaviour::status(503), "it fails"),
        (Behaviour::Semaphore, "too many requests"),
        (Behaviour::Fault(Fault::Silence), "no response in time"),
        (Behaviour::Fault(Fault::Close), "ended without a response"),
        (Behaviour::Fault(Fault::Garbage), "not a response from ServiceNow"),
    ] {
        let stand_in = stand_in();
        stand_in.behave(TABLE, behaviour.clone());
        let ran = check(&stand_in, &input(&basic("camunda", PASSWORD)));
        let (mark, detail) = ran.step(ACME, "instance");
        assert_eq!((ran.code, mark), (3, '✗'), "{behaviour:?}: {}", ran.out);
        assert!(detail.contains(words), "{behaviour:?}: {detail}");
        assert_eq!(ran.step(ACME, "credentials"), ('–', "not reached"));
        // Their own words speak of a flow, and none was to be started.
        assert!(
            !ran.out.contains("flow has") && !ran.out.contains("unknown"),
            "{}",
            ran.out
        );
    }
}

#[test]
fn a_wrong_clock_is_reported_with_the_difference() {
    let minutes = |count: u64| Duration::from_secs(60 * count);
    let now = SystemTime::now();
    for (server, mark, words) in [
        (now + minutes(10), '✗', "min behind"),
        (now - minutes(10), '✗', "min ahead of"),
        (now - Duration::from_secs(30), '✓', "ahead of"),
    ] {
        let stand_in = stand_in();
        let answer = Answer::new(200)
            .header("Date", httpdate::fmt_http_date(server))
            .body(r#"{"result":[]}"#);
        stand_in.behave(TABLE, Behaviour::Answer(answer));
        let ran = check(&stand_in, &input(&basic("camunda", PASSWORD)));
        let (found, detail) = ran.step(ACME, "clock");
        assert_eq!(found, mark, "{}", ran.out);
        assert!(detail.contains(words), "{detail}");
        assert_eq!(ran.code, if mark == '✓' { 0 } else { 3 });
        assert_eq!(ran.mark("credentials"), '✓');
    }
}

#[test]
fn a_server_that_echoes_credentials_is_not_repeated() {
    for status in [200, 401, 403, 404, 500] {
        let stand_in = stand_in();
        let answer = Answer::failure(status, PASSWORD, Some(&format!("Basic {PASSWORD}")))
            .header("X-Echo", KEY)
            .header("X-Password", CLIENT_SECRET);
        stand_in.behave(TABLE, Behaviour::Answer(answer));
        check(&stand_in, &input(&basic("camunda", PASSWORD)));
    }
}

#[test]
fn a_missing_secret_is_named_and_nothing_is_sent() {
    let stand_in = stand_in();
    let ran = check(&stand_in, &input(&basic("camunda", "{{secrets.NOT_THERE}}")));
    let (mark, words) = ran.step(ACME, "input");
    assert_eq!((ran.code, mark), (2, '✗'), "{}", ran.out);
    assert!(words.contains("NOT_THERE"), "{words}");
    assert_eq!(ran.step(ACME, "instance"), ('–', "not reached"));
    assert!(stand_in.requests().is_empty());
}

#[test]
fn an_input_that_cannot_be_checked_is_explained() {
    let hidden = json!({ "snInstance": "{{secrets.SN_PASSWORD}}", "authentication": basic("u", "p") }).to_string();
    for (input, words) in [
        ("{}", "`snInstance` is missing"),
        (r#"{"snInstance":"https://acme"}"#, "snInstance"),
        (&hidden, "The value comes from the secret 'SN_PASSWORD'"),
    ] {
        let ran = run(input, &[]);
        let (mark, detail) = ran.step("the input", "input");
        assert_eq!((ran.code, mark), (2, '✗'), "{}", ran.out);
        assert!(detail.contains(words), "{input}: {detail}");
    }
}

/// What the host reads as nobody's, another reader may take for somebody's: nothing is sent then, least of all credentials.
#[test]
fn an_input_that_names_two_is_not_asked_at_either() {
    let stand_in = stand_in();
    let input = input(&basic("camunda", PASSWORD)).to_string();
    for twice in [
        r#""snInstance":"acme","snInstance":"acme","#,
        r#""snEndpoint":"https://acme.service-now.com","snEndpoint":"https://acme.service-now.com","#,
        r#""snEndpoint":"{{ secrets.SN_PASSWORD }}","#,
        r#""snEndpoint":"secrets.SN_PASSWORD","#,
    ] {
        let ran = check_text(&stand_in, &input.replacen('{', &format!("{{{twice}"), 1));
        assert_eq!(ran.code, 2, "{twice}: {}", ran.out);
    }
    assert!(stand_in.requests().is_empty());
}
