//! Parses the element template's JSON, as Camunda passes it on, into a [`FlowConfig`].
//!
//! A job carries every variable in its scope, so members that are not the connector's are ignored. A null is the same as an absent member,
//! and so is empty text where a field is optional. Nothing is trimmed.

mod number;

use std::borrow::Cow;

use crate::json::{self, Json, Raw};
use crate::message::cut;
use crate::request::encode::form_of;
use crate::request::{ContentType, Destination, Kind};
use crate::{
    ApiKey, ApiKeyLocation, Authentication, ClientAuthentication, ClientCredentials, Credentials, DEFAULT_LIMITS,
    FlowConfig, Invalid, Limits, Method, Sensitive,
};

/// Parses an input of the contract's `execute`. [`request::plan`](crate::request::plan) checks whether it can be sent.
///
/// # Errors
/// The first field that is missing or of the wrong kind.
pub fn parse(input: &str) -> Result<FlowConfig, Invalid> {
    let fields = root(input)?;
    let (domain, endpoint) = target(&fields)?;
    let instance = match &endpoint {
        Some(_) => fields.text("snInstance")?.unwrap_or_default(),
        None => fields.required("snInstance", "`acme` for https://acme.service-now.com")?,
    };
    let instance = instance.into_string();
    let path = fields.required("restApiTriggerPath", "`/api/sn_cico/flow_starter/my_flow`")?;
    let method = method(&fields)?;
    let headers = fields.pairs("headers")?;
    // The form hides the field for these methods, and a variable of that name may well stand in a job's scope.
    let body = match method {
        Method::Get | Method::Delete => None,
        Method::Post | Method::Put | Method::Patch => fields.body(&headers)?,
    };
    Ok(FlowConfig {
        instance,
        domain,
        endpoint,
        path,
        method,
        headers,
        query: fields.pairs("queryParameters")?,
        body,
        authentication: authentication(&fields)?,
        limits: limits(&fields)?,
    })
}

/// The destinations that an input names, even if it is otherwise incomplete or invalid.
///
/// # Errors
/// If the fields that name an origin are not valid for [`parse`].
pub fn destination(input: &str) -> Result<Destination, Invalid> {
    let fields = root(input)?;
    let instance = fields.text("snInstance")?.unwrap_or_default();
    let (domain, endpoint) = target(&fields)?;
    let token_url = match own(&fields)? {
        Some(own) if own.text("authentication.type")?.as_deref() == Some(OAUTH) => {
            Some(own.text("authentication.oauthTokenEndpoint")?)
        }
        _ => None,
    };
    let token_url = token_url.as_ref().map(Option::as_deref);
    let path = fields.text("restApiTriggerPath")?;
    Destination::of(
        &instance,
        domain.as_deref(),
        endpoint.as_deref(),
        token_url,
        path.as_deref(),
    )
}

/// `snDomain` and `snEndpoint`, as `snTarget` promises them: without it, a choice whose expression gives null would fall back to the commercial
/// cloud, and a process variable could take a call elsewhere.
fn target(fields: &Fields) -> Result<(Option<String>, Option<Sensitive>), Invalid> {
    let (domain, endpoint) = (fields.open("snDomain")?, fields.text("snEndpoint")?);
    let Some(target) = fields.text("snTarget")? else {
        return Ok((domain, endpoint));
    };
    let needed = match &*target {
        "instance" => "",
        "domain" => "snDomain",
        "url" => "snEndpoint",
        _ => {
            return Invalid::quoting(
                "snTarget",
                format!(
                    "`snTarget` must be one of instance, domain and url, not `{}`.",
                    cut(&target, 40)
                ),
                "`snTarget` must be one of instance, domain and url.",
            );
        }
    };
    for (field, is_given, example) in [
        ("snDomain", domain.is_some(), "`servicenowservices.com`"),
        ("snEndpoint", endpoint.is_some(), "`https://flows.example.com`"),
    ] {
        match is_given {
            false if field == needed => {
                return Invalid::refuse(
                    field,
                    format!(
                        "`{field}` is missing, but `snTarget` is `{}`: for example {example}.",
                        &*target
                    ),
                );
            }
            true if field != needed => {
                return Invalid::refuse(
                    field,
                    format!(
                        "`{field}` is given, but `snTarget` is `{}`: remove one of the two.",
                        &*target
                    ),
                );
            }
            _ => {}
        }
    }
    Ok((domain, endpoint))
}

fn root(input: &str) -> Result<Fields<'_>, Invalid> {
    let root = json::parse(input).map_err(|at| {
        Invalid::of(
            "",
            format!(
                "The input is not JSON (line {}, column {}): it must be an object with the template's fields.",
                at.line, at.column
            ),
        )
    })?;
    let Json::Object(members) = Json::of(root).ok_or_else(|| not_unicode("", "input"))? else {
        return Invalid::refuse(
            "",
            "The input must be an object with the template's fields: for example {\"snInstance\": \"acme\", …}.",
        );
    };
    Ok(Fields { members, prefix: "" })
}

