#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use flow_starter_worker_explore::config::*;
use flow_starter_worker_explore::explore::*;
use flow_starter_worker_explore::outcome::OnUnknown;
#[test]
fn t() {
    for faults in [std::env::var("F").map_or(2, |f| f.parse().unwrap())] {
        for engine in [EngineKind::Camunda8, EngineKind::Leases, EngineKind::Operaton] {
            for on in [OnUnknown::Incident, OnUnknown::Retry, OnUnknown::BpmnError] {
                let mut c = Config::new(engine, on, Bounds::stated(faults));
                c.extends = std::env::var("X").is_ok();
                let t = std::time::Instant::now();
                match every_order(&c) {
                    Ok(f) => println!("{faults} {engine:?} {on:?} {f:?} {:?}", t.elapsed()),
                    Err(_) => {
                        let ce = shortest_counterexample(&c).unwrap();
                        println!("{faults} {engine:?} {on:?} {ce}");
                    }
                }
            }
        }
    }
}
