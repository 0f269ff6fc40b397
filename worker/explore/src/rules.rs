//! The switch that turns off one rule of the design, for the thread that explores without it.

use std::cell::Cell;

use crate::attempt::Rule;

thread_local! {
    static OFF: Cell<Option<Rule>> = const { Cell::new(None) };
}

pub(crate) fn holds(rule: Rule) -> bool {
    OFF.get() != Some(rule)
}

/// Runs `what` without `rule`.
pub fn without<T>(rule: Rule, what: impl FnOnce() -> T) -> T {
    OFF.set(Some(rule));
    let result = what();
    OFF.set(None);
    result
}
