//! What a component may import, and what it finds there.

use flow_starter_host::component::{Import, ImportDenied, LoadError, Mismatch};
use flow_starter_host::{Connector, Engine};

use super::sandbox::{Sandbox, error, guest, limits, patient};

const ENVIRONMENT: &str = "wasi:cli/environment";
const RANDOM: &str = "wasi:random/random";

fn naming(names: &[&str]) -> Engine {
    let imports: Vec<Import> = names.iter().map(|name| name.parse().unwrap()).collect();
    Engine::with_imports(limits(), imports).unwrap()
}

async fn load(names: &[&str]) -> Result<Connector, LoadError> {
    naming(names).load(&guest("asking-guest")).await
}

fn not_named(names: &[&str]) -> LoadError {
    let imports = names.iter().map(|name| Mismatch::Import {
        name: format!("{name}@0.2.6"),
        why: ImportDenied::NotNamed,
    });
    LoadError::Contract(imports.collect())
}

#[tokio::test]
async fn an_interface_that_was_not_named_is_not_given() {
    assert_eq!(load(&[]).await.unwrap_err(), not_named(&[ENVIRONMENT, RANDOM]));
}

#[tokio::test]
async fn naming_one_interface_opens_no_other() {
    assert_eq!(load(&[ENVIRONMENT]).await.unwrap_err(), not_named(&[RANDOM]));
    assert_eq!(load(&[RANDOM]).await.unwrap_err(), not_named(&[ENVIRONMENT]));
    let every_other = Import::all()
        .map(|import| import.to_string())
        .filter(|name| name != RANDOM);
    let every_other: Vec<_> = every_other.collect();
    let every_other: Vec<_> = every_other.iter().map(String::as_str).collect();
    assert_eq!(load(&every_other).await.unwrap_err(), not_named(&[RANDOM]));
}

#[tokio::test]
async fn allowed_imports_are_empty() {
    let sandbox = Sandbox::open(patient(8)).await;
    assert!(std::env::vars_os().next().is_some() && std::env::args_os().next().is_some());
    let asking = load(&[ENVIRONMENT, RANDOM]).await.unwrap();
    let found = error(sandbox.run_by(&asking, "/asks").await);
    assert_eq!(found.message, "[] [] None");
    let drawn = error(sandbox.run_by(&asking, "/draws").await);
    assert_eq!(drawn.message, "16");
}

/// The host makes them while nobody else has the thread, and keeps them until the guest has them.
#[tokio::test]
async fn random_numbers_are_given_in_small_portions() {
    let sandbox = Sandbox::open(patient(8)).await;
    let asking = load(&[ENVIRONMENT, RANDOM]).await.unwrap();
    let drawn = error(sandbox.run_by(&asking, "/draws-a-lot").await);
    assert!(drawn.message.contains("exceeds limit 65536"), "{drawn}");
}

#[tokio::test]
async fn extra_imports_do_not_help_an_attack() {
    let sandbox = Sandbox::open(patient(8)).await;
    let asking = load(&[ENVIRONMENT, RANDOM]).await.unwrap();
    for (attack, why) in [
        ("/loops", "exceeded the CPU limit of 0.5 s"),
        ("/allocates", "exceeded the memory limit of 64 MiB"),
        ("/says-success", "contradicts"),
    ] {
        let error = error(sandbox.run_by(&asking, attack).await);
        assert!(error.message.contains(why), "{attack}: {error}");
    }
}
