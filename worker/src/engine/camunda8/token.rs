//! The access token: one for the whole process, fetched by one request at a time, renewed while the old one serves.
//!
//! | what happens | what follows |
//! |---|---|
//! | 80 % of the token's life have passed | the next call starts a renewal in the background, and goes out with the old token |
//! | the renewal fails | nothing, while the old token lives; the next try comes after the back-off |
//! | there is no token and a fetch fails | calls end at once without being sent until the back-off has passed |
//! | a call is answered 401 | one renewal for all calls that had the same token, and each of them once more |
//! | a renewed token is answered 401 too | the token is not at fault (a tenant that is not assigned has the same answer): no further renewal for this reason for 5 minutes |

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::Client;
use secrecy::ExposeSecret;
use tokio::sync::watch;
use tokio::time::Instant;
use url::Url;

use super::builder::{Limits, OAuth};
use super::credentials::Presented;
use super::fetch::{self, Failure, Fetched, Grant};
use super::{SettingsError, TokenObserver};

/// The life of a token whose answer states none.
const UNSTATED: Duration = Duration::from_secs(5 * 60);
/// A token serves for this long at least, whatever its stated life: the cluster's 401 is the better witness of its end.
const SHORTEST: Duration = Duration::from_secs(10);
/// So that adding it to a point in time cannot overflow.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// The pause between two renewals that a 401 has asked for: the last one helped, or it did not.
const AFTER_HELPFUL: Duration = Duration::from_secs(10);
const AFTER_USELESS: Duration = Duration::from_secs(5 * 60);

const LONGEST_BACK_OFF: Duration = Duration::from_secs(60);
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(5 * 60);

/// There is no token, and none is asked for yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NoToken {
    pub(super) after: Duration,
    pub(super) detail: String,
}

pub(super) struct Tokens {
    grant: Grant,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    token: Option<Token>,
    /// Closed when the fetch has ended.
    fetching: Option<watch::Receiver<()>>,
    /// Until when nothing is asked for, and why.
    back_off: Option<(Instant, String)>,
    failures: u32,
    numbers: u64,
    /// The last renewal that a 401 asked for, and whether its token was answered 401 as well.
    renewed_at: Option<Instant>,
    useless: bool,
}

struct Token {
    presented: Presented,
    renew_at: Instant,
    until: Instant,
}

enum Step {
    Use(Presented),
    UseAndRenew(Presented),
    Wait(watch::Receiver<()>),
    Fetch,
    Refuse(NoToken),
}

impl State {
    fn step(&self, now: Instant) -> Step {
        let usable = self.token.as_ref().filter(|token| now < token.until);
        let backing_off = self.back_off.as_ref().filter(|(until, _)| now < *until);
        match (usable, &self.fetching, backing_off) {
            (Some(token), None, None) if now >= token.renew_at => Step::UseAndRenew(token.presented.clone()),
            (Some(token), _, _) => Step::Use(token.presented.clone()),
            (None, Some(fetching), _) => Step::Wait(fetching.clone()),
            (None, None, Some((until, detail))) => Step::Refuse(NoToken {
                after: *until - now,
                detail: detail.clone(),
            }),
            (None, None, None) => Step::Fetch,
        }
    }

    fn has(&self, presented: &Presented) -> bool {
        self.token
            .as_ref()
            .is_some_and(|token| token.presented.token == presented.token)
    }

    /// Whether a 401 may ask for a renewal.
    fn may_renew(&self, now: Instant) -> bool {
        if self.fetching.is_none() && self.back_off.as_ref().is_some_and(|(until, _)| now < *until) {
            return false;
        }
        let pause = if self.useless { AFTER_USELESS } else { AFTER_HELPFUL };
        self.renewed_at.is_none_or(|renewed_at| now >= renewed_at + pause)
    }

    fn fetched(&mut self, fetched: &Fetched, asked_at: Instant) -> Result<(), Failure> {
        self.numbers += 1;
        let presented = Presented::new(Some(self.numbers), "Bearer", fetched.token.expose_secret())
            .ok_or_else(|| Failure::refused("the token endpoint's access_token is not a valid header value"))?;
        let life = fetched
            .life
            .filter(|life| !life.is_zero())
            .unwrap_or(UNSTATED)
            .min(LONGEST);
        self.token = Some(Token {
            presented,
            renew_at: asked_at + (life * 4 / 5).max(SHORTEST),
            until: asked_at + life.max(SHORTEST),
        });
        if self.failures > 0 {
            tracing::info!("the token endpoint gives access tokens again");
        }
        self.failures = 0;
        self.back_off = None;
        Ok(())
    }

    fn failed(&mut self, failure: &Failure, now: Instant) {
        self.failures = self.failures.saturating_add(1);
        let delay = back_off(failure, self.failures, crate::random::fraction());
        if self.failures == 1 {
            tracing::warn!(detail = failure.detail, "no new access token; retrying after a pause");
        } else {
            tracing::debug!(detail = failure.detail, ?delay, "no new access token");
        }
        self.back_off = Some((now + delay, failure.detail.clone()));
    }
}

