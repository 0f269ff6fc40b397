//! Counts the steps of masking where a test asks for them, and nowhere else.

/// How many bytes may be read for each byte of a text, in all its decoded forms: about 20 ms for 1 MiB. A text that takes more becomes `***`: one
/// that was made to, several hundred KiB of base64, or of three kinds of escapes mixed.
const MOST_READ: usize = 8;
/// What any text may take: enough for 128 KiB of anything that people write.
const LEAST_READ: usize = 1 << 21;

pub(super) fn budget(text: usize) -> usize {
    text * MOST_READ + LEAST_READ
}

/// What masking took.
#[cfg(any(test, feature = "count-steps"))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Steps {
    /// The bytes of the texts and of all their decoded forms, each time that one was gone through.
    pub read: usize,
    /// The turns of all loops.
    pub steps: usize,
}

#[cfg(any(test, feature = "count-steps"))]
thread_local! {
    static STEPS: std::cell::Cell<Steps> = const { std::cell::Cell::new(Steps { read: 0, steps: 0 }) };
}

pub(super) fn step(_steps: usize) {
    #[cfg(any(test, feature = "count-steps"))]
    STEPS.with(|counted| {
        let Steps { read, steps } = counted.get();
        counted.set(Steps {
            read,
            steps: steps + _steps,
        });
    });
}

pub(super) fn read(_bytes: usize) {
    #[cfg(any(test, feature = "count-steps"))]
    STEPS.with(|counted| {
        let Steps { read, steps } = counted.get();
        counted.set(Steps {
            read: read + _bytes,
            steps,
        });
    });
}

/// What masking took on this thread since the last call.
#[cfg(any(test, feature = "count-steps"))]
pub fn take_steps() -> Steps {
    STEPS.with(std::cell::Cell::take)
}

#[cfg(any(test, feature = "count-steps"))]
impl Steps {
    /// Panics if this is more than masking one text may take: linear in the text's and the needles' bytes.
    pub fn assert_linear(&self, text: usize, needles: usize) {
        assert!(self.read <= budget(text) + text + 64, "{self:?} for {text} bytes");
        assert!(
            self.steps <= 16 * self.read + 128 * needles + 8192,
            "{self:?} for {text} bytes and {needles} of needles"
        );
    }
}
