//! What the instance answers: flows, refusals, limits, the Table API, and the ways to answer that need no fault.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use servicenow_stand_in::{
    Answer, Behaviour, DEMO_FLOW, Flow, Instance, InstanceError, Method, StandIn, StartError, User,
};

use crate::client::{BASIC, Client, JSON, demo, request, start};

const PUBLIC: &str = "/api/sn_cico/flow_starter/public_flow";

fn with_credentials(more: &str) -> String {
    format!("{BASIC}{JSON}{more}")
}

#[test]
fn a_start_answers_with_an_execution_id_of_32_letters() {
    let stand_in = demo();
    let answer = Client::tls(&stand_in).send(start()).answer();
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json;charset=UTF-8"));
    let cookies = answer.headers.iter().filter(|(name, _)| name == "Set-Cookie");
    assert_eq!(
        cookies.count(),
        2,
        "as a real instance sets them: a client must not hand them on"
    );
    assert!(httpdate::parse_http_date(answer.header("date").unwrap()).is_ok());
    let started = stand_in.starts().pop().unwrap();
    assert_eq!(
        answer.json(),
        serde_json::json!({ "result": { "executionId": started.id } })
    );
    assert_eq!(started.id.len(), 32);
    assert!(started.id.bytes().all(|byte| byte.is_ascii_alphabetic()));
    assert_eq!((started.flow.as_str(), started.method), (DEMO_FLOW, Method::Post));
    assert_eq!(started.request, stand_in.requests()[0].number);
}

#[test]
fn each_method_starts_the_flow_that_has_it_and_no_other() {
    let stand_in = demo();
    let mut client = Client::tls(&stand_in);
    for method in Method::ALL.into_iter().filter(|method| *method != Method::Post) {
        let path = format!("/api/sn_cico/flow_starter/{}_flow", method.as_str().to_lowercase());
        let sent = request(method.as_str(), &path, BASIC, "");
        assert_eq!(client.send(sent).answer().status, 200, "{path}");
        let refused = client.send(request("POST", &path, BASIC, "")).answer();
        assert_eq!(
            (refused.status, refused.failure().as_str()),
            (405, "Method not supported")
        );
        assert_eq!(refused.header("allow"), Some(method.as_str()));
    }
    assert_eq!(stand_in.starts().len(), 4);
}

#[test]
fn a_scripted_rest_api_answers_with_a_sys_id() {
    let stand_in = demo();
    let answer = Client::tls(&stand_in).post("/api/x_acme/scripted/my_flow", &with_credentials(""), "{}");
    let json = answer.json();
    let id = json["result"]["sys_id"].as_str().unwrap();
    assert!(
        id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{id}"
    );
    assert_eq!(stand_in.starts()[0].id, id);
    assert_eq!(json["result"].get("executionId"), None);
}

#[test]
fn a_flow_may_answer_202() {
    let stand_in = demo();
    let path = "/api/sn_cico/flow_starter/accepted_flow";
    assert_eq!(
        Client::tls(&stand_in).post(path, &with_credentials(""), "{}").status,
        202
    );
    assert_eq!(stand_in.starts().len(), 1);
}

#[test]
fn required_headers_and_query_parameters_are_asked_for_by_name() {
    let stand_in = demo();
    let mut client = Client::tls(&stand_in);
    let table = [
        ("?hello=query", "", "Missing required header: hello"),
        ("", "hello: header\r\n", "Missing required query parameter: hello"),
        (
            "?bye=query",
            "hello: header\r\n",
            "Missing required query parameter: hello",
        ),
    ];
    for (query, headers, detail) in table {
        let answer = client.post(&format!("{DEMO_FLOW}{query}"), &with_credentials(headers), "{}");
        assert_eq!(
            (answer.status, answer.json()["error"]["detail"].as_str()),
            (400, Some(detail))
        );
    }
    assert!(stand_in.starts().is_empty());
    // Names of headers in any case; a name in the query may be encoded.
    let answer = client.post(&format!("{DEMO_FLOW}?%68ello="), &with_credentials("HELLO: \r\n"), "{}");
    assert_eq!(answer.status, 200);
}

#[test]
fn an_unknown_path_represents_no_resource_with_400_or_404() {
    for status in [400, 404] {
        let instance = Instance {
            unknown_path_status: status,
            ..Instance::demo()
        };
        let stand_in = StandIn::start(instance).unwrap();
        let answer = Client::tls(&stand_in).post("/api/sn_cico/flow_starter/unknown", &with_credentials(""), "{}");
        assert_eq!(answer.status, status);
        assert_eq!(answer.failure(), "Requested URI does not represent any resource");
        assert!(stand_in.starts().is_empty());
    }
}

#[test]
fn a_path_parameter_takes_one_segment_and_an_encoded_slash_stays_inside_it() {
    let stand_in = demo();
    let mut client = Client::tls(&stand_in);
    let mut status = |rest: &str| {
        let path = format!("/api/sn_cico/flow_starter/parameter_flow/{rest}");
        client.post(&path, &with_credentials(""), "{}").status
    };
    assert_eq!(status("7"), 200);
    assert_eq!(status("a%2Fb"), 200);
    assert_eq!(status("a/b"), 400);
    assert_eq!(status(""), 400);
    assert_eq!(
        stand_in.requests()[1].path(),
        "/api/sn_cico/flow_starter/parameter_flow/a%2Fb"
    );
}

