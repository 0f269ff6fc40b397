use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::contract::ErrorKind;
use flow_starter_input::{ClientAuthentication, ClientCredentials, Limits};

fn request(secret: &str) -> TokenRequest {
    TokenRequest {
        instance: "acme".to_owned(),
        domain: None,
        endpoint: None,
        credentials: ClientCredentials {
            token_url: None,
            client_id: "id".into(),
            client_secret: secret.into(),
            audience: None,
            scopes: Vec::new(),
            client_authentication: ClientAuthentication::RequestBody,
        },
        limits: None,
    }
}

/// A token endpoint that numbers its tokens.
#[derive(Default)]
struct Endpoint(Arc<AtomicUsize>);

impl Endpoint {
    fn asked(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    fn answer(
        &self,
        life: Option<u32>,
    ) -> impl FnOnce(TokenRequest) -> BoxFuture<'static, Judged<AccessToken>> + use<> {
        let asked = Arc::clone(&self.0);
        move |_| {
            Box::pin(async move {
                let number = asked.fetch_add(1, Ordering::SeqCst) + 1;
                tokio::time::sleep(Duration::from_secs(1)).await;
                Judged {
                    result: Ok(AccessToken {
                        token: format!("token-{number}"),
                        expires_in_s: life,
                    }),
                    requests: Vec::new(),
                }
            })
        }
    }

    fn fail(&self) -> impl FnOnce(TokenRequest) -> BoxFuture<'static, Judged<AccessToken>> + use<> {
        let answer = self.answer(None)(request(""));
        move |_| {
            Box::pin(async move {
                answer.await;
                Judged::refused(Failure::invalid("no".to_owned(), true))
            })
        }
    }
}

fn value(given: Judged<TokenLease>) -> (String, bool) {
    let given = given.result.unwrap();
    (given.value().expose().to_owned(), given.from_cache)
}

#[tokio::test(start_paused = true)]
async fn a_token_is_used_until_shortly_before_it_expires() {
    let (tokens, endpoint) = (Tokens::default(), Endpoint::default());
    let (a, long) = (request("a"), Some(1800));
    assert_eq!(
        value(tokens.get(&a, endpoint.answer(long)).await),
        ("token-1".to_owned(), false)
    );
    tokio::time::advance(Duration::from_secs(1738)).await;
    assert_eq!(
        value(tokens.get(&a, endpoint.answer(long)).await),
        ("token-1".to_owned(), true)
    );
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(
        value(tokens.get(&a, endpoint.answer(long)).await),
        ("token-2".to_owned(), false)
    );
}

#[tokio::test(start_paused = true)]
async fn a_short_life_is_used_for_its_first_half() {
    let (tokens, endpoint) = (Tokens::default(), Endpoint::default());
    let a = request("a");
    assert_eq!(value(tokens.get(&a, endpoint.answer(Some(20))).await).0, "token-1");
    tokio::time::advance(Duration::from_secs(8)).await;
    assert_eq!(value(tokens.get(&a, endpoint.answer(Some(20))).await).0, "token-1");
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(value(tokens.get(&a, endpoint.answer(None)).await).0, "token-2");
    assert_eq!(
        value(tokens.get(&a, endpoint.answer(Some(0))).await),
        ("token-3".to_owned(), false),
        "a life unknown"
    );
    assert_eq!(
        value(tokens.get(&a, endpoint.answer(None)).await),
        ("token-4".to_owned(), false),
        "and none"
    );
}

#[tokio::test(start_paused = true)]
async fn each_part_of_a_request_has_its_own_token() {
    let (tokens, endpoint) = (Tokens::default(), Endpoint::default());
    let own = request("a");
    let mut others = vec![request("b")];
    let mut vary = |change: fn(&mut TokenRequest)| {
        let mut other = request("a");
        change(&mut other);
        others.push(other);
    };
    vary(|it| it.instance = "other".to_owned());
    vary(|it| it.domain = Some("example.com".to_owned()));
    vary(|it| it.endpoint = Some("https://gateway.example".into()));
    vary(|it| it.credentials.token_url = Some("https://login.example/t".into()));
    vary(|it| it.credentials.client_id = "other".into());
    vary(|it| it.credentials.audience = Some("a".to_owned()));
    vary(|it| it.credentials.scopes = vec!["a".to_owned()]);
    vary(|it| it.credentials.client_authentication = ClientAuthentication::BasicHeader);
    tokens.get(&own, endpoint.answer(Some(3600))).await.result.ok().unwrap();
    for other in &others {
        assert!(
            !value(tokens.get(other, endpoint.answer(Some(3600))).await).1,
            "{other:?}"
        );
    }
    let mut patient = request("a");
    patient.limits = Some(Limits {
        connect_timeout_ms: 1,
        first_byte_timeout_ms: 1,
        between_bytes_timeout_ms: 1,
        max_response_bytes: 1,
    });
    assert!(
        value(tokens.get(&patient, endpoint.answer(Some(3600))).await).1,
        "its time limits alone differ"
    );
}

