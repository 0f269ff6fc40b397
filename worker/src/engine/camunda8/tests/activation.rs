//! How activations end.

use super::*;

fn failed(result: Result<Vec<Job>, ActivationError>) -> &'static str {
    match result {
        Ok(_) => "jobs",
        Err(ActivationError::Cut { .. }) => "cut",
        Err(ActivationError::Overloaded { .. }) => "overloaded",
        Err(ActivationError::Denied { .. }) => "denied",
        Err(ActivationError::Failed { .. }) => "failed",
    }
}

#[tokio::test]
async fn each_end_of_a_poll_has_its_kind() {
    for (reply, kind) in [
        (json(200, r#"{"jobs":[]}"#), "jobs"),
        (json(200, r#"{"jobs":[]"#), "failed"),
        (json(200, "{}"), "failed"),
        (html(200), "failed"),
        (json(201, r#"{"jobs":[]}"#), "failed"),
        (no_content(), "failed"),
        (answer(429, "retry-after: 3\r\n", ""), "overloaded"),
        (problem(503, "RESOURCE_EXHAUSTED", "later"), "overloaded"),
        (
            problem(500, "INTERNAL", "Expected to activate jobs, but RESOURCE_EXHAUSTED"),
            "overloaded",
        ),
        (problem(500, "INTERNAL", "oh"), "failed"),
        (html(500), "failed"),
        (problem(503, "UNAVAILABLE", "no"), "failed"),
        (problem(401, "UNAUTHORIZED", "tenant"), "denied"),
        (html(403), "denied"),
        (problem(400, "INVALID_ARGUMENT", "type"), "failed"),
        (html(504), "failed"),
        (answer(302, "location: /v2/login\r\n", ""), "failed"),
        (Reply::Last(Vec::new()), "failed"),
        (
            Reply::Last(b"HTTP/1.1 200 X\r\ncontent-length: 99\r\n\r\n{\"jobs\":[".to_vec()),
            "failed",
        ),
    ] {
        let text = format!("{reply:?}");
        let server = Server::start(move |_, _| reply.clone()).await;
        assert_eq!(failed(client(&server).activate(&poll()).await), kind, "{text}");
        assert_eq!(server.seen().len(), 1);
    }
}

/// With no time to wait, every end is near the end.
#[tokio::test]
async fn a_poll_that_is_cut_near_its_end_was_empty() {
    let long = poll();
    let short = ActivationRequest {
        request_timeout: Some(Duration::from_nanos(1)),
        ..poll()
    };
    let none = ActivationRequest {
        request_timeout: None,
        ..poll()
    };
    for (reply, kind) in [
        (html(504), "cut"),
        (Reply::Last(Vec::new()), "cut"),
        (html(502), "failed"),
    ] {
        let server = Server::start(move |_, _| reply.clone()).await;
        let client = client(&server);
        assert_eq!(failed(client.activate(&short).await), kind);
        assert_eq!(failed(client.activate(&long).await), "failed");
        // It was not to be held, so a list is missed.
        assert_eq!(failed(client.activate(&none).await), "failed");
    }
}

#[tokio::test]
async fn a_job_that_cannot_be_read_costs_no_other() {
    let job = |key: &str| format!(r#"{{"jobKey":{key},"processInstanceKey":"2","elementInstanceKey":"3"}}"#);
    let body = format!(
        r#"{{"jobs":[{},{{"jobKey":"2"}},7,{}]}}"#,
        job("\"1\""),
        job("4").replace('}', r#","retries":0,"new":[{}]}"#)
    );
    let server = Server::start(move |_, _| json(200, &body)).await;
    let jobs = client(&server).activate(&poll()).await.unwrap();
    let keys: Vec<_> = jobs.iter().map(|job| (job.key.as_str(), job.retries)).collect();
    assert_eq!(keys, [("1", None), ("4", Some(0))]);
}

#[tokio::test]
async fn an_answer_that_is_too_large_starts_nothing() {
    let server = Server::start(|_, _| json(200, r#"{"jobs":[]}                              "#)).await;
    for (cap, kind) in [(100, "jobs"), (20, "failed")] {
        let client = Camunda8::builder(&server.address)
            .limits(|limits| limits.activation_bytes = cap)
            .build()
            .unwrap();
        assert_eq!(failed(client.activate(&poll()).await), kind);
    }
}

#[tokio::test]
async fn a_cluster_without_leases_is_asked_without_for_10_minutes() {
    let server = Server::start(|seen, _| match seen.body.contains("withLease") {
        true => problem(400, "Bad Request", "unknown field withLease"),
        false => json(200, r#"{"jobs":[]}"#),
    })
    .await;
    let client = Camunda8::builder(&server.address).lease(true).build().unwrap();
    let leased = |server: &Server| -> Vec<bool> {
        server
            .seen()
            .iter()
            .map(|seen| seen.body.contains("withLease"))
            .collect()
    };
    client.activate(&poll()).await.unwrap();
    client.activate(&poll()).await.unwrap();
    assert_eq!(leased(&server), [true, false, false]);
    skip(Duration::from_secs(590)).await;
    client.activate(&poll()).await.unwrap();
    assert_eq!(leased(&server), [true, false, false, false]);
    skip(Duration::from_secs(10)).await;
    client.activate(&poll()).await.unwrap();
    assert_eq!(leased(&server), [true, false, false, false, true, false]);
}

#[tokio::test]
async fn a_poll_that_is_refused_anyway_is_no_loop() {
    let server = Server::start(|_, _| problem(400, "Bad Request", "tenant")).await;
    let client = Camunda8::builder(&server.address).lease(true).build().unwrap();
    for _ in 0..3 {
        assert_eq!(failed(client.activate(&poll()).await), "failed");
    }
    assert_eq!(server.seen().len(), 4);
    // A proxy's 400 is no word about the lease.
    let server = Server::start(|_, _| html(400)).await;
    let client = Camunda8::builder(&server.address).lease(true).build().unwrap();
    for _ in 0..3 {
        assert_eq!(failed(client.activate(&poll()).await), "failed");
    }
    assert_eq!(server.count(|seen| seen.body.contains("withLease")), 3);
    assert_eq!(server.seen().len(), 3);
}
