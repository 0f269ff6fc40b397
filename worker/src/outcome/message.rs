//! Messages for people, in the length that engines and their storage keep.

/// Camunda's connector runtime cuts a message here. Counted in UTF-16 units, as Java counts.
pub const MAX_MESSAGE_UNITS: usize = 6_000;

/// The longest start of `message` that has at most [`MAX_MESSAGE_UNITS`] UTF-16 units and ends between two characters.
///
/// Mask first, then cut: a secret that a cut has split is no longer recognised.
pub fn cut(message: &str) -> &str {
    let mut units = 0;
    for (place, character) in message.char_indices() {
        units += character.len_utf16();
        if units > MAX_MESSAGE_UNITS {
            return message.get(..place).unwrap_or_default();
        }
    }
    message
}
