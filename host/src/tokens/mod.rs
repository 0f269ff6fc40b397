//! A cache of access tokens: requested once, used until shortly before they expire, never written to disk.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use flow_starter_input::TokenRequest;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, WeakShared};
use tokio::runtime;
use tokio::time::Instant;

use crate::component::{Failure, Judged};
use crate::contract::AccessToken;
use crate::egress::RequestRecord;
use crate::secrets::Secret;

/// A token is not used in its last minute, or in the second half of a lifetime under two minutes: requests take time, and clocks differ.
const MARGIN: Duration = Duration::from_secs(60);

/// With more clients than this, some tokens are requested again.
const KEPT: usize = 1_000;

/// The token of a larger request is not cached: such requests are not realistic.
const LARGEST: usize = 8 << 10;

/// The tokens of all token requests. Cheap to clone; clones share them.
#[derive(Clone, Default)]
pub(crate) struct Tokens(Arc<Mutex<Cache>>);

#[derive(Default)]
struct Cache {
    kept: HashMap<TokenRequest, Arc<Token>>,
    /// Pending requests, dropped when nobody waits any more. Each runtime has its own, because their futures belong to it.
    asking: HashMap<(TokenRequest, runtime::Id), WeakShared<BoxFuture<'static, Arc<TokenAnswer>>>>,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens(***)")
    }
}

/// A token and the time until which it is used.
struct Token {
    value: Secret,
    until: Instant,
}

struct TokenAnswer {
    result: Result<Arc<Token>, Failure>,
    requests: Mutex<Vec<RequestRecord>>,
}

/// A token for one call.
pub(crate) struct TokenLease {
    token: Arc<Token>,
    /// It was cached before the call.
    pub(crate) from_cache: bool,
    /// The requests that were sent for it, reported by the call that requested it.
    pub(crate) requests: Vec<RequestRecord>,
}

impl TokenLease {
    pub(crate) fn value(&self) -> &Secret {
        &self.token.value
    }
}

impl Tokens {
    /// The token for a request: cached, pending from another call, or requested now by `ask`. A failure is shared by those who waited for
    /// it, and is not cached.
    pub(crate) async fn get<F>(&self, request: &TokenRequest, ask: impl FnOnce(TokenRequest) -> F) -> Judged<TokenLease>
    where
        F: Future<Output = Judged<AccessToken>> + Send + 'static,
    {
        let key = key(request);
        let asking = {
            let mut cache = self.cache();
            if let Some(token) = cache.kept.get(&key).filter(|token| Instant::now() < token.until) {
                let given = TokenLease {
                    token: Arc::clone(token),
                    from_cache: true,
                    requests: Vec::new(),
                };
                return Judged {
                    result: Ok(given),
                    requests: Vec::new(),
                };
            }
            let here = (key, runtime::Handle::current().id());
            cache
                .asking
                .get(&here)
                .and_then(WeakShared::upgrade)
                .unwrap_or_else(|| {
                    let asking = self.clone().asking(here.clone(), ask(request.clone())).boxed().shared();
                    cache.asking.retain(|_, asking| asking.upgrade().is_some());
                    if let Some(weak) = asking.downgrade() {
                        cache.asking.insert(here, weak);
                    }
                    asking
                })
        };
        let asked = asking.await;
        // The first caller takes them: each request is reported once.
        let requests = std::mem::take(&mut *asked.requests.lock().unwrap_or_else(PoisonError::into_inner));
        match &asked.result {
            Ok(token) => Judged {
                result: Ok(TokenLease {
                    token: Arc::clone(token),
                    from_cache: false,
                    requests,
                }),
                requests: Vec::new(),
            },
            Err(failure) => Judged {
                result: Err(failure.clone()),
                requests,
            },
        }
    }

    /// Requests a token and caches it.
    async fn asking(
        self,
        here: (TokenRequest, runtime::Id),
        ask: impl Future<Output = Judged<AccessToken>>,
    ) -> Arc<TokenAnswer> {
        let since = Instant::now();
        let outcome = ask.await;
        let result = outcome.result.map(|given| {
            let life = given
                .expires_in_s
                .map_or(Duration::ZERO, |s| Duration::from_secs(s.into()));
            Arc::new(Token {
                value: Secret::new(&given.token),
                until: since + life - MARGIN.min(life / 2),
            })
        });
        let mut cache = self.cache();
        cache.asking.remove(&here);
        // A token of unknown lifetime is used once.
        if let Ok(token) = &result {
            cache.keep(here.0, token);
        }
        drop(cache);
        Arc::new(TokenAnswer {
            result,
            requests: Mutex::new(outcome.requests),
        })
    }

    /// Drops a token that a server has refused.
    pub(crate) fn forget(&self, request: &TokenRequest, given: &TokenLease) {
        let mut cache = self.cache();
        let key = key(request);
        // Another call may have cached a newer one.
        if cache
            .kept
            .get(&key)
            .is_some_and(|token| Arc::ptr_eq(token, &given.token))
        {
            cache.kept.remove(&key);
        }
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cache {
    /// Caches a token until it expires, and drops expired ones.
    fn keep(&mut self, request: TokenRequest, token: &Arc<Token>) {
        let now = Instant::now();
        self.kept.retain(|_, token| now < token.until);
        if self.kept.len() >= KEPT {
            self.kept.clear();
        }
        if now < token.until && size(&request) <= LARGEST {
            self.kept.insert(request, Arc::clone(token));
        } else {
            self.kept.remove(&request);
        }
    }
}

/// Size of the large parts, in bytes.
fn size(request: &TokenRequest) -> usize {
    let client = &request.credentials;
    let sensitive = [&client.client_id, &client.client_secret];
    let sensitive = sensitive.into_iter().chain(&request.endpoint).chain(&client.token_url);
    let others = [&request.instance].into_iter().chain(&request.domain);
    let others = others.chain(&client.audience).chain(&client.scopes);
    sensitive.map(|text| text.len()).sum::<usize>() + others.map(String::len).sum::<usize>()
}

/// The request without its limits.
fn key(request: &TokenRequest) -> TokenRequest {
    let mut key = request.clone();
    key.limits = None;
    key
}

#[cfg(test)]
mod tests;
