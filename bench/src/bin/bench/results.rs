//! Everything that a run of the bench found.

use crate::contender::Contender;
use crate::masking::Masking;
use crate::rounds::{Extent, Samples};
use crate::sustained::Part;

/// All figures, and what they are figures of.
pub(crate) struct Results {
    pub(crate) command: String,
    pub(crate) machine: String,
    pub(crate) extent: Extent,
    pub(crate) contenders: Vec<Contender>,
    pub(crate) samples: Samples,
    /// Milliseconds, by contender.
    pub(crate) starts: Vec<Vec<f64>>,
    /// Bytes of the component and of its machine code, by contender.
    pub(crate) sizes: Vec<(Option<u64>, Option<u64>)>,
    /// Thousands of a call, by contender, as far as they were counted.
    pub(crate) instructions: Vec<f64>,
    pub(crate) sustained: Vec<Part>,
    pub(crate) masking: Vec<Masking>,
}