#[test]
fn a_body_that_is_not_json_is_415_or_400() {
    let stand_in = demo();
    let mut client = Client::tls(&stand_in);
    let mut status = |headers: &str, body: &str| client.post(PUBLIC, headers, body).status;
    assert_eq!(status("Content-Type: text/plain\r\n", "{}"), 415);
    assert_eq!(status("", "{}"), 415);
    assert_eq!(status(JSON, "{not json"), 400);
    assert_eq!(status("Content-Type: Application/JSON ; charset=utf-8\r\n", "{}"), 200);
    assert_eq!(status("", ""), 200);
    assert_eq!(status("Accept: text/html\r\n", ""), 406);
    assert_eq!(status("Accept: text/html, application/json;q=0.5\r\n", ""), 200);
    assert_eq!(stand_in.starts().len(), 3);
}

#[test]
fn a_rate_limit_answers_429_with_its_headers_and_a_semaphore_without() {
    let stand_in = demo();
    let mut client = Client::tls(&stand_in);
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    stand_in.behave_once(DEMO_FLOW, Behaviour::RateLimited { retry_after: 30 });
    stand_in.behave_once(DEMO_FLOW, Behaviour::Semaphore);

    let before = now();
    let limited = client.send(start()).answer();
    assert_eq!(
        (limited.status, limited.failure().as_str()),
        (429, "Rate limit exceeded")
    );
    assert_eq!(limited.header("retry-after"), Some("30"));
    let reset = limited.header("x-ratelimit-reset").unwrap().parse::<u64>().unwrap();
    assert!((before + 30..=now() + 30).contains(&reset));
    assert!(limited.header("x-ratelimit-limit").is_some() && limited.header("x-ratelimit-rule").is_some());

    let semaphore = client.send(start()).answer();
    assert_eq!(semaphore.status, 429);
    let named = [
        "retry-after",
        "x-ratelimit-reset",
        "x-ratelimit-limit",
        "x-ratelimit-rule",
    ];
    assert!(named.iter().all(|name| semaphore.header(name).is_none()));

    assert!(stand_in.starts().is_empty());
    assert_eq!(client.send(start()).answer().status, 200);
}

#[test]
fn a_hibernating_instance_answers_200_with_html_everywhere_and_starts_nothing() {
    let stand_in = demo();
    stand_in.hibernate(true);
    let mut client = Client::tls(&stand_in);
    for target in [DEMO_FLOW, "/oauth_token.do", "/api/now/table/incident", "/no/such/path"] {
        let answer = client.post(target, &with_credentials(""), "{}");
        assert_eq!(answer.status, 200);
        assert!(answer.header("content-type").unwrap().starts_with("text/html"));
        assert!(answer.body.starts_with(b"<!DOCTYPE html>"));
    }
    assert!(stand_in.starts().is_empty());
    stand_in.hibernate(false);
    assert_eq!(client.send(start()).answer().status, 200);
}

#[test]
fn any_status_comes_on_demand_and_nothing_starts() {
    let stand_in = demo();
    let mut client = Client::tls(&stand_in);
    for status in [200, 204, 302, 304, 401, 407, 500, 503, 599] {
        stand_in.behave_once(DEMO_FLOW, Behaviour::status(status));
        let answer = client.send(start()).answer();
        assert_eq!(answer.status, status);
        if status >= 400 {
            assert_eq!(answer.failure(), "The stand-in was configured to respond this way");
        }
    }
    assert!(stand_in.starts().is_empty());
}

#[test]
fn an_answer_on_demand_is_sent_as_it_is_declared() {
    let stand_in = demo();
    let declared = Answer::new(302)
        .header("Location", "https://elsewhere.example/")
        .header("X-Twice", "1")
        .header("X-Twice", "2")
        .header("server", "other")
        .body("moved");
    stand_in.behave(DEMO_FLOW, Behaviour::Answer(declared));
    let answer = Client::tls(&stand_in).send(start()).answer();
    let values = |name: &str| {
        let named = answer
            .headers
            .iter()
            .filter(move |(own, _)| own.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.clone()).collect::<Vec<_>>()
    };
    assert_eq!(values("x-twice"), ["1", "2"]);
    assert_eq!(values("server"), ["other"]);
    assert_eq!(values("location"), ["https://elsewhere.example/"]);
    assert_eq!(answer.body, b"moved");
}

#[test]
fn a_delay_keeps_the_answer_back_but_not_the_start() {
    let stand_in = demo();
    let delay = Duration::from_millis(300);
    stand_in.behave(DEMO_FLOW, Behaviour::late(delay));
    let mut client = Client::tls(&stand_in);
    let sent = Instant::now();
    client.send(start());
    assert!(stand_in.wait_until(crate::client::PATIENCE, |_, starts| starts.len() == 1));
    assert_eq!(stand_in.requests()[0].answered, None);
    assert_eq!(client.answer().status, 200);
    assert!(sent.elapsed() >= delay);
}

