//! The control address, as a test suite in another language uses it.

use serde_json::{Value, json};
use servicenow_stand_in::{DEMO_FLOW, StandIn, Start};

use crate::client::{Client, Ending, demo, handshake, start};

fn ask(stand_in: &StandIn, method: &str, target: &str, body: &Value) -> (u16, Value) {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let mut client = Client::to(stand_in.control_addr());
    let head = format!(
        "{method} {target} HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n\r\n",
        stand_in.control_addr(),
        body.len()
    );
    let answer = client.send(head + &body).answer();
    (answer.status, answer.json())
}

fn get(stand_in: &StandIn, target: &str) -> Value {
    let (status, json) = ask(stand_in, "GET", target, &Value::Null);
    assert_eq!(status, 200, "{json}");
    json
}

fn tell(stand_in: &StandIn, target: &str, body: Value) {
    assert_eq!(ask(stand_in, "POST", target, &body), (200, json!({})));
}

#[test]
fn it_says_where_everything_is_and_what_can_be_asked() {
    let stand_in = demo();
    let overview = get(&stand_in, "/");
    assert_eq!(overview["https"], stand_in.https_addr().to_string());
    assert_eq!(overview["http"], stand_in.http_addr().to_string());
    assert_eq!(overview["hosts"], json!(["acme.service-now.com"]));
    for route in overview["routes"].as_object().unwrap().keys() {
        let (method, path) = route.split_once(' ').unwrap();
        if path != "/ca.pem" {
            let (status, _) = ask(&stand_in, method, path, &json!({}));
            assert!([200, 400].contains(&status), "{route}: {status}");
        }
    }
    let mut client = Client::to(stand_in.control_addr());
    let pem = client.send("GET /ca.pem HTTP/1.1\r\nHost: localhost\r\n\r\n").answer();
    assert_eq!(pem.body, stand_in.ca_pem().as_bytes());
    assert!(
        stand_in.requests().is_empty(),
        "what is said here is no request of the instance"
    );
    assert_eq!(stand_in.connections(), 0);
}