/// A refusal is meant, so it is tried rarely: fewer than ten requests in five minutes. What may pass by itself is tried sooner.
/// `random` is in 0..1.
fn back_off(failure: &Failure, failures: u32, random: f64) -> Duration {
    let (base, spread) = if failure.refused { (10, 0.1) } else { (1, 0.5) };
    let doublings = failures.saturating_sub(1).min(6);
    let own = Duration::from_secs(base << doublings).min(LONGEST_BACK_OFF);
    let own = own.mul_f64(1.0 - spread * random);
    own.max(failure.retry_after.unwrap_or_default().min(LONGEST_RETRY_AFTER))
}

impl Tokens {
    pub(super) fn new(
        oauth: &OAuth,
        client: Client,
        observer: Option<TokenObserver>,
        limits: Limits,
    ) -> Result<Self, SettingsError> {
        let url: Url = super::address::token_url(&oauth.url)?;
        if oauth.client_id.is_empty() {
            return Err(SettingsError::EmptyCredential("client id"));
        }
        if oauth.client_secret.expose_secret().is_empty() {
            return Err(SettingsError::EmptyCredential("client secret"));
        }
        Ok(Self {
            grant: Grant {
                client,
                url,
                oauth: oauth.clone(),
                observer,
                limits,
            },
            state: Mutex::default(),
        })
    }

    pub(super) fn client_secret(&self) -> &str {
        self.grant.oauth.client_secret.expose_secret()
    }

    pub(super) async fn get(self: &Arc<Self>) -> Result<Presented, NoToken> {
        loop {
            let (step, started) = {
                let mut state = self.state();
                let step = state.step(Instant::now());
                let starts = matches!(step, Step::UseAndRenew(_) | Step::Fetch);
                (step, starts.then(|| self.start(&mut state)))
            };
            let mut fetching = match (step, started.map(Started::run)) {
                (Step::Use(presented) | Step::UseAndRenew(presented), _) => return Ok(presented),
                (Step::Refuse(no_token), _) => return Err(no_token),
                (Step::Wait(fetching), _) | (Step::Fetch, Some(fetching)) => fetching,
                (Step::Fetch, None) => continue,
            };
            // Nothing is ever sent: it ends when the fetch does.
            let _ = fetching.changed().await;
        }
    }

    /// After a 401 to `presented`: another token, where there is one to try.
    pub(super) async fn renew(self: &Arc<Self>, presented: &Presented) -> Option<Presented> {
        let started = {
            let mut state = self.state();
            let now = Instant::now();
            let current = state.has(presented);
            if current && !state.may_renew(now) {
                return None;
            }
            if current {
                state.token = None;
                state.renewed_at = Some(now);
            }
            (current && state.fetching.is_none()).then(|| self.start(&mut state))
        };
        started.map(Started::run);
        let renewed = self.get().await.ok()?;
        (renewed.token != presented.token).then_some(renewed)
    }

    /// Whether the cluster has accepted a renewed token.
    pub(super) fn judge(&self, renewed: &Presented, accepted: bool) {
        let mut state = self.state();
        if state.has(renewed) {
            state.useless = !accepted;
        }
    }

    fn start(self: &Arc<Self>, state: &mut State) -> Started {
        let (ended, fetching) = watch::channel(());
        state.fetching = Some(fetching.clone());
        let running = Running {
            tokens: Arc::clone(self),
            done: false,
            _ended: ended,
        };
        Started { running, fetching }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A fetch to run once the state is unlocked: a runtime that shuts down drops it at once, and its end locks the state.
struct Started {
    running: Running,
    fetching: watch::Receiver<()>,
}

impl Started {
    /// In a task of its own, so that it is finished whoever waits for it.
    fn run(self) -> watch::Receiver<()> {
        tokio::spawn(self.running.fetch());
        self.fetching
    }
}

/// A fetch under way. However it ends, nobody waits for it any longer.
struct Running {
    tokens: Arc<Tokens>,
    done: bool,
    _ended: watch::Sender<()>,
}

impl Running {
    async fn fetch(mut self) {
        let asked_at = Instant::now();
        let result = fetch::fetch(&self.tokens.grant).await;
        let tokens = Arc::clone(&self.tokens);
        let mut state = tokens.state();
        let result = result.and_then(|fetched| state.fetched(&fetched, asked_at));
        if let Err(failure) = result {
            state.failed(&failure, Instant::now());
        }
        drop(state);
        self.done = true;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut state = self.tokens.state();
        state.fetching = None;
        // A panic is a failure like any other: those who waited do not ask again at once.
        if !self.done {
            let failure = Failure::refused("the request to the token endpoint ended in an unforeseen way");
            state.failed(&failure, Instant::now());
        }
    }
}
