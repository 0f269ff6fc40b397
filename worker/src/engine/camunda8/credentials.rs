//! The `Authorization` header, and the secrets behind it that no text may repeat.

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use reqwest::Client;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::SettingsError;
use super::builder::{Authentication, Builder};
use super::token::{NoToken, Tokens};

/// What one request shows.
#[derive(Clone)]
pub(super) struct Presented {
    /// Which token it is. Basic credentials never change.
    pub(super) token: Option<u64>,
    pub(super) header: HeaderValue,
    /// As it stands in the header.
    pub(super) secret: SecretString,
}

impl Presented {
    /// Whose header is overwritten when its last copy is dropped.
    pub(super) fn new(token: Option<u64>, scheme: &str, secret: &str) -> Option<Self> {
        let text = Zeroizing::new(format!("{scheme} {secret}").into_bytes());
        let mut header = HeaderValue::from_maybe_shared(Bytes::from_owner(text)).ok()?;
        header.set_sensitive(true);
        Some(Self {
            token,
            header,
            secret: SecretString::from(secret),
        })
    }
}

pub(super) enum Credentials {
    None,
    Basic {
        presented: Presented,
        password: SecretString,
    },
    OAuth(Arc<Tokens>),
}

impl Credentials {
    pub(super) fn new(builder: &Builder, client: &Client) -> Result<Self, SettingsError> {
        match &builder.authentication {
            Authentication::None => Ok(Self::None),
            Authentication::Basic { user, password } => {
                // RFC 7617, section 2.
                if user.is_empty() {
                    return Err(SettingsError::UserName("is empty"));
                }
                if user.contains(|c: char| c == ':' || c.is_control()) {
                    return Err(SettingsError::UserName(
                        "must not contain a colon or a control character",
                    ));
                }
                let pair = Zeroizing::new(format!("{user}:{}", password.expose_secret()));
                let encoded = Zeroizing::new(BASE64_STANDARD.encode(pair.as_bytes()));
                let presented =
                    Presented::new(None, "Basic", &encoded).ok_or(SettingsError::UserName("is unusable"))?;
                Ok(Self::Basic {
                    presented,
                    password: password.clone(),
                })
            }
            Authentication::OAuth(oauth) => Ok(Self::OAuth(Arc::new(Tokens::new(
                oauth,
                client.clone(),
                builder.token_observer.clone(),
                builder.limits,
            )?))),
        }
    }

    pub(super) async fn present(&self) -> Result<Option<Presented>, NoToken> {
        match self {
            Self::None => Ok(None),
            Self::Basic { presented, .. } => Ok(Some(presented.clone())),
            Self::OAuth(tokens) => tokens.get().await.map(Some),
        }
    }

    /// After a 401 to `presented`: another token, where there is one to try.
    pub(super) async fn renew(&self, presented: &Presented) -> Option<Presented> {
        match self {
            Self::None | Self::Basic { .. } => None,
            Self::OAuth(tokens) => tokens.renew(presented).await,
        }
    }

    /// Whether the cluster has accepted a renewed token.
    pub(super) fn judge(&self, renewed: &Presented, accepted: bool) {
        if let Self::OAuth(tokens) = self {
            tokens.judge(renewed, accepted);
        }
    }

    pub(super) fn masked<'a>(&'a self, presented: Option<&'a Presented>) -> Vec<&'a str> {
        let own = match self {
            Self::None => None,
            Self::Basic { password, .. } => Some(password.expose_secret()),
            Self::OAuth(tokens) => Some(tokens.client_secret()),
        };
        let shown = presented.map(|presented| presented.secret.expose_secret());
        shown.into_iter().chain(own).collect()
    }
}