#[test]
fn requests_come_out_as_they_came_in() {
    let stand_in = demo();
    let mut client = Client::tls(&stand_in);
    client.send(start()).answer();
    client
        .send("POST /a%2Fb HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 2\r\n\r\n\u{00ff}")
        .answer();
    client
        .send(b"PUT /bytes HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n\xff")
        .answer();
    let requests = get(&stand_in, "/requests?at-least=3");
    let seen = &requests[0];
    assert_eq!(
        (&seen["method"], &seen["target"]),
        (&json!("POST"), &json!(format!("{DEMO_FLOW}?hello=query")))
    );
    assert_eq!(
        (&seen["body"], &seen["complete"]),
        (&json!(r#"{"correlationValue":"cam-id-1"}"#), &json!(true))
    );
    assert_eq!(
        (&seen["answered"], &seen["over"], &seen["connection"]),
        (&json!(200), &json!(true), &json!(1))
    );
    assert_eq!(seen["tls"]["server_name"], "acme.service-now.com");
    assert_eq!(seen["headers"][0], json!(["Host", "acme.service-now.com"]));
    assert_eq!(requests[1]["target"], "/a%2Fb");
    let own = requests[1]["headers"].as_array().unwrap();
    assert_eq!(own[1..3], [json!(["X-A", "1"]), json!(["x-a", "2"])]);
    assert_eq!(
        (&requests[2]["body"], &requests[2]["body_base64"]),
        (&Value::Null, &json!("/w=="))
    );

    let starts = get(&stand_in, "/starts");
    let Start { id, .. } = &stand_in.starts()[0];
    assert_eq!(
        starts,
        json!([{ "id": id, "method": "POST", "flow": DEMO_FLOW, "user": "camunda", "request": 1 }])
    );

    assert_eq!(ask(&stand_in, "DELETE", "/requests", &Value::Null).0, 200);
    assert_eq!(
        (get(&stand_in, "/requests"), get(&stand_in, "/starts")),
        (json!([]), json!([]))
    );
}

#[test]
fn it_waits_for_requests_and_says_when_they_do_not_come() {
    let stand_in = demo();
    let (status, reply) = ask(&stand_in, "GET", "/requests?at-least=1&within-ms=50", &Value::Null);
    assert_eq!(status, 408, "{reply}");

    let address = stand_in.control_addr();
    let waiting = std::thread::spawn(move || {
        let mut client = Client::to(address);
        client
            .send("GET /requests?at-least=1&within-ms=30000 HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .answer()
            .json()
    });
    Client::plain(&stand_in).send(start()).answer();
    assert_eq!(waiting.join().unwrap().as_array().unwrap().len(), 1);
    assert_eq!(ask(&stand_in, "GET", "/requests?at-least=x", &Value::Null).0, 400);
    assert_eq!(ask(&stand_in, "GET", "/requests?limit=1", &Value::Null).0, 400);
}

#[test]
fn a_path_goes_wrong_once_or_for_good_and_is_normal_again() {
    let stand_in = demo();
    let behave = |behaviour: Value, once: bool| {
        tell(
            &stand_in,
            "/behaviours",
            json!({ "path": DEMO_FLOW, "behaviour": behaviour, "once": once }),
        );
    };
    let status = || Client::plain(&stand_in).send(start()).answer().status;
    behave(
        json!({ "answer": { "status": 503, "headers": { "Retry-After": "7" } } }),
        false,
    );
    behave(json!("semaphore"), true);
    assert_eq!([status(), status(), status()], [429, 503, 503]);
    behave(json!({ "fault": "reset" }), true);
    assert_eq!(Client::tls(&stand_in).send(start()).rest(), (Vec::new(), Ending::Reset));
    behave(json!({ "fault": { "early": 413 } }), true);
    assert_eq!(status(), 413);
    behave(
        json!({ "script": ["read-request", "start", { "bytes": { "base64": "AP8=" } }, "close"] }),
        true,
    );
    assert_eq!(
        Client::tls(&stand_in).send(start()).rest(),
        (vec![0, 0xff], Ending::Closed)
    );
    assert_eq!(ask(&stand_in, "DELETE", "/behaviours", &Value::Null).0, 200);
    assert_eq!(status(), 200);

    let wrong = json!({ "path": DEMO_FLOW, "behaviour": { "fault": "explode" } });
    let (status, reply) = ask(&stand_in, "POST", "/behaviours", &wrong);
    assert_eq!(status, 400);
    assert!(
        reply["error"]
            .as_str()
            .unwrap()
            .contains("unknown variant `explode`, expected one of"),
        "{reply}"
    );
}

#[test]
fn it_sends_the_instance_to_sleep_and_revokes_tokens() {
    let stand_in = demo();
    tell(&stand_in, "/hibernate", json!({ "asleep": true }));
    assert!(
        Client::plain(&stand_in)
            .send(start())
            .answer()
            .body
            .starts_with(b"<!DOCTYPE")
    );
    tell(&stand_in, "/hibernate", json!({ "asleep": false }));
    let form = "grant_type=client_credentials&client_id=demo-client&client_secret=demo-secret";
    let mut client = Client::plain(&stand_in);
    let token = client
        .post(
            "/oauth_token.do",
            "Content-Type: application/x-www-form-urlencoded\r\n",
            form,
        )
        .json();
    let bearer = format!("Authorization: Bearer {}\r\n", token["access_token"].as_str().unwrap());
    let mut status = || client.get("/api/now/table/incident", &bearer).status;
    assert_eq!(status(), 200);
    tell(&stand_in, "/revoke-tokens", json!({}));
    assert_eq!(status(), 401);
}

#[test]
fn it_spoils_handshakes_and_opens_ports() {
    let stand_in = demo();
    tell(&stand_in, "/tls-faults", json!({ "host": "old", "fault": "expired" }));
    let shake = || {
        handshake(
            &stand_in,
            stand_in.https_addr(),
            "old.service-now.com",
            &crate::client::BOTH_VERSIONS,
        )
    };
    assert!(shake().is_err());
    tell(
        &stand_in,
        "/tls-faults",
        json!({ "host": "old", "fault": { "alert": 40 } }),
    );
    assert_eq!(crate::client::ending(&shake().unwrap_err()), Ending::Alert(40));
    assert_eq!(
        get(&stand_in, "/failed-handshakes")[1]["why"],
        "configured fault: Alert(40)"
    );
    tell(&stand_in, "/tls-faults", json!({ "host": "old", "fault": null }));

    let (status, reply) = ask(&stand_in, "POST", "/ports", &json!({ "fault": "close" }));
    assert_eq!(status, 200);
    let address = reply["address"].as_str().unwrap().parse().unwrap();
    assert_eq!(Client::to(address).rest(), (Vec::new(), Ending::Closed));
    assert_eq!(
        get(&stand_in, "/ports"),
        json!([{ "address": reply["address"], "fault": "Close" }])
    );
}

#[test]
fn it_is_for_programs_of_this_machine_only() {
    let stand_in = demo();
    assert!(stand_in.control_addr().ip().is_loopback());
    let status = |headers: &str| {
        let mut client = Client::to(stand_in.control_addr());
        client
            .send(format!("GET /requests HTTP/1.1\r\n{headers}\r\n"))
            .answer()
            .status
    };
    assert_eq!(status("Host: evil.example\r\n"), 403);
    assert_eq!(status("Host: localhost:1\r\nOrigin: https://evil.example\r\n"), 403);
    assert_eq!(status("Host: localhost:1\r\n"), 200);
    assert_eq!(status("Host: [::1]:1\r\n"), 200);
}

#[test]
fn unknown_requests_are_reported() {
    let stand_in = demo();
    let (status, reply) = ask(&stand_in, "PUT", "/nothing", &Value::Null);
    assert_eq!(
        (status, reply["error"].as_str()),
        (404, Some("there is no PUT /nothing here; GET / lists what there is"))
    );
    assert_eq!(ask(&stand_in, "POST", "/hibernate", &json!({ "asleep": "yes" })).0, 400);
}
