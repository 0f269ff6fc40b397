//! What is sent, byte for byte.

use std::sync::{Arc, Mutex};

use super::*;

#[tokio::test]
async fn each_call_is_what_the_cluster_documents() {
    let server = Server::start(|_, _| no_content()).await;
    let seen: Arc<Mutex<Vec<_>>> = Arc::default();
    let calls = Arc::clone(&seen);
    let client = Camunda8::builder(&format!("{}/prefix/v2/", server.address))
        .worker_name("w-1")
        .observe(Arc::new(move |call, status| calls.lock().unwrap().push((call, status))))
        .build()
        .unwrap();
    for job in [job(), leased()] {
        for report in [complete(), fail(), throw()] {
            client.settle(&job, report).await;
        }
        client.extend(&job, Duration::from_secs(60)).await;
        client.mark(&job, raw(r#"{"id":"a"}"#)).await;
        client.record(&job, raw(r#"{"attempt":"a"}"#)).await;
    }
    assert_eq!(client.check(&job(), Duration::from_secs(60)).await, None);
    let empty = Job {
        lease: Some(String::new()),
        ..job()
    };
    assert_eq!(client.check(&empty, Duration::from_secs(60)).await, None);
    client.settle(&empty, complete()).await;

    let job = "/prefix/v2/jobs/2251799813685249";
    let element = "PUT /prefix/v2/element-instances/2/variables";
    let sent = |lease: &str| {
        [
            (
                format!("POST {job}/completion"),
                format!(r#"{{"variables":{{}}{lease}}}"#),
            ),
            (
                format!("POST {job}/failure"),
                format!(
                    r#"{{"retries":2,"errorMessage":"no","retryBackOff":1500,"variables":{{"error":{{}}}}{lease}}}"#
                ),
            ),
            (
                format!("POST {job}/error"),
                format!(r#"{{"errorCode":"E","errorMessage":"no","variables":{{}}{lease}}}"#),
            ),
            (
                format!("PATCH {job}"),
                format!(r#"{{"changeset":{{"timeout":60000}}{lease}}}"#),
            ),
            (
                element.to_owned(),
                r#"{"variables":{"flowStarterAttempt":{"id":"a"},"flowStarterOutcome":null},"local":true}"#.to_owned(),
            ),
            (
                element.to_owned(),
                r#"{"variables":{"flowStarterOutcome":{"attempt":"a"}},"local":true}"#.to_owned(),
            ),
        ]
    };
    let mut expected = sent("").to_vec();
    expected.extend(sent(r#","jobLeaseToken":"L-1""#));
    expected.push((format!("POST {job}/completion"), r#"{"variables":{}}"#.to_owned()));
    let found: Vec<_> = server
        .seen()
        .iter()
        .map(|seen| (seen.line().to_owned(), seen.body.clone()))
        .collect();
    assert_eq!(found, expected);
    let first = &server.seen()[0];
    let agent = concat!("flow-starter-worker/", env!("CARGO_PKG_VERSION"));
    assert_eq!(first.header("user-agent"), Some(agent));
    assert_eq!(first.header("content-type"), Some("application/json"));
    assert_eq!(first.header("authorization"), None);
    assert_eq!(first.header("accept-encoding"), None);

    use Call::*;
    let calls = [Completion, Failure, Error, Update, Variables, Variables];
    let mut calls: Vec<_> = calls.iter().chain(&calls).map(|call| (*call, Some(204))).collect();
    calls.push((Completion, Some(204)));
    assert_eq!(*seen.lock().unwrap(), calls);
}

#[tokio::test]
async fn an_activation_has_only_fields_that_settings_need() {
    let server = Server::start(|_, _| json(200, r#"{"jobs":[]}"#)).await;
    let plain = Camunda8::builder(&server.address).worker_name("w-1").build().unwrap();
    plain.activate(&poll()).await.unwrap();
    for request_timeout in [None, Some(Duration::ZERO)] {
        plain
            .activate(&ActivationRequest {
                request_timeout,
                ..poll()
            })
            .await
            .unwrap();
    }
    let all = Camunda8::builder(&server.address)
        .worker_name("w-1")
        .tenants(vec!["a".to_owned(), "<default>".to_owned()])
        .lease(true)
        .build()
        .unwrap();
    all.activate(&poll()).await.unwrap();
    let start = r#"{"type":"servicenow-flow-starter:1","worker":"w-1","timeout":360000,"maxJobsToActivate":16,"fetchVariable":["flow","flowStarterAttempt"],"requestTimeout":"#;
    let expected = [
        "10000}",
        "-1}",
        "1}",
        r#"10000,"tenantIds":["a","<default>"],"withLease":true}"#,
    ];
    let found: Vec<_> = server.seen().iter().map(|seen| seen.body.clone()).collect();
    assert_eq!(found, expected.map(|end| format!("{start}{end}")));
    assert_eq!(server.seen()[0].line(), "POST /v2/jobs/activation");
}

#[tokio::test]
async fn a_key_stays_one_segment_of_the_path() {
    let server = Server::start(|_, _| no_content()).await;
    let job = Job {
        key: "1/../2?x#y %z".to_owned(),
        ..job()
    };
    client(&server).settle(&job, complete()).await;
    assert_eq!(
        server.seen()[0].line(),
        "POST /v2/jobs/1%2F..%2F2%3Fx%23y%20%25z/completion"
    );
}

#[tokio::test]
async fn basic_credentials_are_sent_with_each_request() {
    let server = Server::start(|_, _| problem(401, "UNAUTHORIZED", "no")).await;
    let client = Camunda8::builder(&server.address)
        .basic("dëmo", "pass:wörd".into())
        .build()
        .unwrap();
    assert!(matches!(
        client.activate(&poll()).await,
        Err(ActivationError::Denied { .. })
    ));
    // A 401 is final: there is nothing to renew.
    assert_eq!(server.seen().len(), 1);
    assert_eq!(
        server.seen()[0].header("authorization"),
        Some("Basic ZMOrbW86cGFzczp3w7ZyZA==")
    );
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let oauth = || OAuth {
        client_id: "id".to_owned(),
        client_secret: "hunter2".into(),
        url: "https://login.example.com/token".to_owned(),
        audience: None,
        scope: None,
    };
    let builder = || Camunda8::builder("http://localhost:8080");
    let proxy = |url: &str| Proxies {
        https: Some(url.into()),
        ..Proxies::default()
    };
    for (builder, words) in [
        (
            Camunda8::builder("localhost:8080"),
            "the cluster's address must begin with",
        ),
        (builder().tenants(vec!["a".to_owned(), " ".to_owned()]), "tenant"),
        (builder().worker_name(""), "worker's name"),
        (builder().basic("a:b", "hunter2".into()), "colon"),
        (
            builder().basic("", "hunter2".into()),
            "user name for the cluster is empty",
        ),
        (
            builder().oauth(OAuth {
                client_id: String::new(),
                ..oauth()
            }),
            "client id is empty",
        ),
        (
            builder().oauth(OAuth {
                client_secret: "".into(),
                ..oauth()
            }),
            "client secret is empty",
        ),
        (
            builder().oauth(OAuth {
                url: "login".to_owned(),
                ..oauth()
            }),
            "token endpoint's URL must begin with",
        ),
        (
            builder().proxies(proxy("socks5://me:hunter2@localhost")),
            "HTTPS_PROXY must begin with",
        ),
        (builder().proxies(proxy("http://me:hunter2@[")), "HTTPS_PROXY is no URL"),
        (builder().ca_pem("junk"), "certificate authority"),
        (builder().client_identity_pem("junk", "hunter2"), "client certificate"),
    ] {
        let error = builder.build().unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(text.contains(words) && !text.contains("hunter2"), "{words}: {text}");
    }
    assert!(builder().oauth(oauth()).build().is_ok());
    let empty = builder()
        .proxies(proxy(" "))
        .tenants(vec!["<default>".to_owned()])
        .build();
    assert!(empty.is_ok());
}
