//! An expanded input → a prepared call, or why it is refused.

use flow_starter_input::request::{self, Destination};
use flow_starter_input::{FlowConfig, Invalid, Mask, template};

use crate::component::Failure;
use crate::contract::ErrorKind;
use crate::egress::{Destinations, Host, Origin};
use crate::secrets::{ExpandError, Expanded};

/// A call whose input was read and checked, with its secrets.
#[derive(Clone, Debug)]
pub struct PreparedCall {
    pub(super) config: FlowConfig,
    pub(super) mask: Mask,
}

impl PreparedCall {
    /// The call's configuration. `Debug` hides its secrets.
    pub fn config(&self) -> &FlowConfig {
        &self.config
    }

    /// Its destinations.
    pub fn destinations(&self) -> Destinations {
        Destinations::of_config(&self.config)
    }

    /// The mask of its secrets.
    pub fn mask(&self) -> &Mask {
        &self.mask
    }
}

/// The call that an expanded input describes, or why it cannot be sent. Nothing has been sent yet.
pub(super) fn checked(expanded: &Expanded) -> Result<PreparedCall, (Failure, Mask)> {
    let with_credentials = |mut mask: Mask| {
        mask.add_all(expanded.mask());
        mask
    };
    let config = template::parse(expanded.json()).map_err(|invalid| {
        let mask = with_credentials(Mask::of_json(expanded.json()));
        let invalid = mask.check().err().unwrap_or(invalid);
        (refusal(invalid, Some(expanded)), mask)
    })?;
    let mut mask = with_credentials(Mask::of_config(&config));
    add_hosts(&mut mask, expanded, &config);
    match mask.check().and_then(|()| request::check(&config)) {
        Ok(()) => Ok(PreparedCall { config, mask }),
        Err(invalid) => Err((refusal(invalid, Some(expanded)), mask)),
    }
}

/// Why an input is refused. If the field's value comes from a secret, it is not quoted.
pub(super) fn refusal(invalid: Invalid, expanded: Option<&Expanded>) -> Failure {
    let what = match expanded.and_then(|expanded| expanded.secret_in(invalid.field)) {
        None => invalid.sentence,
        Some(secret) => format!(
            "{} The value comes from the secret '{secret}'.",
            invalid.without_value()
        ),
    };
    Failure::invalid(what, false)
}

/// Not retryable until the input or the secret is fixed, unless a provider is temporarily unavailable.
pub(super) fn unavailable(error: &ExpandError) -> Failure {
    let mut failure = Failure::invalid(format!("{error} Nothing was sent."), true);
    if matches!(error, ExpandError::Provider { error, .. } if error.passes) {
        failure.kind = ErrorKind::Internal;
        failure.retryable = true;
    }
    failure
}

/// The fields that name the flow's host, and the one that names the token endpoint's.
const FLOW_HOST: [&str; 3] = ["snInstance", "snDomain", "snEndpoint"];
const TOKEN_HOST: [&str; 1] = ["authentication.oauthTokenEndpoint"];

/// Masks a host that comes from a secret, wholly or partly, in the form that messages use: without the scheme and path of the secret's
/// value, and an address as the input, the component and this host write it.
fn add_hosts(mask: &mut Mask, expanded: &Expanded, config: &FlowConfig) {
    let secret = |fields: &[&str]| fields.iter().any(|field| expanded.secret_in(field).is_some());
    let (flow, token) = (secret(&FLOW_HOST), secret(&TOKEN_HOST));
    if !flow && !token {
        return;
    }
    let Ok(named) = Destination::of_config(config) else {
        return;
    };
    if flow {
        add_host(mask, &named.flow.authority);
    }
    // The default token endpoint is the instance's.
    if let Some((origin, _)) = named.token.filter(|_| flow || token) {
        add_host(mask, &origin.authority);
    }
}

fn add_host(mask: &mut Mask, authority: &str) {
    mask.add(authority);
    let Ok(origin) = format!("https://{authority}").parse::<Origin>() else {
        return;
    };
    let port = format!(":{}", origin.port());
    let host = authority.strip_suffix(&port).unwrap_or(authority);
    mask.add(host.trim_matches(['[', ']']));
    if let Host::Address(address) = origin.host() {
        mask.add(&address.to_string());
        mask.add(&address.to_canonical().to_string());
    }
}
