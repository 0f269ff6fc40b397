//! A component that writes its request as no honest one does: over HTTP/2 and over HTTP/1.1 the server gets a request that every reader
//! reads the same, or none.

use flow_starter_host::egress::Progress;
use flow_starter_host::input::Method;
use flow_starter_host::{Connector, Egress, Engine, FlowConfig, FlowState, Limits};
use host_test::rig::{Rig, component_file};

use super::http2::{Does, serve};
use super::stand_in;

const ATTACKS: [&str; 4] = ["/two-lengths", "/te", "/trailers", "/many-headers"];

async fn hostile() -> Connector {
    let file = component_file().with_file_name("test/hostile-guest.wasm");
    let wasm = std::fs::read(file).unwrap_or_else(|error| panic!("no guest ({error}): run `make guests` first"));
    Engine::new(Limits::default()).unwrap().load(&wasm).await.unwrap()
}

/// Commits it; whether a request was handed to a connection.
async fn sends(hostile: &Connector, egress: &Egress, attack: &str) -> bool {
    let outcome = hostile
        .trigger_flow(egress, FlowConfig::new(Method::Post, "acme", attack))
        .await;
    let sent = outcome
        .requests
        .iter()
        .any(|request| !matches!(request.progress, Progress::Denied | Progress::Unsent));
    let error = outcome.result.unwrap_err();
    assert!(
        !sent || error.message.starts_with("answered, body finished"),
        "{attack}: {error}"
    );
    assert_eq!(error.flow == FlowState::NotStarted, !sent, "{attack}: {error}");
    sent
}

#[tokio::test]
async fn a_request_written_to_deceive_comes_plain_or_not_over_http2() {
    let hostile = hostile().await;
    for attack in ATTACKS {
        let server = serve(Does::Answer).await;
        let sent = sends(&hostile, &server.egress(), attack).await;
        let seen = server.seen.lock().unwrap();
        assert_eq!(sent, matches!(attack, "/te" | "/trailers"), "{attack}");
        assert!(seen.requests.len() <= usize::from(sent), "{attack}");
        for (head, body) in &seen.requests {
            let lengths: Vec<_> = head.headers.get_all("content-length").iter().collect();
            assert!(lengths.len() <= 1, "{attack}: {lengths:?}");
            assert!(lengths.iter().all(|length| *length == "3"), "{attack}: {lengths:?}");
            assert_eq!(body, b"abc", "{attack}");
            // RFC 9113, section 8.2.2: of `te` nothing but `trailers`.
            let te: Vec<_> = head.headers.get_all("te").iter().collect();
            assert!(te.iter().all(|te| *te == "trailers"), "{attack}: {te:?}");
        }
    }
}

#[tokio::test]
async fn a_request_written_to_deceive_comes_plain_or_not_over_http1() {
    let hostile = hostile().await;
    for attack in ATTACKS {
        let stand_in = stand_in();
        let egress = Rig::reaching(&stand_in).unwrap().build().unwrap();
        let sent = sends(&hostile, &egress, attack).await;
        let requests = stand_in.requests();
        assert!(requests.len() <= usize::from(sent), "{attack}");
        for request in requests {
            let named = |name: &str| {
                let matching = request.headers.iter().filter(|(it, _)| it.eq_ignore_ascii_case(name));
                matching.map(|(_, value)| value.clone()).collect::<Vec<_>>()
            };
            let lengths = named("content-length");
            assert!(lengths.len() <= 1, "{attack}: {lengths:?}");
            assert!(lengths.is_empty() || named("transfer-encoding").is_empty(), "{attack}");
            assert_eq!(request.body, b"abc", "{attack}");
        }
    }
}
