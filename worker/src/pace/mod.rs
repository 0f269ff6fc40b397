//! How many jobs to take, who may call an instance, and when to poll again. Pure: randomness and times are passed in.

mod back_off;
mod permits;
mod polling;

pub use back_off::BackOff;
pub use permits::{Entry, Permits};
pub use polling::{PollEnd, Polling};

#[cfg(test)]
mod tests;
