//! The calls of the API that a worker makes, the publication of messages, and which of them a request is.

use crate::keys::JobKey;

/// A call of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Call {
    /// GET /v2/topology
    Topology,
    /// POST /v2/jobs/activation
    Activation,
    /// POST /v2/jobs/{key}/completion
    Completion,
    /// POST /v2/jobs/{key}/failure
    Failure,
    /// POST /v2/jobs/{key}/error
    Error,
    /// PATCH /v2/jobs/{key}
    Patch,
    /// PUT /v2/element-instances/{key}/variables
    Variables,
    /// POST /v2/expression/evaluation
    Evaluation,
    /// POST /v2/messages/publication
    Publication,
    /// POST /oauth/token
    Token,
    /// Anything else.
    Other,
    /// For faults and counts alone: every call but [`Call::Token`].
    Any,
}

impl Call {
    const NAMES: [(Self, &'static str); 12] = [
        (Self::Topology, "topology"),
        (Self::Activation, "activation"),
        (Self::Completion, "completion"),
        (Self::Failure, "failure"),
        (Self::Error, "error"),
        (Self::Patch, "patch"),
        (Self::Variables, "variables"),
        (Self::Evaluation, "evaluation"),
        (Self::Publication, "publication"),
        (Self::Token, "token"),
        (Self::Other, "other"),
        (Self::Any, "any"),
    ];

    /// In one word, as the control API has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES
            .iter()
            .find(|(call, _)| *call == self)
            .map_or("other", |(_, name)| name)
    }

    /// Reads what [`Self::name`] writes.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, own)| *own == name).map(|(call, _)| *call)
    }

    pub(crate) fn includes(self, other: Self) -> bool {
        self == other || (self == Self::Any && other != Self::Token)
    }
}

/// Which call a request is, and for which key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    Call(Call),
    Keyed(Call, u64),
    /// The path is one of the API, its key is not a number.
    BadKey(Call),
    /// Another method than the path's own.
    WrongMethod,
    Unknown,
}

impl Route {
    pub fn of(method: &str, path: &str, prefix: &str) -> Self {
        if path == "/oauth/token" {
            return Self::only("POST", method, Self::Call(Call::Token));
        }
        let Some(inside) = path.strip_prefix(prefix).and_then(|path| path.strip_prefix("/v2/")) else {
            return Self::Unknown;
        };
        let parts: Vec<&str> = inside.split('/').collect();
        let keyed = |call, key: &str| key.parse().map_or(Self::BadKey(call), |key| Self::Keyed(call, key));
        match parts.as_slice() {
            ["topology"] => Self::only("GET", method, Self::Call(Call::Topology)),
            ["jobs", "activation"] => Self::only("POST", method, Self::Call(Call::Activation)),
            ["jobs", key] => Self::only("PATCH", method, keyed(Call::Patch, key)),
            ["jobs", key, "completion"] => Self::only("POST", method, keyed(Call::Completion, key)),
            ["jobs", key, "failure"] => Self::only("POST", method, keyed(Call::Failure, key)),
            ["jobs", key, "error"] => Self::only("POST", method, keyed(Call::Error, key)),
            ["element-instances", key, "variables"] => Self::only("PUT", method, keyed(Call::Variables, key)),
            ["expression", "evaluation"] => Self::only("POST", method, Self::Call(Call::Evaluation)),
            ["messages", "publication"] => Self::only("POST", method, Self::Call(Call::Publication)),
            _ => Self::Unknown,
        }
    }

    fn only(wanted: &str, method: &str, route: Self) -> Self {
        if method == wanted { route } else { Self::WrongMethod }
    }

    pub fn call(self) -> Call {
        match self {
            Self::Call(call) | Self::Keyed(call, _) | Self::BadKey(call) => call,
            Self::WrongMethod | Self::Unknown => Call::Other,
        }
    }

    /// The job that the call names in its path.
    pub fn job(self) -> Option<JobKey> {
        match self {
            Self::Keyed(Call::Completion | Call::Failure | Call::Error | Call::Patch, key) => Some(JobKey(key)),
            _ => None,
        }
    }
}
