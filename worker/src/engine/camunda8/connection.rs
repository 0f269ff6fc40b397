//! One request, one answer: nothing is repeated here but a request that was answered 401, once, with a renewed access token.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Client, Method, NoProxy, Proxy, Response};
use secrecy::ExposeSecret;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::address::BaseUrl;
use super::answer::{Answer, Ended};
use super::builder::{Authentication, Builder, Limits};
use super::credentials::{Credentials, Presented};
use super::{Call, Observer, Proxies, SettingsError, address, tls};

/// A request to the cluster.
pub(super) struct Request {
    pub(super) call: Call,
    pub(super) method: Method,
    /// Below `/v2`, with a slash at its start.
    pub(super) path: String,
    pub(super) body: Option<Zeroizing<Vec<u8>>>,
    /// How much longer than other calls this one may take.
    pub(super) longer: Duration,
}

pub(super) struct Connection {
    client: Client,
    base: BaseUrl,
    credentials: Credentials,
    observer: Option<Observer>,
    limits: Limits,
}

impl Connection {
    pub(super) fn new(builder: &Builder) -> Result<Self, SettingsError> {
        let base = BaseUrl::parse(&builder.address)?;
        let tokens_by_https = match &builder.authentication {
            Authentication::OAuth(oauth) => address::token_url(&oauth.url)?.scheme() == "https",
            _ => false,
        };
        let proxies = [&builder.proxies.http, &builder.proxies.https];
        let proxy_by_https = proxies
            .into_iter()
            .flatten()
            .any(|url| url.expose_secret().trim().starts_with("https:"));
        let client = client(builder, base.is_https() || tokens_by_https || proxy_by_https)?;
        Ok(Self {
            credentials: Credentials::new(builder, &client)?,
            client,
            base,
            observer: builder.observer.clone(),
            limits: builder.limits,
        })
    }

    pub(super) async fn send(&self, request: Request) -> Ended {
        let presented = match self.credentials.present().await {
            Ok(presented) => presented,
            Err(no_token) => {
                return Ended::NotSent {
                    denied: true,
                    after: Some(no_token.after),
                    detail: no_token.detail,
                };
            }
        };
        let body = request.body.map(Bytes::from_owner);
        let parts = Parts {
            call: request.call,
            method: request.method,
            url: self.base.join(&request.path),
            body,
            limit: self.limits.call.saturating_add(request.longer),
        };
        let first = self.send_once(&parts, presented.as_ref()).await;
        let (Ended::Answered(Answer { status: 401, .. }), Some(presented)) = (&first, presented) else {
            return first;
        };
        let Some(renewed) = self.credentials.renew(&presented).await else {
            return first;
        };
        let second = self.send_once(&parts, Some(&renewed)).await;
        if let Ended::Answered(answer) = &second {
            self.credentials.judge(&renewed, answer.status != 401);
        }
        second
    }

    async fn send_once(&self, parts: &Parts, presented: Option<&Presented>) -> Ended {
        let mut request = self
            .client
            .request(parts.method.clone(), &parts.url)
            .header(ACCEPT, "application/json, application/problem+json")
            .timeout(parts.limit);
        if let Some(presented) = presented {
            request = request.header(AUTHORIZATION, presented.header.clone());
        }
        if let Some(body) = &parts.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.clone());
        }
        let asked_at = Instant::now();
        let result = request.send().await;
        let status = result.as_ref().ok().map(|response| response.status().as_u16());
        if let Some(observer) = &self.observer {
            observer(parts.call, status);
        }
        let ended = match result {
            Ok(response) => self.read(parts.call, response, asked_at, presented).await,
            Err(error) => self.failed(&error, parts.limit, asked_at),
        };
        tracing::debug!(clusterCall = parts.call.as_str(), status, took = ?asked_at.elapsed(), "cluster call");
        ended
    }

    async fn read(&self, call: Call, response: Response, asked_at: Instant, presented: Option<&Presented>) -> Ended {
        let cap = match call {
            Call::Activation | Call::Evaluation => self.limits.activation_bytes,
            _ => self.limits.bytes,
        };
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = body(response, cap).await;
        let masked = self.credentials.masked(presented);
        Ended::Answered(Answer::new(status, &headers, body, asked_at.elapsed(), &masked))
    }

    fn failed(&self, error: &reqwest::Error, limit: Duration, asked_at: Instant) -> Ended {
        let detail = why(error, limit);
        // A request is written only to a connection that stands, the proxy's tunnel and the TLS handshake included.
        if error.is_connect() || error.is_builder() {
            return Ended::NotSent {
                denied: false,
                after: None,
                detail,
            };
        }
        Ended::Lost {
            timed_out: error.is_timeout(),
            took: asked_at.elapsed(),
            detail,
        }
    }
}

