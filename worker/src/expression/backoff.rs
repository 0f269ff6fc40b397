//! The delay that `backoff(attempt, minDelay, factor, maxDelay, jitterFactor)` stands for, as Camunda's connector runtime computes it
//! (`BackoffFunction` in camunda/connectors, 8.9).

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::outcome::retry_back_off;

/// The arguments as FEEL gave them. None where the author gave none.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct BackOff {
    attempt: Option<Value>,
    min_delay: Option<Value>,
    factor: Option<Value>,
    max_delay: Option<Value>,
    jitter_factor: Option<Value>,
}

const MIN_DELAY: Duration = Duration::from_millis(50);
const MAX_DELAY: Duration = Duration::from_secs(5);
const FACTOR: f64 = 1.6;
const JITTER_FACTOR: f64 = 0.1;

impl BackOff {
    /// Or what is wrong with the arguments. `random`: 0 to 1, for the jitter.
    pub(super) fn delay(&self, random: f64) -> Result<Duration, String> {
        let attempt = number("attempt", self.attempt.as_ref(), None)?;
        let min = length("minDelay", self.min_delay.as_ref(), MIN_DELAY)?;
        let max = length("maxDelay", self.max_delay.as_ref(), MAX_DELAY)?;
        let factor = number("factor", self.factor.as_ref(), Some(FACTOR))?;
        let jitter = number("jitterFactor", self.jitter_factor.as_ref(), Some(JITTER_FACTOR))?;
        if attempt < 1.0 {
            return Err("called backoff with a wrong argument: attempt must be 1 or more".to_owned());
        }
        if factor <= 0.0 {
            return Err("called backoff with a wrong argument: factor must be more than 0".to_owned());
        }
        if min > max {
            return Err("called backoff with a wrong argument: minDelay must not be longer than maxDelay".to_owned());
        }
        if jitter < 0.0 {
            return Err("called backoff with a wrong argument: jitterFactor must not be negative".to_owned());
        }
        let (min, max) = (min.as_secs_f64(), max.as_secs_f64());
        let delay = (min * factor.powf(attempt.trunc() - 1.0)).clamp(min, max);
        let delay = delay + delay * jitter * (2.0 * random - 1.0);
        Ok(Duration::try_from_secs_f64(delay).unwrap_or_default())
    }
}

fn number(name: &str, value: Option<&Value>, default: Option<f64>) -> Result<f64, String> {
    let number = value.map_or(default, Value::as_f64);
    number
        .filter(|number| number.is_finite())
        .ok_or_else(|| format!("called backoff with a wrong argument: {name} must be a number"))
}

fn length(name: &str, value: Option<&Value>, default: Duration) -> Result<Duration, String> {
    let Some(value) = value else {
        return Ok(default);
    };
    let text = value.as_str().unwrap_or_default();
    let length = retry_back_off(text).ok().flatten();
    length.ok_or_else(|| format!("called backoff with a wrong argument: {name} must be a duration in days, hours, minutes or seconds, for example duration(\"PT1S\")"))
}
