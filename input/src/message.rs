//! The parts that all error messages share.

use crate::mask::Mask;

/// The last sentence of a message if the flow may have started.
pub const UNKNOWN: &str =
    "It is unknown whether the flow started: look for its execution in ServiceNow before you start it again.";
/// The last sentence of a message if the flow has started.
pub const STARTED: &str = "The flow has started.";
/// The last sentence of a message if the flow has not started.
pub const NOT_STARTED: &str = "The flow has not started.";

/// `text` on one line, cut to `max` characters.
pub fn cut(text: &str, max: usize) -> String {
    let mut out: String = text
        .chars()
        .take(max)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if text.chars().nth(max).is_some() {
        out.push('…');
    }
    out
}

/// Somebody else's words for a message: without secrets, on one line, at most `max` characters. They are masked before the cut, which could
/// leave half a secret, and after it, since the beginning of one may now stand before the `…`.
pub fn quoted(mask: &Mask, text: String, max: usize) -> String {
    mask.text(cut(&mask.text(text), max))
}