struct Parts {
    call: Call,
    method: Method,
    url: String,
    body: Option<Bytes>,
    limit: Duration,
}

/// The whole body. One that is larger than `cap` is not read to its end, which closes the connection.
pub(super) async fn body(mut response: Response, cap: usize) -> Result<Zeroizing<Vec<u8>>, String> {
    let mut body = Zeroizing::new(Vec::new());
    loop {
        match response.chunk().await {
            Ok(None) => return Ok(body),
            Ok(Some(chunk)) if body.len().saturating_add(chunk.len()) > cap => {
                return Err(format!("the answer is larger than {cap} bytes"));
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Err(error) if error.is_timeout() => return Err("the answer was incomplete at the timeout".to_owned()),
            Err(error) => return Err(format!("the answer was cut off: {}", root(&error))),
        }
    }
}

/// In a few words, without the URL.
pub(super) fn why(error: &reqwest::Error, limit: Duration) -> String {
    if error.is_connect() {
        let root = if error.is_timeout() {
            "timeout".to_owned()
        } else {
            root(error)
        };
        format!("no connection: {root}")
    } else if error.is_timeout() {
        format!("no answer within {} s", limit.as_secs_f32())
    } else {
        format!("the connection broke: {}", root(error))
    }
}

fn root(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// HTTP/1.1: a dropped request closes its connection, so one that swallowed a request is not used again. Names are resolved for each new
/// connection.
fn client(builder: &Builder, https: bool) -> Result<Client, SettingsError> {
    let identity = builder
        .identity_pem
        .as_ref()
        .map(|(certificate, key)| (certificate.as_slice(), key.as_slice()));
    let tls = tls::config(&builder.ca_pem, identity, https)?;
    let mut client = Client::builder()
        .tls_backend_preconfigured(tls)
        .http1_only()
        .user_agent(concat!("flow-starter-worker/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .connect_timeout(builder.limits.connect)
        .pool_idle_timeout(builder.limits.idle)
        .no_proxy();
    for proxy in proxies(&builder.proxies)? {
        client = client.proxy(proxy);
    }
    client.build().map_err(|error| SettingsError::Client(root(&error)))
}

fn proxies(proxies: &Proxies) -> Result<Vec<Proxy>, SettingsError> {
    let without = format!(
        "{},localhost,127.0.0.0/8,::1",
        proxies.no_proxy.as_deref().unwrap_or_default()
    );
    let without = NoProxy::from_string(&without);
    let mut found = Vec::new();
    for (name, url, https) in [
        ("HTTP_PROXY", &proxies.http, false),
        ("HTTPS_PROXY", &proxies.https, true),
    ] {
        let url = url.as_ref().map(|url| url.expose_secret().trim()).unwrap_or_default();
        if url.is_empty() {
            continue;
        }
        // The URL is not repeated: it may hold a password.
        let bad = |what: &str| SettingsError::Proxy(name, what.to_owned());
        let scheme = url.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        if !matches!(scheme.as_deref(), None | Some("http" | "https")) {
            return Err(bad("must begin with http:// or https://"));
        }
        let proxy = if https { Proxy::https(url) } else { Proxy::http(url) };
        found.push(proxy.map_err(|_| bad("is no URL"))?.no_proxy(without.clone()));
    }
    Ok(found)
}