#[tokio::test(start_paused = true)]
async fn many_at_once_ask_once() {
    let (tokens, endpoint) = (Tokens::default(), Endpoint::default());
    let a = request("a");
    let calls = (0..50).map(|_| tokens.get(&a, endpoint.answer(Some(3600))));
    for given in futures_util::future::join_all(calls).await {
        assert_eq!(value(given), ("token-1".to_owned(), false));
    }
    assert_eq!(endpoint.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_shared_and_not_kept() {
    let (tokens, endpoint) = (Tokens::default(), Endpoint::default());
    let a = request("a");
    let calls = (0..50).map(|_| tokens.get(&a, endpoint.fail()));
    for given in futures_util::future::join_all(calls).await {
        assert_eq!(given.result.err().unwrap().kind, ErrorKind::InvalidInput);
    }
    assert_eq!(endpoint.asked(), 1);
    assert!(!value(tokens.get(&a, endpoint.answer(Some(3600))).await).1);
}

/// The one that asked goes away, and the one that waited goes on asking in its place; when both go, a third begins anew.
#[tokio::test(start_paused = true)]
async fn a_cancelled_caller_blocks_no_other() {
    let (tokens, endpoint) = (Tokens::default(), Endpoint::default());
    let a = request("a");
    let mut first = Box::pin(tokens.get(&a, endpoint.answer(Some(3600))));
    let mut second = Box::pin(tokens.get(&a, endpoint.answer(Some(3600))));
    assert!(first.as_mut().now_or_never().is_none() && second.as_mut().now_or_never().is_none());
    drop(first);
    assert_eq!(value(second.await).0, "token-1");

    let b = request("b");
    let mut gone = Box::pin(tokens.get(&b, endpoint.answer(Some(3600))));
    assert!(gone.as_mut().now_or_never().is_none());
    drop(gone);
    assert_eq!(value(tokens.get(&b, endpoint.answer(Some(3600))).await).0, "token-3");
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_forgotten_and_a_newer_one_is_not() {
    let (tokens, endpoint) = (Tokens::default(), Endpoint::default());
    let a = request("a");
    let old = tokens.get(&a, endpoint.answer(Some(3600))).await.result.ok().unwrap();
    tokens.forget(&a, &old);
    assert_eq!(
        value(tokens.get(&a, endpoint.answer(Some(3600))).await),
        ("token-2".to_owned(), false)
    );
    tokens.forget(&a, &old);
    assert_eq!(
        value(tokens.get(&a, endpoint.answer(Some(3600))).await),
        ("token-2".to_owned(), true)
    );
}

#[tokio::test(start_paused = true)]
async fn more_clients_than_it_keeps_are_served() {
    let (tokens, endpoint) = (Tokens::default(), Endpoint::default());
    for client in 0..KEPT + 10 {
        tokens
            .get(&request(&client.to_string()), endpoint.answer(Some(1_000_000)))
            .await
            .result
            .ok()
            .unwrap();
    }
    assert!(tokens.cache().kept.len() <= KEPT);
    assert!(!format!("{tokens:?}").contains("token-"));
}

#[tokio::test(start_paused = true)]
async fn expired_and_large_entries_are_not_cached() {
    let (tokens, endpoint) = (Tokens::default(), Endpoint::default());
    tokens
        .get(&request("a"), endpoint.answer(Some(100)))
        .await
        .result
        .ok()
        .unwrap();
    tokio::time::advance(Duration::from_secs(60)).await;
    tokens
        .get(&request("b"), endpoint.answer(Some(100)))
        .await
        .result
        .ok()
        .unwrap();
    assert_eq!(tokens.cache().kept.len(), 1);
    let mut large = request("c");
    large.credentials.scopes = vec!["x".repeat(LARGEST)];
    tokens
        .get(&large, endpoint.answer(Some(100)))
        .await
        .result
        .ok()
        .unwrap();
    let cache = tokens.cache();
    assert_eq!((cache.kept.len(), cache.asking.len()), (1, 0));
}

/// A runtime that stops, or ends, in the middle of asking takes nobody of another one with it.
#[test]
fn each_runtime_asks_for_itself() {
    let (tokens, endpoint) = (Tokens::default(), Endpoint::default());
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    let stopped = runtime();
    let a = request("a");
    let mut first = Box::pin(tokens.get(&a, endpoint.answer(Some(3600))));
    stopped.block_on(async { assert!(first.as_mut().now_or_never().is_none()) });
    assert!(!value(runtime().block_on(tokens.get(&a, endpoint.answer(Some(3600))))).1);
    drop(stopped);
    drop(first);
    assert!(value(runtime().block_on(tokens.get(&a, endpoint.answer(Some(3600))))).1);
}
