//! Access tokens, kept from one call to the next: asked for once, used until shortly before they expire, never written anywhere.

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

/// A token is not used in its last minute, or in the second half of a life of less than two: a request that carries it takes a while to
/// arrive, and two clocks differ.
const MARGIN: Duration = Duration::from_secs(60);

/// Whoever has more clients than this asks again for some of their tokens.
const KEPT: usize = 1_000;

/// A request that is larger than this is not kept with its token: nobody means it.
const LARGEST: usize = 8 << 10;

/// The tokens of all token requests. Cheap to clone; the clones share them.
#[derive(Clone, Default)]
pub(crate) struct Tokens(Arc<Mutex<Cache>>);

#[derive(Default)]
struct Cache {
    kept: HashMap<TokenRequest, Arc<Token>>,
    /// Gone when everybody who asked has gone away. Each runtime asks for itself: what it waits for lives by it.
    asking: HashMap<(TokenRequest, runtime::Id), WeakShared<BoxFuture<'static, Arc<TokenAnswer>>>>,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens(***)")
    }
}

/// A token that was given, and until when it is.
struct Token {
    value: Secret,
    until: Instant,
}

struct TokenAnswer {
    result: Result<Arc<Token>, Failure>,
    requests: Mutex<Vec<RequestRecord>>,
}

/// A token for a call.
pub(crate) struct TokenLease {
    token: Arc<Token>,
    /// It was there before the call.
    pub(crate) from_cache: bool,
    /// What was sent to get it, for the call that asked.
    pub(crate) requests: Vec<RequestRecord>,
}

impl TokenLease {
    pub(crate) fn value(&self) -> &Secret {
        &self.token.value
    }
}

impl Tokens {
    /// The token of a request: kept, or being asked for by another call, or asked for now by `ask`. A failure is shared by those who waited
    /// for it, and by nobody after them.
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
        // The first to look takes them: what was sent once is told once.
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

    /// Asks, and keeps what comes.
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
        // One whose life nobody knows is used once.
        if let Ok(token) = &result {
            cache.keep(here.0, token);
        }
        drop(cache);
        Arc::new(TokenAnswer {
            result,
            requests: Mutex::new(outcome.requests),
        })
    }

    /// Not to be used again: a server has refused it.
    pub(crate) fn forget(&self, request: &TokenRequest, given: &TokenLease) {
        let mut cache = self.cache();
        let key = key(request);
        // Another call may have a newer one by now.
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
    /// Keeps it while it may be used; what has expired goes.
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

/// In bytes, of what can be large.
fn size(request: &TokenRequest) -> usize {
    let client = &request.credentials;
    let sensitive = [&client.client_id, &client.client_secret];
    let sensitive = sensitive.into_iter().chain(&request.endpoint).chain(&client.token_url);
    let others = [&request.instance].into_iter().chain(&request.domain);
    let others = others.chain(&client.audience).chain(&client.scopes);
    sensitive.map(|text| text.len()).sum::<usize>() + others.map(String::len).sum::<usize>()
}

/// The whole request, but for how long it may take.
fn key(request: &TokenRequest) -> TokenRequest {
    let mut key = request.clone();
    key.limits = None;
    key
}

#[cfg(test)]
mod tests;
