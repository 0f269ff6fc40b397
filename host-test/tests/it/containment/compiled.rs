//! What was compiled ahead of time, and what is told of a file.

use flow_starter_host::component::{ImportDenied, LoadError, Mismatch};
use flow_starter_host::inspect::FileKind;
use flow_starter_host::{Engine, Limits};

use super::sandbox::{Sandbox, guest, honest, limits};

#[tokio::test]
async fn precompiled_components_behave_like_loaded_ones() {
    let sandbox = Sandbox::open(limits()).await;
    let compile = [Engine::compile, Engine::compile_portable];
    for machine_code in compile.map(|compile| compile(&sandbox.engine, &honest()).unwrap()) {
        // Of another engine with the same settings, and more places.
        let engine = Engine::new(Limits {
            concurrent_calls: 16,
            ..limits()
        });
        // SAFETY: it was compiled above.
        let connector = unsafe { engine.unwrap().load_compiled(&machine_code) }.unwrap();
        sandbox.serves(&connector).await;
    }
}

#[tokio::test]
async fn precompiled_components_are_contained_like_loaded_ones() {
    let sandbox = Sandbox::open(limits()).await;
    let machine_code = sandbox.engine.compile(&guest("hostile-guest")).unwrap();
    // SAFETY: it was compiled in the line above.
    let hostile = unsafe { sandbox.engine.load_compiled(&machine_code) }.unwrap();
    for (attack, why) in [
        ("/loops", "exceeded the CPU limit of 0.5 s"),
        ("/allocates", "exceeded the memory limit of 64 MiB"),
        ("/recurses", "exceeded the stack limit of 512 KiB"),
        ("/says-success", "contradicts"),
    ] {
        let error = super::sandbox::error(sandbox.run_by(&hostile, attack).await);
        assert!(error.message.contains(why), "{attack}: {error}");
    }
}

#[tokio::test]
async fn every_loading_method_refuses_the_same() {
    let plain = Engine::new(limits()).unwrap();
    let asking = guest("asking-guest");
    let refusal = plain.load(&asking).await.unwrap_err();
    assert!(
        matches!(&refusal, LoadError::Contract(found) if matches!(found[..], [Mismatch::Import { .. }, Mismatch::Import { .. }])),
        "{refusal}"
    );
    assert_eq!(plain.compile(&asking).unwrap_err(), refusal);
    assert_eq!(plain.compile_portable(&asking).unwrap_err(), refusal);
    assert_eq!(plain.inspect(&asking).refusal, Some(refusal.clone()));

    // Compiled where it was allowed, and brought where it is not.
    let imports = ["wasi:cli/environment", "wasi:random/random"].map(|name| name.parse().unwrap());
    let machine_code = Engine::with_imports(limits(), imports)
        .unwrap()
        .compile(&asking)
        .unwrap();
    // SAFETY: it was compiled in the line above.
    let message = unsafe { plain.load_compiled(&machine_code) }.unwrap_err();
    assert_eq!(message, refusal);
    let message = plain.load(&machine_code).await.unwrap_err().to_string();
    assert!(message.contains("it is precompiled machine code"), "{message}");
}

#[test]
fn an_inspection_tells_imports_exports_and_the_verdict() {
    let engine = Engine::new(limits()).unwrap();
    let wasm = honest();
    let inspection = engine.inspect(&wasm);
    assert_eq!((inspection.kind, inspection.bytes), (FileKind::Component, wasm.len()));
    assert_eq!(inspection.refusal, None);
    assert!(inspection.imports.len() >= 6 && inspection.imports.iter().all(|import| import.denied.is_none()));
    assert_eq!(
        inspection.exports,
        [
            "connectors:servicenow-flow-starter/flow-starter@0.1.0",
            "connectors:servicenow-flow-starter/connector@0.1.0"
        ]
    );
    let functions: Vec<_> = inspection
        .functions
        .iter()
        .map(|function| (function.function, function.present))
        .collect();
    assert_eq!(
        functions,
        [("trigger-flow", true), ("request-token", true), ("execute", true)]
    );

    let closed: Vec<_> = engine
        .inspect(&guest("asking-guest"))
        .imports
        .into_iter()
        .filter_map(|import| Some((import.name, import.denied?)))
        .collect();
    assert_eq!(
        closed,
        [
            ("wasi:cli/environment@0.2.6".to_owned(), ImportDenied::NotNamed),
            ("wasi:random/random@0.2.6".to_owned(), ImportDenied::NotNamed)
        ]
    );
}
