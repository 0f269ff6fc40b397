//! Everything that a running cluster is made of, and the one place where its state is locked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tokio::time::sleep;

use crate::auth::Tokens;
use crate::clock::Clock;
use crate::evaluation::{Evaluated, Evaluator};
use crate::faults::Faults;
use crate::options::Options;
use crate::record::Log;
use crate::state::State;

pub(crate) struct Core {
    pub options: Options,
    pub faults: Faults,
    pub log: Log,
    state: Mutex<State>,
    tokens: Mutex<Tokens>,
    tenants: Mutex<Vec<String>>,
    evaluator: Mutex<Option<Arc<Evaluator>>>,
    /// What single expressions come to, before the evaluator is asked; `None`: any other.
    expressions: Mutex<BTreeMap<Option<String>, Evaluated>>,
    /// Something changed: a job, a request, a fault.
    changed: watch::Sender<()>,
}

/// A panic of one test thread leaves the state as it is for the others.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Core {
    pub fn new(options: Options) -> Self {
        Self {
            state: Mutex::new(State::new(Clock::new(options.clock_skew_ms))),
            tenants: Mutex::new(options.tenants.clone()),
            log: Log::new(options.keep),
            faults: Faults::default(),
            tokens: Mutex::default(),
            evaluator: Mutex::default(),
            expressions: Mutex::default(),
            changed: watch::Sender::new(()),
            options,
        }
    }

    /// Uses the state as it is now: what has expired is expired. Whoever waits is woken if anything changed.
    pub fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        let mut state = lock(&self.state);
        let before = state.revision;
        state.expire();
        let done = act(&mut state);
        let after = state.revision;
        let journal = state.take_journal();
        if let Some(observer) = &self.options.observer {
            // Under the lock, so that changes are reported in their order.
            journal.iter().for_each(observer);
        }
        drop(state);
        if after != before {
            self.wake();
        }
        done
    }

    pub fn wake(&self) {
        self.changed.send_replace(());
    }

    pub fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    pub fn tokens(&self) -> MutexGuard<'_, Tokens> {
        lock(&self.tokens)
    }

    pub fn tenants(&self) -> MutexGuard<'_, Vec<String>> {
        lock(&self.tenants)
    }

    pub fn evaluator(&self) -> Option<Arc<Evaluator>> {
        lock(&self.evaluator).clone()
    }

    pub fn set_evaluator(&self, evaluator: Option<Arc<Evaluator>>) {
        *lock(&self.evaluator) = evaluator;
    }

    pub fn evaluate_as(&self, expression: Option<String>, evaluated: Evaluated) {
        lock(&self.expressions).insert(expression, evaluated);
    }

    pub fn known_expression(&self, expression: &str) -> Option<Evaluated> {
        let expressions = lock(&self.expressions);
        let named = expressions.get(&Some(expression.to_owned()));
        named.or_else(|| expressions.get(&None)).cloned()
    }

    /// Ends locks and back-offs when their time comes, so that whoever waits for that is woken.
    pub async fn keep_time(self: Arc<Self>) {
        let mut changes = self.changes();
        loop {
            changes.mark_unchanged();
            let next = self.with(|state| {
                let now = state.clock.now();
                state.next_expiry().map(|until| until.saturating_sub(now))
            });
            let expiry = async {
                match next {
                    Some(rest) => sleep(rest).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = expiry => {}
                changed = changes.changed() => if changed.is_err() { return },
            }
        }
    }
}
