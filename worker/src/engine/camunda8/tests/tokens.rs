//! Access tokens against a cluster and a token endpoint on one server.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::*;

fn token(number: usize, life: &str) -> Reply {
    json(
        200,
        &format!(r#"{{"access_token":"tok-{number}","token_type":"Bearer"{life}}}"#),
    )
}

/// A server that gives numbered tokens with this life, and answers calls as `cluster` says: it sees the token's number.
async fn server(life: &'static str, cluster: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Server {
    let given = AtomicUsize::new(0);
    Server::start(move |seen, _| {
        if seen.is_token() {
            return token(given.fetch_add(1, Ordering::SeqCst) + 1, life);
        }
        let bearer = seen
            .header("authorization")
            .and_then(|value| value.strip_prefix("Bearer tok-"));
        cluster(bearer.unwrap().parse().unwrap())
    })
    .await
}

fn builder(server: &Server) -> Builder {
    Camunda8::builder(&server.address).oauth(OAuth {
        client_id: "id".to_owned(),
        client_secret: "s&cret".into(),
        url: format!("{}/token", server.address),
        audience: Some("zeebe.camunda.io".to_owned()),
        scope: None,
    })
}

fn fetches(server: &Server) -> usize {
    server.count(Seen::is_token)
}

const HOUR: &str = r#","expires_in":3600"#;

#[tokio::test]
async fn all_calls_share_one_fetch() {
    let server = server(HOUR, |_| no_content()).await;
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    let client = builder(&server)
        .observe_tokens(Arc::new(move |status| {
            assert_eq!(status, Some(200));
            counter.fetch_add(1, Ordering::SeqCst);
        }))
        .build()
        .unwrap();
    let job = job();
    let (a, b, c) = tokio::join!(
        client.settle(&job, complete()),
        client.settle(&job, fail()),
        client.mark(&job, raw("{}"))
    );
    assert_eq!(
        (a, b, c),
        (SettleAnswer::Settled, SettleAnswer::Settled, PutAnswer::Done)
    );
    client.settle(&job, complete()).await;
    assert_eq!((fetches(&server), count.load(Ordering::SeqCst)), (1, 1));
    let form = "grant_type=client_credentials&client_id=id&client_secret=s%26cret&audience=zeebe.camunda.io";
    let seen = server.seen();
    assert_eq!((seen[0].line(), seen[0].body.as_str()), ("POST /token", form));
    assert_eq!(
        seen[0].header("content-type"),
        Some("application/x-www-form-urlencoded")
    );
    assert_eq!(seen[1].header("authorization"), Some("Bearer tok-1"));
}

#[tokio::test]
async fn a_token_is_renewed_at_80_percent_while_the_old_one_serves() {
    let server = server(r#","expires_in":300"#, |_| no_content()).await;
    let client = builder(&server).build().unwrap();
    client.settle(&job(), complete()).await;
    skip(Duration::from_secs(230)).await;
    client.settle(&job(), complete()).await;
    assert_eq!(fetches(&server), 1);
    skip(Duration::from_secs(10)).await;
    // The call, with the old token, and the fetch.
    client.settle(&job(), complete()).await;
    server.arrived(5).await;
    assert_eq!(fetches(&server), 2);
    assert_eq!(
        server.count(|seen| seen.header("authorization") == Some("Bearer tok-1")),
        3
    );
    // Once the answer to the fetch is read, the new one serves.
    while server.count(|seen| seen.header("authorization") == Some("Bearer tok-2")) == 0 {
        client.settle(&job(), complete()).await;
    }
    assert_eq!(fetches(&server), 2);
}

#[tokio::test]
async fn a_renewal_that_fails_is_no_failure_while_the_old_token_lives() {
    let down = Arc::new(AtomicBool::new(false));
    let endpoint = Arc::clone(&down);
    let server = Server::start(
        move |seen, before| match (seen.is_token(), endpoint.load(Ordering::SeqCst)) {
            (true, true) => answer(503, "retry-after: 40\r\n", ""),
            (true, false) => token(before, r#","expires_in":300"#),
            (false, _) => no_content(),
        },
    )
    .await;
    let client = builder(&server).build().unwrap();
    client.settle(&job(), complete()).await;
    down.store(true, Ordering::SeqCst);
    skip(Duration::from_secs(250)).await;
    for _ in 0..20 {
        assert_eq!(client.settle(&job(), complete()).await, SettleAnswer::Settled);
    }
    server.arrived(23).await;
    assert_eq!(fetches(&server), 2);
    skip(Duration::from_secs(50)).await;
    let answer = client.settle(&job(), complete()).await;
    let SettleAnswer::Deferred { after: Some(_), detail } = answer else {
        panic!("{answer:?}");
    };
    assert_eq!(detail, "the token endpoint answered 503");
    assert_eq!(fetches(&server), 3);
    down.store(false, Ordering::SeqCst);
    skip(Duration::from_secs(60)).await;
    assert_eq!(client.settle(&job(), complete()).await, SettleAnswer::Settled);
}

#[tokio::test]
async fn a_wrong_secret_gives_fewer_than_ten_requests_in_five_minutes() {
    let body = r#"{"error":"unauthorized_client","error_description":"Invalid client or\ns&cret"}"#;
    let server = Server::start(move |_, _| json(401, body)).await;
    let client = builder(&server).build().unwrap();
    for _ in 0..300 {
        let answer = client.activate(&poll()).await.unwrap_err();
        let detail = "the token endpoint answered 401 (unauthorized_client: Invalid client or ***)".to_owned();
        assert_eq!(answer, ActivationError::Denied { detail });
        assert!(matches!(
            client.settle(&job(), fail()).await,
            SettleAnswer::Deferred { after: Some(after), .. } if after <= Duration::from_secs(60)
        ));
        assert!(matches!(
            client.mark(&job(), raw("{}")).await,
            PutAnswer::Refused { .. }
        ));
        assert!(matches!(
            client.record(&job(), raw("{}")).await,
            PutAnswer::Unanswered { .. }
        ));
        skip(Duration::from_secs(1)).await;
    }
    assert!((6..10).contains(&fetches(&server)), "{}", fetches(&server));
    // Nothing went to the cluster.
    assert_eq!(server.seen().len(), fetches(&server));
}

#[tokio::test]
async fn a_token_endpoint_that_is_down_is_asked_again_soon() {
    let server = Server::start(|_, _| html(503)).await;
    let client = builder(&server).build().unwrap();
    for number in 1..=3 {
        assert!(client.activate(&poll()).await.is_err());
        assert_eq!(fetches(&server), number);
        skip(Duration::from_secs(4)).await;
    }
}

#[tokio::test]
async fn the_token_endpoints_retry_after_is_kept() {
    let server = Server::start(|_, _| answer(429, "retry-after: 100\r\n", "")).await;
    let client = builder(&server).build().unwrap();
    for seconds in [0, 90] {
        skip(Duration::from_secs(seconds)).await;
        let answer = client.activate(&poll()).await;
        assert!(matches!(answer, Err(ActivationError::Denied { .. })), "{answer:?}");
    }
    assert_eq!(fetches(&server), 1);
    skip(Duration::from_secs(10)).await;
    let _ = client.activate(&poll()).await;
    assert_eq!(fetches(&server), 2);
}

#[tokio::test]
async fn a_token_with_a_short_life_or_none_makes_no_hot_loop() {
    for (life, seconds, expected) in [
        (r#","expires_in":5"#, 5, 1),
        (r#","expires_in":0"#, 230, 1),
        ("", 230, 1),
        (r#","expires_in":"300""#, 230, 1),
        (r#","expires_in":-7"#, 230, 1),
        (r#","expires_in":9000000000000000000"#, 60_000, 1),
        (r#","expires_in":5"#, 11, 2),
        ("", 301, 2),
    ] {
        let server = server(life, |_| no_content()).await;
        let client = builder(&server).build().unwrap();
        client.settle(&job(), complete()).await;
        for _ in 0..5 {
            client.settle(&job(), complete()).await;
        }
        skip(Duration::from_secs(seconds)).await;
        for _ in 0..5 {
            client.settle(&job(), complete()).await;
        }
        assert_eq!(fetches(&server), expected, "{life} after {seconds} s");
    }
}

#[tokio::test]
async fn a_401_is_followed_by_one_renewal_for_all_and_each_call_once_more() {
    let valid = Arc::new(AtomicUsize::new(1));
    let cluster = Arc::clone(&valid);
    let server = server(HOUR, move |number| match number >= cluster.load(Ordering::SeqCst) {
        true => no_content(),
        false => problem(401, "UNAUTHORIZED", "expired"),
    })
    .await;
    let client = builder(&server).build().unwrap();
    client.settle(&job(), complete()).await;
    valid.store(2, Ordering::SeqCst);
    let job = job();
    let (a, b, c) = tokio::join!(
        client.settle(&job, complete()),
        client.settle(&job, fail()),
        client.record(&job, raw("{}"))
    );
    assert_eq!(
        (a, b, c),
        (SettleAnswer::Settled, SettleAnswer::Settled, PutAnswer::Done)
    );
    assert_eq!(fetches(&server), 2);
    assert_eq!(
        server.count(|seen| seen.header("authorization") == Some("Bearer tok-2")),
        3
    );

    // Again at once: the last renewal has just been, and the call is deferred.
    valid.store(3, Ordering::SeqCst);
    assert!(matches!(
        client.settle(&job, complete()).await,
        SettleAnswer::Deferred { .. }
    ));
    assert_eq!(fetches(&server), 2);
    skip(Duration::from_secs(10)).await;
    assert_eq!(client.settle(&job, complete()).await, SettleAnswer::Settled);
    assert_eq!(fetches(&server), 3);
}

#[tokio::test]
async fn a_tenant_that_is_not_assigned_costs_two_tokens_not_one_each_poll() {
    let server = Server::start(|seen, before| match seen.line() {
        "POST /token" => token(before, HOUR),
        "POST /v2/jobs/activation" => problem(401, "UNAUTHORIZED", "not assigned to tenant 'a'"),
        _ => no_content(),
    })
    .await;
    let client = builder(&server).build().unwrap();
    for poll_number in 0..30 {
        let answer = client.activate(&poll()).await.unwrap_err();
        let detail = "401 UNAUTHORIZED: not assigned to tenant 'a'".to_owned();
        assert_eq!(answer, ActivationError::Denied { detail });
        // Other calls are accepted with the same token.
        assert_eq!(client.settle(&job(), complete()).await, SettleAnswer::Settled);
        if poll_number == 0 {
            assert_eq!(server.count(|seen| seen.line().ends_with("activation")), 2);
        }
        skip(Duration::from_secs(9)).await;
    }
    assert_eq!(fetches(&server), 2);
    // The right may have been given meanwhile, and stand in a new token.
    skip(Duration::from_secs(40)).await;
    let _ = client.activate(&poll()).await;
    assert_eq!(fetches(&server), 3);
}

#[tokio::test]
async fn a_renewal_that_fails_after_a_401_keeps_the_clusters_words() {
    let server = Server::start(|seen, before| match (seen.is_token(), before) {
        (true, 0) => token(1, HOUR),
        (true, _) => answer(500, "retry-after: 60\r\n", ""),
        (false, _) => problem(401, "UNAUTHORIZED", "expired tok-1"),
    })
    .await;
    let client = builder(&server).build().unwrap();
    let answer = client.settle(&job(), fail()).await;
    let detail = "401 UNAUTHORIZED: expired ***".to_owned();
    assert_eq!(answer, SettleAnswer::Deferred { after: None, detail });
    let answer = client.settle(&job(), fail()).await;
    assert!(
        matches!(answer, SettleAnswer::Deferred { after: Some(_), .. }),
        "{answer:?}"
    );
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn a_fetch_that_panics_is_no_hot_loop() {
    let server = server(HOUR, |_| no_content()).await;
    let client = builder(&server)
        .observe_tokens(Arc::new(|_| panic!("an observer's fault")))
        .build()
        .unwrap();
    for _ in 0..10 {
        let answer = client.settle(&job(), complete()).await;
        assert!(
            matches!(answer, SettleAnswer::Deferred { after: Some(_), .. }),
            "{answer:?}"
        );
    }
    assert_eq!(fetches(&server), 1);
}

#[tokio::test]
async fn what_is_no_token_is_refused_and_not_repeated() {
    for reply in [
        html(200),
        json(200, r#"{"access_token":""}"#),
        json(200, r#"{"access_token":7777}"#),
        json(200, r#"{"access_token":"77\n77"}"#),
        answer(302, "location: /token2\r\n", "7777"),
    ] {
        let server = Server::start(move |_, _| reply.clone()).await;
        let client = builder(&server).build().unwrap();
        let error = client.activate(&poll()).await.unwrap_err();
        assert!(matches!(error, ActivationError::Denied { .. }), "{error:?}");
        assert!(
            error.to_string().contains("token endpoint") && !error.to_string().contains("77"),
            "{error}"
        );
        assert_eq!(server.seen().len(), 1);
    }
}

/// The caller goes away, the fetch does not.
#[tokio::test]
async fn a_fetch_is_finished_when_its_caller_has_gone() {
    let server = server(HOUR, |_| no_content()).await;
    let client = Arc::new(builder(&server).build().unwrap());
    let job = job();
    {
        let mut call = std::pin::pin!(client.settle(&job, complete()));
        tokio::select! {
            biased;
            _ = &mut call => panic!("done before its token was there"),
            () = std::future::ready(()) => {}
        }
    }
    assert_eq!(client.settle(&job, complete()).await, SettleAnswer::Settled);
    assert_eq!(fetches(&server), 1);
}
