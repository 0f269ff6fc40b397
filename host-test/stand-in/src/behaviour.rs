//! How the stand-in may go wrong, as data: in code, or in an instance's file.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Deserialize;

use crate::answer::Answer;
use crate::fault::Fault;
use crate::step::{Step, milliseconds};

/// What a path of the instance does with a request.
///
/// In a file: `"normal"`, `"hibernating"`, `"semaphore"`, `{ answer = { status = 503 } }`,
/// `{ rate-limited = { retry-after = 30 } }`, `{ delay = { ms = 2000, then = "normal" } }`,
/// `{ fault = "reset" }`, `{ script = [ … ] }`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Behaviour {
    /// Checks the request and answers it.
    Normal,
    /// 200 with an HTML page. On a real instance *every* route does so: [`StandIn::hibernate`](crate::StandIn::hibernate).
    Hibernating,
    /// A rate limit rule is exceeded: 429 with `Retry-After` and the three `X-RateLimit-` headers.
    #[serde(rename_all = "kebab-case")]
    RateLimited {
        /// `Retry-After`, in seconds; `X-RateLimit-Reset` is the unix time it leads to.
        retry_after: u64,
    },
    /// The instance's semaphores are used up: 429 with none of those headers.
    Semaphore,
    /// This answer, whatever the request. Nothing is checked and no flow starts.
    Answer(Answer),
    /// Does what `then` says at once, a flow's start included, but answers only after the delay.
    /// It ends early when the client leaves.
    Delay {
        /// In a file: whole milliseconds.
        #[serde(rename = "ms", deserialize_with = "milliseconds")]
        by: Duration,
        /// What is done, then answered late.
        #[serde(default = "normal")]
        then: Box<Behaviour>,
    },
    /// One of the named ways to go wrong.
    Fault(Fault),
    /// These steps, beginning when the request's head has arrived (see [`Step::ReadRequest`]). Then the connection
    /// closes; it goes on to the next request only after [`Step::ReadRequest`] and a last step of [`Step::Answer`].
    Script(Vec<Step>),
}

impl Behaviour {
    /// A bare status, with the error envelope when it is an error.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::Answer(Answer::of_status(status))
    }

    /// The normal answer, late.
    #[must_use]
    pub fn late(by: Duration) -> Self {
        Self::Delay { by, then: normal() }
    }

    /// A script that begins when the whole request has arrived.
    #[must_use]
    pub fn script(steps: impl IntoIterator<Item = Step>) -> Self {
        Self::Script(std::iter::once(Step::ReadRequest).chain(steps).collect())
    }

    /// The answer that is the same for every request, if this behaviour has one.
    pub(crate) fn fixed_answer(&self) -> Option<Answer> {
        match self {
            Self::Normal | Self::Delay { .. } | Self::Fault(_) | Self::Script(_) => None,
            Self::Hibernating => Some(Answer::hibernating()),
            Self::RateLimited { retry_after } => Some(rate_limited(*retry_after)),
            Self::Semaphore => Some(Answer::failure(
                429,
                "Too many requests",
                Some("The maximum number of concurrent requests is in use"),
            )),
            Self::Answer(answer) => Some(answer.clone()),
        }
    }

    /// The sum of the delays around it, and what is inside them.
    pub(crate) fn without_delay(mut self) -> (Duration, Self) {
        let mut delay = Duration::ZERO;
        while let Self::Delay { by, then } = self {
            delay = delay.saturating_add(by);
            self = *then;
        }
        (delay, self)
    }
}

fn rate_limited(retry_after: u64) -> Answer {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    Answer::failure(429, "Rate limit exceeded", Some("Rejected by rate limit rule"))
        .header("Retry-After", retry_after.to_string())
        .header("X-RateLimit-Limit", "100")
        .header("X-RateLimit-Reset", now.saturating_add(retry_after).to_string())
        .header("X-RateLimit-Rule", "Flow starts per hour")
}

fn normal() -> Box<Behaviour> {
    Box::new(Behaviour::Normal)
}
