//! The quick form of `make explore`: the same, within smaller bounds.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::time::Duration;

use flow_starter_worker_explore::config::{Config, everything, stated};
use flow_starter_worker_explore::explore::{every_order, shortest_counterexample};
use flow_starter_worker_explore::random::{schedule, schedules};

fn holds_in_every_order(configs: &[Config]) -> usize {
    let mut states = 0;
    for config in configs {
        match every_order(config) {
            Ok(figures) => states += figures.states,
            Err(_) => panic!("{config}\n{}", shortest_counterexample(config).unwrap()),
        }
    }
    states
}

#[test]
fn two_workers_keep_the_invariants_with_two_faults() {
    let states = holds_in_every_order(&stated(2));
    println!("{states} states");
    assert!(states > 100_000, "the exploration has become poorer: {states}");
}

#[test]
fn suspension_and_give_back_keep_the_invariants() {
    let mut configs = everything(1, 2);
    for config in &mut configs {
        config.bounds.verdicts = 0;
    }
    let states = holds_in_every_order(&configs);
    println!("{states} states");
    assert!(states > 50_000, "the exploration has become poorer: {states}");
}

#[test]
fn expressions_and_rejected_reports_keep_the_invariants() {
    let mut configs = everything(1, 2);
    for config in &mut configs {
        config.bounds.suspensions = 0;
        config.bounds.give_backs = 0;
    }
    let states = holds_in_every_order(&configs);
    println!("{states} states");
    assert!(states > 50_000, "the exploration has become poorer: {states}");
}

#[test]
fn nothing_is_unknown_without_a_fault() {
    // I4 itself says so; here every run must also end.
    assert!(holds_in_every_order(&everything(0, 3)) > 1_000);
}

#[test]
fn three_workers_keep_the_invariants_at_random() {
    let configs = everything(8, 3);
    let figures = schedules(&configs, 1, 10_000, Duration::from_secs(60));
    let figures = figures.unwrap_or_else(|(number, config, found)| panic!("schedule {number}\n{config}\n{found}"));
    println!("{figures:?}");
}

#[test]
fn a_schedule_is_replayed_from_its_number() {
    let config = &everything(8, 3)[0];
    for number in 1..50 {
        let steps = schedule(config, number).unwrap();
        assert_eq!(schedule(config, number).unwrap(), steps);
    }
}
