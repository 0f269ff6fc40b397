use std::time::Duration;

use super::*;

/// A small generator (xorshift64*), so that a failing run can be repeated from its seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() >> 16) as usize % n
    }
}

#[derive(Default)]
struct Hand {
    calling: Vec<(usize, usize)>,
    waiting: Vec<(usize, usize)>,
    unplaced: Vec<usize>,
}

#[test]
fn a_hundred_jobs_keep_both_limits_at_random() {
    for seed in 1..=300 {
        let mut random = Random(seed);
        let (max_jobs, per_instance) = (1 + random.below(24), 1 + random.below(6));
        let mut permits = Permits::new(max_jobs, per_instance);
        let mut hand = Hand::default();
        let (mut polls, mut served, mut ended) = (Vec::new(), 0, 0);
        while ended < 100 {
            match random.below(4) {
                0 => polls.push(permits.ask(1 + random.below(8))),
                1 if !polls.is_empty() => {
                    let asked = polls.swap_remove(random.below(polls.len()));
                    let count = random.below(asked + 1).min(100 - served);
                    let jobs: Vec<_> = (served..served + count).collect();
                    served += count;
                    hand.unplaced.extend(&jobs);
                    permits.arrived(asked, jobs);
                }
                2 if !hand.unplaced.is_empty() => {
                    let job = hand.unplaced.swap_remove(random.below(hand.unplaced.len()));
                    let instance = random.below(3);
                    match permits.enter(job, instance) {
                        Entry::Permit => hand.calling.push((job, instance)),
                        Entry::Wait => {
                            let calling = hand.calling.iter().filter(|(_, of)| *of == instance).count();
                            assert_eq!(calling, per_instance, "seed {seed}: waits beside a free permit");
                            hand.waiting.push((job, instance));
                        }
                    }
                }
                3 => {
                    let list = match random.below(4) {
                        0 => &mut hand.waiting,
                        _ => &mut hand.calling,
                    };
                    if list.is_empty() {
                        continue;
                    }
                    let (job, instance) = list.swap_remove(random.below(list.len()));
                    ended += 1;
                    if let Some(next) = permits.leave(&job) {
                        let oldest = hand.waiting.iter().position(|(job, _)| *job == next).unwrap();
                        assert_eq!(
                            hand.waiting[oldest].1, instance,
                            "seed {seed}: a permit for another instance"
                        );
                        let got = hand.waiting.remove(oldest);
                        hand.calling.push(got);
                    }
                }
                _ => {}
            }
            let in_hand = hand.calling.len() + hand.waiting.len() + hand.unplaced.len();
            assert_eq!(permits.in_hand(), in_hand, "seed {seed}");
            assert!(in_hand <= max_jobs, "seed {seed}: more in hand than can run");
            for instance in 0..3 {
                let calling = hand.calling.iter().filter(|(_, of)| *of == instance).count();
                assert_eq!(permits.calling(&instance), calling, "seed {seed}");
                assert!(calling <= per_instance, "seed {seed}: too many calls to one instance");
            }
        }
        assert_eq!(permits.instances(), 0, "seed {seed}: an instance is kept for nothing");
        let asked: usize = polls.iter().sum();
        assert_eq!(
            permits.ask(usize::MAX),
            max_jobs - asked,
            "seed {seed}: a place was lost"
        );
    }
}

#[test]
fn a_slow_instance_does_not_hold_up_another() {
    let mut permits = Permits::new(64, 16);
    permits.arrived(permits.clone().ask(64), 0..18);
    for job in 0..16 {
        assert_eq!(permits.enter(job, "slow"), Entry::Permit);
    }
    assert_eq!(permits.enter(16, "slow"), Entry::Wait);
    assert_eq!(permits.enter(17, "quick"), Entry::Permit);
    assert_eq!(permits.leave(&17), None);
    assert_eq!(permits.leave(&3), Some(16));
}

#[test]
fn a_full_worker_asks_for_nothing() {
    let mut permits: Permits<u32, u32> = Permits::new(4, 16);
    assert_eq!(permits.ask(3), 3);
    assert_eq!(permits.ask(3), 1);
    assert_eq!(permits.ask(3), 0);
    permits.arrived(3, [1]);
    assert_eq!(permits.ask(9), 2);
    assert_eq!(permits.leave(&1), None);
    assert_eq!(permits.ask(9), 1);
}

#[test]
fn delays_grow_to_their_limit_and_lose_at_most_half() {
    let back_off = BackOff::new(Duration::from_millis(500), Duration::from_secs(30));
    let mut random = Random(7);
    for tries in 1..200 {
        let whole = Duration::from_millis(500u64.saturating_mul(1 << (tries - 1).min(20))).min(Duration::from_secs(30));
        let delay = back_off.delay(tries, random.next());
        assert!(whole / 2 <= delay && delay <= whole, "{tries}: {delay:?}");
    }
    assert_eq!(back_off.delay(1, 0), Duration::from_millis(250));
    assert_eq!(back_off.delay(1, 65_535), Duration::from_millis(500));
}

#[test]
fn an_early_empty_list_pauses_between_100_ms_and_1_s() {
    let mut polling = Polling::new(Duration::from_secs(10));
    let mut random = Random(3);
    let empty = PollEnd::Empty { took: Duration::ZERO };
    assert_eq!(polling.pause(empty, 0), Duration::from_millis(100));
    let mut longest = Duration::ZERO;
    for _ in 0..50 {
        let pause = polling.pause(empty, random.next());
        assert!(Duration::from_millis(100) <= pause && pause <= Duration::from_secs(1));
        longest = longest.max(pause);
    }
    assert!(longest > Duration::from_millis(900));
    let whole = PollEnd::Empty {
        took: Duration::from_secs(10),
    };
    assert_eq!(polling.pause(whole, 0), Duration::ZERO);
    assert_eq!(polling.pause(empty, 0), Duration::from_millis(100));
}

#[test]
fn overload_slows_polling_down_and_one_success_ends_it() {
    let mut polling = Polling::new(Duration::from_secs(10));
    for _ in 0..10 {
        polling.pause(PollEnd::Overloaded, 0);
        assert!(polling.is_overloaded());
    }
    assert_eq!(polling.pause(PollEnd::Overloaded, 65_535), Duration::from_secs(30));
    assert_eq!(polling.failures(), 11);
    assert_eq!(polling.pause(PollEnd::Jobs, 0), Duration::ZERO);
    assert!(!polling.is_overloaded());
    assert_eq!(polling.pause(PollEnd::Failed, 0), Duration::from_millis(250));
}