/// An object's members. Fields are asked for by their whole name, `authentication.password`.
struct Fields<'a> {
    members: Vec<(Cow<'a, str>, Raw<'a>)>,
    /// What stands before a member's name in the field's: empty, or `authentication.`.
    prefix: &'static str,
}

impl<'a> Fields<'a> {
    /// The member, where it is there and not null.
    fn get(&self, field: &'static str) -> Result<Option<Json<'a>>, Invalid> {
        let Some(raw) = self.raw(field)? else { return Ok(None) };
        Json::of(raw).map(Some).ok_or_else(|| not_unicode(field, field))
    }

    /// The same, unread. A name given twice could mean one thing to a checker and another to us: refused.
    fn raw(&self, field: &'static str) -> Result<Option<Raw<'a>>, Invalid> {
        let name = self.name(field);
        let mut found = self.members.iter().filter(|(key, _)| key == name).map(|(_, raw)| *raw);
        let first = found.next();
        if found.next().is_some() {
            return Invalid::refuse(field, format!("`{field}` is given twice: remove one."));
        }
        Ok(first.filter(|raw| raw.get() != "null"))
    }

    fn name(&self, field: &'static str) -> &'static str {
        field.strip_prefix(self.prefix).unwrap_or(field)
    }

    /// A text, where it is there and not empty. A number is taken as its digits, since an expression may well make one of an id.
    fn text(&self, field: &'static str) -> Result<Option<Sensitive>, Invalid> {
        match self.get(field)? {
            None => Ok(None),
            Some(Json::Text(text)) => Ok(Some(Sensitive::from(text)).filter(|text| !text.is_empty())),
            Some(Json::Number(digits)) => Ok(Some(digits.into())),
            Some(_) => Invalid::refuse(field, format!("`{field}` must be text.")),
        }
    }

    /// The same for text that the call keeps in the open.
    fn open(&self, field: &'static str) -> Result<Option<String>, Invalid> {
        Ok(self.text(field)?.map(Sensitive::into_string))
    }

    /// A number, or text that is one, as `read` reads it; `must` says what it must be.
    fn number(
        &self,
        field: &'static str,
        read: impl Fn(&str) -> Option<u32>,
        must: &str,
    ) -> Result<Option<u32>, Invalid> {
        let number = match self.get(field)? {
            None => return Ok(None),
            Some(Json::Text(text)) if text.is_empty() => return Ok(None),
            Some(Json::Text(text)) => read(&Sensitive::from(text)),
            Some(Json::Number(digits)) => read(digits),
            Some(_) => None,
        };
        match number {
            Some(_) => Ok(number),
            None => Invalid::refuse(field, format!("`{field}` must be {must}.")),
        }
    }

    fn required(&self, field: &'static str, example: &str) -> Result<Sensitive, Invalid> {
        match self.text(field)? {
            Some(text) => Ok(text),
            None => Invalid::refuse(
                field,
                format!("`{field}` is missing{}: for example {example}.", self.similar(field)),
            ),
        }
    }

    /// A credential or its like: required, and without an example.
    fn needed(&self, field: &'static str) -> Result<Sensitive, Invalid> {
        match self.text(field)? {
            Some(text) => Ok(text),
            None => Invalid::refuse(field, format!("`{field}` is missing{}.", self.similar(field))),
        }
    }

    /// ` (there is `x`: is that it?)` where a member has nearly this name.
    fn similar(&self, field: &'static str) -> String {
        let name = self.name(field);
        let wanted = letters(name);
        let near = self
            .members
            .iter()
            .map(|(key, _)| &**key)
            .filter(|key| *key != name)
            .find(|key| {
                let key = letters(key);
                let slips = (wanted.len() / 4).min(2);
                (key.len() > 3 && (part_of(&wanted, &key) || part_of(&key, &wanted)))
                    || distance(&wanted, &key) <= slips
            });
        near.map_or(String::new(), |key| {
            format!(
                " (found `{}{}`; the name must be exactly `{name}`)",
                self.prefix,
                cut(key, 60)
            )
        })
    }

    /// Headers or query parameters: nulls left out, lists as repeated names, objects as their JSON.
    fn pairs(&self, field: &'static str) -> Result<Vec<(String, Sensitive)>, Invalid> {
        let members = match self.get(field)? {
            None => return Ok(Vec::new()),
            Some(Json::Object(members)) => members,
            Some(Json::Text(text)) if text.is_empty() => return Ok(Vec::new()),
            Some(_) => {
                return Invalid::refuse(
                    field,
                    format!("`{field}` must be an object of names and values: for example {{\"hello\": \"world\"}}."),
                );
            }
        };
        named(members, field)
    }

    /// Text goes out as that text, anything else as the content type asks for it: JSON, or a form.
    fn body(&self, headers: &[(String, Sensitive)]) -> Result<Option<Sensitive>, Invalid> {
        let raw = match self.raw("body")? {
            Some(raw) if !raw.get().starts_with('"') => raw,
            _ => return self.text("body"),
        };
        let content_type = headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        let kind = content_type.map_or(Kind::Json, |(_, value)| ContentType::of(value).kind);
        match (kind, raw.get().starts_with(['{', '['])) {
            (Kind::Form, true) => match Json::of(raw) {
                Some(Json::Object(members)) => Ok(Some(form_of(&named(members, "body")?).into())),
                Some(_) => Invalid::refuse(
                    "body",
                    "The body is a list, but its content type is a form: use an object of names and values, or the form as text.",
                ),
                None => Err(not_unicode("body", "body")),
            },
            (Kind::Other, true) => Invalid::refuse(
                "body",
                "The body is an object or a list, which cannot be converted to its content type: pass the body as text, or use `application/json` or `application/x-www-form-urlencoded`.",
            ),
            // A number and a boolean are the same text everywhere.
            _ => Ok(Some(raw.get().into())),
        }
    }

    /// A text, or a list of texts: each holds any number of scopes, separated by white space.
    fn scopes(&self, field: &'static str) -> Result<Vec<String>, Invalid> {
        let mut scopes = Vec::new();
        for item in self.raw(field)?.map(items).unwrap_or_default() {
            match Json::of(item).ok_or_else(|| not_unicode(field, field))? {
                Json::Null => {}
                Json::Text(text) => scopes.extend(text.split_whitespace().map(str::to_owned)),
                Json::Number(digits) => scopes.push(digits.to_owned()),
                _ => {
                    return Invalid::refuse(
                        field,
                        format!("`{field}` must be text, or a list of texts: for example `useraccount`."),
                    );
                }
            }
        }
        Ok(scopes)
    }
}

/// An object's members as names and values: nulls left out, lists as repeated names, objects as their JSON.
fn named(members: Vec<(Cow<str>, Raw)>, field: &'static str) -> Result<Vec<(String, Sensitive)>, Invalid> {
    let mut pairs = Vec::with_capacity(members.len());
    for (key, raw) in members {
        for item in items(raw) {
            let value = Json::of(item).ok_or_else(|| not_unicode(field, field))?;
            pairs.extend(as_text(value, item).map(|text| (key.clone().into_owned(), Sensitive::from(text))));
        }
    }
    Ok(pairs)
}

/// A list's items: each is a header or parameter of its own. Anything else is one.
pub(crate) fn items(raw: Raw) -> Vec<Raw> {
    // Looked at first: a text is not decoded for nothing, which would leave it behind.
    let list = raw.get().starts_with('[').then(|| Json::of(raw));
    match list {
        Some(Some(Json::List(items))) => items,
        _ => vec![raw],
    }
}

/// A header's or parameter's value as text; a null has none.
pub(crate) fn as_text(value: Json, raw: Raw) -> Option<String> {
    match value {
        Json::Null => None,
        Json::Text(text) => Some(text.into_owned()),
        Json::Bool(text) | Json::Number(text) => Some(text.to_owned()),
        Json::List(_) | Json::Object(_) => Some(raw.get().to_owned()),
    }
}

fn not_unicode(field: &'static str, what: &str) -> Invalid {
    let sentence =
        format!("`{what}` contains half of a surrogate pair (`\\ud800` to `\\udfff`), which is not a character.");
    Invalid::of(field, sentence)
}

fn method(fields: &Fields) -> Result<Method, Invalid> {
    let text = fields.required("method", "`POST`")?;
    Ok(match &*text {
        "GET" => Method::Get,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "PATCH" => Method::Patch,
        "DELETE" => Method::Delete,
        _ => {
            return Invalid::quoting(
                "method",
                format!(
                    "`method` must be one of GET, POST, PUT, PATCH and DELETE, not `{}`.",
                    cut(&text, 40)
                ),
                "`method` must be one of GET, POST, PUT, PATCH and DELETE.",
            );
        }
    })
}

const OAUTH: &str = "oauth-client-credentials-flow";

/// The members of `authentication`, where there is one.
fn own<'a>(fields: &Fields<'a>) -> Result<Option<Fields<'a>>, Invalid> {
    let members = match fields.get("authentication")? {
        None => return Ok(None),
        Some(Json::Object(members)) => members,
        Some(Json::Text(text)) if text.is_empty() => return Ok(None),
        Some(_) => {
            return Invalid::refuse(
                "authentication",
                "`authentication` must be an object: for example {\"type\": \"basic\", \"username\": …, \"password\": …}.",
            );
        }
    };
    Ok(Some(Fields {
        members,
        prefix: "authentication.",
    }))
}

fn authentication(fields: &Fields) -> Result<Authentication, Invalid> {
    let Some(fields) = own(fields)? else {
        return Ok(Authentication::None);
    };
    let Some(kind) = fields.text("authentication.type")? else {
        let given = fields
            .members
            .iter()
            .find(|(key, raw)| key != "type" && raw.get() != "null" && raw.get() != "\"\"");
        return match given {
            None => Ok(Authentication::None),
            Some((key, _)) => Invalid::refuse(
                "authentication.type",
                format!(
                    "`authentication.type` is missing{}, but `authentication.{}` is given: for example `basic`.",
                    fields.similar("authentication.type"),
                    cut(key, 60)
                ),
            ),
        };
    };
    Ok(match &*kind {
        "noAuth" => Authentication::None,
        "basic" => Authentication::Basic(Credentials {
            username: fields.needed("authentication.username")?,
            password: fields.needed("authentication.password")?,
        }),
        "bearer" => Authentication::Bearer(fields.needed("authentication.token")?),
        "apiKey" => {
            let location = match fields.text("authentication.apiKeyLocation")?.as_deref() {
                None | Some("headers") => ApiKeyLocation::Header,
                Some("query") => ApiKeyLocation::Query,
                Some(_) => {
                    return Invalid::refuse(
                        "authentication.apiKeyLocation",
                        "`authentication.apiKeyLocation` must be `headers` or `query`.",
                    );
                }
            };
            Authentication::ApiKey(ApiKey {
                location,
                name: match fields.open("authentication.name")? {
                    Some(name) => name,
                    None => ApiKey::NAME.to_owned(),
                },
                value: fields.needed("authentication.value")?,
            })
        }
        OAUTH => {
            let client_authentication = match fields.text("authentication.clientAuthentication")?.as_deref() {
                None | Some("credentialsBody") => ClientAuthentication::RequestBody,
                Some("basicAuthHeader") => ClientAuthentication::BasicHeader,
                Some(_) => {
                    return Invalid::refuse(
                        "authentication.clientAuthentication",
                        "`authentication.clientAuthentication` must be `credentialsBody` or `basicAuthHeader`.",
                    );
                }
            };
            Authentication::OauthClientCredentials(ClientCredentials {
                token_url: fields.text("authentication.oauthTokenEndpoint")?,
                client_id: fields.needed("authentication.clientId")?,
                client_secret: fields.needed("authentication.clientSecret")?,
                audience: fields.open("authentication.audience")?,
                scopes: fields.scopes("authentication.scopes")?,
                client_authentication,
            })
        }
        _ => {
            return Invalid::quoting(
                "authentication.type",
                format!(
                    "`authentication.type` must be one of basic, bearer, apiKey, oauth-client-credentials-flow and noAuth, not `{}`.",
                    cut(&kind, 40)
                ),
                "`authentication.type` must be one of basic, bearer, apiKey, oauth-client-credentials-flow and noAuth.",
            );
        }
    })
}

fn limits(fields: &Fields) -> Result<Option<Limits>, Invalid> {
    let seconds = |field: &'static str, default: u32| {
        let must = "a number of seconds from 0 (no limit) to 4294967: for example 20";
        let ms = fields.number(field, number::milliseconds, must)?;
        Ok(ms.unwrap_or(default))
    };
    let connect = seconds("connectionTimeoutInSeconds", DEFAULT_LIMITS.connect_timeout_ms)?;
    let read = seconds("readTimeoutInSeconds", DEFAULT_LIMITS.first_byte_timeout_ms)?;
    let must = "a whole number of bytes up to 4294967295: for example 1048576";
    let bytes = fields
        .number("maxResponseBytes", number::whole, must)?
        .unwrap_or_default();
    Ok(Some(Limits {
        connect_timeout_ms: connect,
        first_byte_timeout_ms: read,
        between_bytes_timeout_ms: read,
        max_response_bytes: bytes,
    }))
}

/// `user` of `username`, `instance` of `snInstance`.
fn part_of(whole: &str, part: &str) -> bool {
    whole.starts_with(part) || whole.ends_with(part)
}

/// A name's letters and digits in lower case: `sn_instance` and `SnInstance` are the same slip.
fn letters(name: &str) -> String {
    name.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

/// How many letters must change, come or go to make `b` of `a` (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    if a.len().abs_diff(b.len()) > 2 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut next = vec![i + 1];
        for ((y, above), diagonal) in b.bytes().zip(row.iter().skip(1)).zip(&row) {
            let left = next.last().copied().unwrap_or_default();
            next.push((diagonal + usize::from(x != y)).min(above + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests;
