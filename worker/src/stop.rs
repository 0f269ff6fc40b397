//! How a worker is told to stop.

/// What a worker is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    /// Work.
    #[default]
    Run,
    /// Take no more jobs, give back those that have not begun, finish the others.
    Gently,
    /// End at once. Calls that are out stay unknown to whoever gets their jobs next.
    Now,
}
