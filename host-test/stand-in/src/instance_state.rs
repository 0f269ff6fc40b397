//! What the instance remembers from one request to the next: how its paths behave, its incidents, the tokens it issued.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use crate::behaviour::Behaviour;
use crate::instance::Instance;
use crate::random;

/// What the instance remembers from one request to the next.
#[derive(Default)]
pub(crate) struct InstanceState {
    behaviours: BTreeMap<String, Behaviour>,
    once: BTreeMap<String, VecDeque<Behaviour>>,
    pub hibernating: bool,
    pub incidents: Vec<Map<String, Value>>,
    tokens: BTreeMap<String, IssuedToken>,
}

struct IssuedToken {
    user: String,
    until: Instant,
}

impl InstanceState {
    pub fn new(instance: &Instance) -> Self {
        Self {
            behaviours: instance.behaviours.clone(),
            hibernating: instance.hibernating,
            ..Self::default()
        }
    }

    /// What to do with a request for this path, or for the flow that declares it. A behaviour for one time only is used up by it.
    pub fn plan(&mut self, path: &str, declared: Option<&str>) -> Behaviour {
        if self.hibernating {
            return Behaviour::Hibernating;
        }
        let keys = || std::iter::once(path).chain(declared);
        keys()
            .find_map(|key| self.once.get_mut(key)?.pop_front())
            .or_else(|| keys().find_map(|key| self.behaviours.get(key).cloned()))
            .unwrap_or(Behaviour::Normal)
    }

    pub fn behave(&mut self, path: String, behaviour: Behaviour) {
        self.behaviours.insert(path, behaviour);
    }

    pub fn behave_once(&mut self, path: String, behaviour: Behaviour) {
        self.once.entry(path).or_default().push_back(behaviour);
    }

    pub fn behave_well(&mut self) {
        self.behaviours.clear();
        self.once.clear();
        self.hibernating = false;
    }

    /// A new token of this user.
    pub fn issue(&mut self, user: &str, expires_in: u64) -> String {
        let now = Instant::now();
        let a_year = Duration::from_secs(365 * 24 * 3600);
        let life = Duration::from_secs(expires_in).min(a_year);
        let token = random::token();
        let issued = IssuedToken {
            user: user.to_owned(),
            until: now + life,
        };
        self.tokens.retain(|_, issued| issued.until > now);
        self.tokens.insert(token.clone(), issued);
        token
    }

    /// The user of an issued token that has not expired.
    pub fn owner_of(&self, token: &str) -> Option<String> {
        let issued = self.tokens.get(token)?;
        (issued.until > Instant::now()).then(|| issued.user.clone())
    }

    pub fn revoke_tokens(&mut self) {
        self.tokens.clear();
    }
}
