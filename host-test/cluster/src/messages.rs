//! Published messages. No process waits for one: all that shows is which of them are buffered.

use std::time::Duration;

use crate::state::State;

/// What makes a message the same as another while that one is buffered.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Message {
    pub name: String,
    pub correlation_key: String,
    pub tenant: String,
    /// Empty: the message is never the same as another.
    pub id: String,
}

impl State {
    /// The message's key. `None`: the same message is buffered.
    pub fn publish(&mut self, message: Message, life: Duration) -> Option<u64> {
        let now = self.clock.now();
        self.messages.retain(|_, end| *end > now);
        if self.messages.contains_key(&message) {
            return None;
        }
        if !message.id.is_empty() {
            self.messages.insert(message, now + life);
        }
        Some(self.next_key())
    }
}
