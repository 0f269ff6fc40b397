//! Components as others compose them: of more core instances, memories and tables than the flow starter has.

use flow_starter_host::Engine;
use flow_starter_host::component::LoadError;
use futures_util::future::join_all;

use super::sandbox::{Sandbox, guest, honest, limits, patient};

/// The component with further core instances of a module at its end: one more section for each module, and one for its instances.
fn with_instances(component: &[u8], module: &str, count: usize) -> Vec<u8> {
    const CORE_MODULE: u8 = 1;
    const CORE_INSTANCES: u8 = 2;
    let mut composed = component.to_vec();
    let index = sections(component).filter(|id| *id == CORE_MODULE).count();
    push_section(&mut composed, CORE_MODULE, &wat::parse_str(module).unwrap());
    let instances: Vec<u8> = std::iter::repeat_n([0, u8::try_from(index).unwrap(), 0], count)
        .flatten()
        .collect();
    let mut body = vec![u8::try_from(count).unwrap()];
    body.extend(instances);
    push_section(&mut composed, CORE_INSTANCES, &body);
    composed
}

fn push_section(component: &mut Vec<u8>, id: u8, body: &[u8]) {
    component.push(id);
    let mut size = body.len();
    while size > 0x7f {
        component.push((size & 0x7f) as u8 | 0x80);
        size >>= 7;
    }
    component.push(size as u8);
    component.extend(body);
}

/// The ids of a component's sections, in order.
fn sections(component: &[u8]) -> impl Iterator<Item = u8> {
    let mut at = 8;
    std::iter::from_fn(move || {
        let id = *component.get(at)?;
        let (mut size, mut shift) = (0, 0);
        loop {
            at += 1;
            size |= usize::from(component[at] & 0x7f) << shift;
            shift += 7;
            if component[at] < 0x80 {
                break;
            }
        }
        at += 1 + size;
        Some(id)
    })
}

/// What a component does when it comes up is under a call's limits, and known when it is loaded.
#[tokio::test]
async fn a_component_that_exceeds_a_limit_at_start_is_refused_by_name() {
    let engine = Engine::new(limits()).unwrap();
    for (module, count, limit) in [
        (
            "(module (func $f (loop (br 0))) (start $f))",
            1,
            "exceeded the CPU limit of 0.5 s",
        ),
        (
            "(module (func $f (call $f)) (start $f))",
            1,
            "exceeded the stack limit of 512 KiB",
        ),
        ("(module (func $f unreachable) (start $f))", 1, "unreachable"),
        (
            "(module (table 1 funcref) (func $f (drop (table.grow (ref.null func) (i32.const 20000)))) (start $f))",
            1,
            "exceeded the limit of 20000 table entries",
        ),
        ("(module (memory 600))", 2, "exceeded the memory limit of 64 MiB"),
        (
            "(module (memory 1) (func $f (drop (memory.grow (i32.const 600)))) (start $f))",
            2,
            "exceeded the memory limit of 64 MiB",
        ),
    ] {
        let wasm = with_instances(&honest(), module, count);
        let refusal = engine.load(&wasm).await.unwrap_err();
        assert!(matches!(refusal, LoadError::Instantiate(_)), "{module}: {refusal}");
        assert!(refusal.to_string().contains(limit), "{module}: {refusal}");
        assert_eq!(engine.inspect(&wasm).refusal, Some(refusal), "{module}");
    }
}

#[tokio::test]
async fn a_component_of_many_instances_takes_no_permit_from_others() {
    let sandbox = Sandbox::open(patient(4)).await;
    // The component itself has 3 core instances and 2 tables.
    let wasm = with_instances(&honest(), "(module (table 20000 funcref))", 6);
    let wasm = with_instances(&wasm, "(module)", 23);
    let composed = sandbox.engine.load(&wasm).await.unwrap();
    let calls = (0..20).map(|turn| sandbox.serves(if turn % 2 == 0 { &composed } else { &sandbox.honest }));
    join_all(calls).await;
    assert_eq!(sandbox.stand_in.starts().len(), 20);
}

/// A place has one memory. Who has three takes three places, and waits for them.
#[tokio::test]
async fn a_component_of_several_memories_waits_for_as_many_permits() {
    let sandbox = Sandbox::open(patient(4)).await;
    let wasm = with_instances(&honest(), "(module (memory 1))", 2);
    let composed = sandbox.engine.load(&wasm).await.unwrap();
    let calls = (0..20).map(|turn| sandbox.serves(if turn % 2 == 0 { &composed } else { &sandbox.honest }));
    join_all(calls).await;
    assert_eq!(sandbox.stand_in.starts().len(), 20);

    let two = Engine::new(patient(2)).unwrap();
    let refusal = two.load(&wasm).await.unwrap_err();
    let LoadError::Limit(why) = refusal else {
        panic!("{refusal}")
    };
    assert!(
        why.contains("3 Wasm linear memories, which exceeds the configured maximum of 2"),
        "{why}"
    );
}

/// The limit is on all memories together: each of these alone would do.
#[tokio::test]
async fn several_memories_hold_no_more_than_one_may() {
    let sandbox = Sandbox::open(patient(8)).await;
    let wasm = with_instances(&guest("hostile-guest"), "(module (memory 512))", 1);
    let composed = sandbox.engine.load(&wasm).await.unwrap();
    let outcome = sandbox.run_by(&composed, "/returns-a-lot").await;
    let error = super::sandbox::error(outcome);
    assert!(error.message.contains("exceeded the memory limit of 64 MiB"), "{error}");
}