#[test]
fn a_body_beyond_the_limit_is_refused_with_400_and_its_client_is_heard_out() {
    let instance = Instance {
        max_request_bytes: 1000,
        ..Instance::demo()
    };
    let stand_in = StandIn::start(instance).unwrap();
    let body = "x".repeat(1001);
    let chunked =
        format!("POST {PUBLIC} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n{body}\r\n0\r\n\r\n");
    for sent in [request("POST", PUBLIC, JSON, &body), chunked] {
        let mut client = Client::tls(&stand_in);
        let answer = client.send(sent).answer();
        assert_eq!(
            (answer.status, answer.failure().as_str()),
            (400, "Request body too large")
        );
        assert_eq!(answer.header("connection"), Some("close"));
        assert!(crate::client::recorded(&stand_in).complete);
    }
    assert!(stand_in.starts().is_empty());
    let largest = format!("{{\"a\":\"{}\"}}", "x".repeat(1000 - 8));
    assert_eq!(Client::tls(&stand_in).post(PUBLIC, JSON, &largest).status, 200);
}

#[test]
fn ten_megabytes_are_the_limit_unless_another_is_declared() {
    let stand_in = demo();
    let mut client = Client::plain(&stand_in);
    let fits = format!("{{\"a\":\"{}\"}}", "x".repeat(10 * 1024 * 1024 - 8));
    assert_eq!(client.post(PUBLIC, JSON, &fits).status, 200);
    assert_eq!(client.post(PUBLIC, JSON, &format!("{fits} ")).status, 400);
}

#[test]
fn an_incident_is_created_and_found_again() {
    let stand_in = demo();
    let mut client = Client::tls(&stand_in);
    let path = "/api/now/table/incident";
    let created = client.post(
        path,
        &with_credentials(""),
        r#"{"short_description":"no coffee","sys_id":"mine"}"#,
    );
    assert_eq!(created.status, 201);
    let record = &created.json()["result"];
    let id = record["sys_id"].as_str().unwrap();
    assert_eq!(id.len(), 32);
    assert_eq!(record["short_description"], "no coffee");
    assert!(record["number"].as_str().unwrap().starts_with("INC"));
    assert_eq!(
        created.header("location"),
        Some(format!("https://acme.service-now.com{path}/{id}").as_str())
    );
    let mut get = |target: &str| client.get(target, BASIC);
    assert_eq!(get(&format!("{path}/{id}")).json()["result"], *record);
    assert_eq!(get(path).json()["result"].as_array().unwrap().len(), 1);
    assert_eq!(
        get(&format!("{path}?sysparm_limit=0")).json()["result"]
            .as_array()
            .unwrap()
            .len(),
        0
    );
    assert_eq!(get(&format!("{path}/unknown")).status, 404);
    assert_eq!(get("/api/now/table/no_such_table").status, 400);
    assert_eq!(client.get(path, "").status, 401);
    // guest:guest-password
    let without_role = "Authorization: Basic Z3Vlc3Q6Z3Vlc3QtcGFzc3dvcmQ=\r\n";
    assert_eq!(client.get(path, without_role).status, 403);
    assert!(stand_in.starts().is_empty());
}

#[test]
fn a_behaviour_is_for_once_or_for_good_and_by_the_flows_declared_path_too() {
    let stand_in = demo();
    let mut client = Client::plain(&stand_in);
    let declared = "/api/sn_cico/flow_starter/parameter_flow/{number}";
    let path = "/api/sn_cico/flow_starter/parameter_flow/7";
    stand_in.behave(declared, Behaviour::status(503));
    stand_in.behave_once(path, Behaviour::status(502));
    let mut status = || client.post(path, &with_credentials(""), "{}").status;
    assert_eq!([status(), status(), status()], [502, 503, 503]);
    stand_in.behave_well();
    assert_eq!(status(), 200);
}

#[test]
fn an_instance_that_contradicts_itself_does_not_start() {
    let refused = |instance: Instance| match StandIn::start(instance) {
        Err(StartError::Instance(error)) => error,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it started"),
    };
    let twice = Instance::new("acme").flow(Flow::new("/a")).flow(Flow::new("/a"));
    assert!(matches!(refused(twice), InstanceError::Twice { .. }));
    assert_eq!(refused(Instance::new("a b")), InstanceError::Host("a b".to_owned()));
    assert_eq!(
        refused(Instance::new("acme").flow(Flow::new("no-slash"))),
        InstanceError::FlowPath("no-slash".to_owned())
    );
    let status = Instance::new("acme").flow(Flow::new("/a").status(500));
    assert!(matches!(refused(status), InstanceError::FlowStatus { status: 500, .. }));
    let stranger = Instance::new("acme")
        .user(User::new("a", "b"))
        .bearer_token(servicenow_stand_in::BearerToken {
            value: "v".to_owned(),
            user: "c".to_owned(),
        });
    assert!(matches!(refused(stranger), InstanceError::NoSuchUser { .. }));
}
