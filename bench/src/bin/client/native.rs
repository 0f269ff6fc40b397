//! The yardstick: hyper-util's pooled client, and the JSON work and authentication that the component does.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use flow_starter_bench::protocol::Options;
use form_urlencoded::Serializer;
use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HeaderName, USER_AGENT};
use http::{HeaderMap, HeaderValue, Request, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::drive::Contender;
use crate::sender;

/// Enough for most outputs.
const OUTPUT_BYTES: usize = 2048;

/// A pooled client.
#[derive(Clone)]
pub(crate) struct Native {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input<'a> {
    sn_endpoint: &'a str,
    rest_api_trigger_path: &'a str,
    method: &'a str,
    headers: BTreeMap<&'a str, &'a str>,
    query_parameters: BTreeMap<&'a str, &'a str>,
    #[serde(borrow)]
    body: &'a RawValue,
    authentication: Authentication<'a>,
}

#[derive(Deserialize)]
struct Authentication<'a> {
    username: &'a str,
    password: &'a str,
}

#[derive(Deserialize)]
struct Body {
    result: Ids,
}

#[derive(Deserialize)]
struct Ids {
    #[serde(rename = "executionId")]
    execution_id: Option<String>,
    sys_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output<'a> {
    status: u16,
    reason: &'a str,
    #[serde(serialize_with = "both_spellings")]
    headers: &'a HeaderMap,
    body: &'a RawValue,
    execution_id: Option<&'a str>,
    sys_id: Option<&'a str>,
}

impl Native {
    pub(crate) fn new(options: &Options) -> Result<Self> {
        let roots = match &options.ca {
            Some(file) => sender::roots(file)?,
            None => RootCertStore::empty(),
        };
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_nodelay(true);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        Ok(Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
        })
    }
}

impl Contender for Native {
    async fn call(&self, input: &str) -> Result<String> {
        let response = self.client.request(request(input)?).await?;
        let (head, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        ensure!(head.status.is_success(), "status {}", head.status);
        let text = std::str::from_utf8(&body)?;
        let Body { result } = serde_json::from_str(text)?;
        let output = Output {
            status: head.status.as_u16(),
            reason: head.status.canonical_reason().unwrap_or_default(),
            headers: &head.headers,
            body: serde_json::from_str(text)?,
            execution_id: result.execution_id.as_deref(),
            sys_id: result.sys_id.as_deref(),
        };
        let mut json = Vec::with_capacity(OUTPUT_BYTES);
        serde_json::to_writer(&mut json, &output)?;
        Ok(String::from_utf8(json)?)
    }
}

fn request(input: &str) -> Result<Request<Full<Bytes>>> {
    let input: Input = serde_json::from_str(input).context("the input")?;
    let mut url = format!("{}{}?", input.sn_endpoint, input.rest_api_trigger_path);
    let at = url.len();
    url.reserve(64);
    url = Serializer::for_suffix(url, at)
        .extend_pairs(&input.query_parameters)
        .finish();
    let Authentication { username, password } = input.authentication;
    let mut authorization = String::from("Basic ");
    STANDARD.encode_string(format!("{username}:{password}"), &mut authorization);
    let mut request = Request::new(Full::from(input.body.get().to_owned()));
    *request.method_mut() = input.method.parse()?;
    *request.uri_mut() = Uri::try_from(url)?;
    let headers = request.headers_mut();
    headers.reserve(8 + input.headers.len());
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers.insert(USER_AGENT, HeaderValue::from_static("flow-starter-bench"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(AUTHORIZATION, HeaderValue::try_from(authorization)?);
    for (name, value) in &input.headers {
        headers.insert(HeaderName::try_from(*name)?, HeaderValue::try_from(*value)?);
    }
    Ok(request)
}

/// `content-type` and `Content-Type`.
fn both_spellings<S: serde::Serializer>(headers: &&HeaderMap, serializer: S) -> Result<S::Ok, S::Error> {
    use serde::ser::SerializeMap as _;
    let mut map = serializer.serialize_map(Some(2 * headers.len()))?;
    for (name, value) in *headers {
        let value = value.to_str().unwrap_or_default();
        map.serialize_entry(name.as_str(), value)?;
        map.serialize_entry(&usual_spelling(name.as_str()), value)?;
    }
    map.end()
}

fn usual_spelling(name: &str) -> String {
    let mut spelled = name.to_owned();
    let mut word = 0;
    while let Some(first) = spelled.get_mut(word..word + 1) {
        first.make_ascii_uppercase();
        word = name
            .get(word..)
            .and_then(|rest| rest.find('-'))
            .map_or(name.len(), |hyphen| word + hyphen + 1);
    }
    spelled
}
