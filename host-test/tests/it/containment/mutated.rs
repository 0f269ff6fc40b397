//! The component's own file, spoilt: cut short, or with bytes turned.

use std::time::{Duration, Instant};

use flow_starter_host::Limits;

use super::sandbox::{Sandbox, honest, limits};

/// A spoilt file is refused, or what it does is contained like anything else.
async fn loads(sandbox: &Sandbox, wasm: &[u8], what: &str) -> bool {
    let began = Instant::now();
    let loaded = sandbox.engine.load(wasm).await;
    assert!(
        began.elapsed() < Duration::from_secs(30),
        "{what}: {:?}",
        began.elapsed()
    );
    let Ok(connector) = loaded else { return false };
    let call = connector.execute(&sandbox.egress, host_test::conformance::BASE);
    let call = tokio::time::timeout(Duration::from_secs(30), call).await;
    assert!(call.is_ok(), "{what}: its call does not end");
    true
}

#[tokio::test]
async fn a_component_that_is_cut_short_is_refused() {
    let sandbox = Sandbox::open(limits()).await;
    let whole = honest();
    for part in 0..64 {
        let length = whole.len() * part / 64;
        assert!(
            !loads(&sandbox, &whole[..length], &format!("{length} bytes")).await,
            "{length}"
        );
    }
    sandbox.assert_others_are_served().await;
}

/// Everywhere in the file: most of them spoil its structure, some leave a component that computes something else.
#[tokio::test]
async fn a_component_with_turned_bytes_is_refused_or_contained() {
    let sandbox = Sandbox::open(Limits {
        wall_clock: Duration::from_secs(2),
        ..limits()
    })
    .await;
    let whole = honest();
    for turn in 0..12 {
        let mut spoilt = whole.clone();
        let at = (whole.len() * turn / 12 + turn * 7919) % whole.len();
        spoilt[at] ^= 1 << (turn % 8);
        loads(&sandbox, &spoilt, &format!("byte {at}")).await;
    }
    sandbox.assert_others_are_served().await;
}
