//! The JSON door's input: the element template's fields, as Camunda passes them on, made into a `FlowConfig`.
//!
//! A job carries every variable in its scope, so members that are not the connector's are ignored. A null is the same as an absent member,
//! and so is empty text where a field is optional. Nothing is trimmed.

mod number;

use crate::error::{Invalid, cut};
use crate::json::{self, Json, Raw};
use crate::mask::Mask;
use crate::request::DEFAULT_LIMITS;
use crate::types::{
    ApiKey, ApiKeyLocation, Authentication, ClientAuthentication, ClientCredentials, Credentials, FlowConfig, Limits,
    Method,
};

/// Reads the input of `connector.execute`.
pub fn parse(input: &str) -> Result<FlowConfig, Invalid> {
    let root = json::parse(input).map_err(|at| {
        Invalid(format!(
            "The input is not JSON (line {}, column {}): it must be an object with the template's fields.",
            at.line, at.column
        ))
    })?;
    let Json::Object(members) = Json::of(root).ok_or_else(|| not_unicode("input"))? else {
        return Invalid::new(
            "The input must be an object with the template's fields: for example {\"snInstance\": \"acme\", …}.",
        );
    };
    let fields = Fields { members, prefix: "" };
    let endpoint = fields.text("snEndpoint")?;
    let instance = match &endpoint {
        Some(_) => fields.text("snInstance")?.unwrap_or_default(),
        None => fields.required("snInstance", "`acme` for https://acme.service-now.com")?,
    };
    let path = fields.required("restApiTriggerPath", "`/api/sn_cico/flow_starter/my_flow`")?;
    let method = method(&fields)?;
    Ok(FlowConfig {
        instance,
        domain: fields.text("snDomain")?,
        endpoint,
        path,
        method,
        headers: fields.pairs("headers")?,
        query: fields.pairs("queryParameters")?,
        // The form hides the field for these methods, and a variable of that name may well stand in a job's scope.
        body: if matches!(method, Method::Get | Method::Delete) {
            None
        } else {
            fields.body()?
        },
        authentication: authentication(&fields)?,
        limits: limits(&fields)?,
    })
}

/// What masks the message about an input that [`parse`] refused: whatever stands where credentials do.
pub fn mask(input: &str) -> Mask {
    let mut mask = Mask::default();
    let Ok(root) = json::parse(input) else { return mask };
    for (field, raw) in members(root) {
        match field.as_str() {
            "authentication" => members(raw)
                .into_iter()
                .filter(|(name, _)| CREDENTIALS.contains(&name.as_str()))
                .for_each(|(_, raw)| mask.add(&text_of(raw))),
            "headers" => {
                for (name, raw) in members(raw) {
                    for item in items(raw) {
                        mask.add_header(&name, &text_of(item));
                    }
                }
            }
            _ => {}
        }
    }
    mask
}

fn members(raw: Raw) -> Vec<(String, Raw)> {
    match Json::of(raw) {
        Some(Json::Object(members)) => members,
        _ => Vec::new(),
    }
}

/// A list's items: each is a header or parameter of its own. Anything else is one.
fn items(raw: Raw) -> Vec<Raw> {
    match Json::of(raw) {
        Some(Json::List(items)) => items,
        _ => vec![raw],
    }
}

fn text_of(raw: Raw) -> String {
    Json::of(raw).and_then(|value| as_text(value, raw)).unwrap_or_default()
}

/// The members of `authentication` that are credentials.
const CREDENTIALS: [&str; 4] = ["password", "token", "value", "clientSecret"];

/// An object's members, and what stands before their names in a message.
struct Fields<'a> {
    members: Vec<(String, Raw<'a>)>,
    prefix: &'static str,
}

impl<'a> Fields<'a> {
    /// The member, where it is there and not null.
    fn get(&self, name: &str) -> Result<Option<Json<'a>>, Invalid> {
        let Some(raw) = self.raw(name)? else { return Ok(None) };
        Json::of(raw)
            .map(Some)
            .ok_or_else(|| not_unicode(&format!("{}{name}", self.prefix)))
    }

    /// The same, unread. A name given twice could mean one thing to a checker and another to us: refused.
    fn raw(&self, name: &str) -> Result<Option<Raw<'a>>, Invalid> {
        let mut found = self.members.iter().filter(|(key, _)| key == name).map(|(_, raw)| *raw);
        let first = found.next();
        if found.next().is_some() {
            return Invalid::new(format!("`{}{name}` is given twice: leave one out.", self.prefix));
        }
        Ok(first.filter(|raw| raw.get() != "null"))
    }

    /// A text, where it is there and not empty. A number is taken as its digits, since an expression may well make one of an id.
    fn text(&self, name: &str) -> Result<Option<String>, Invalid> {
        match self.get(name)? {
            None => Ok(None),
            Some(Json::Text(text)) => Ok(Some(text).filter(|text| !text.is_empty())),
            Some(Json::Number(digits)) => Ok(Some(digits.to_owned())),
            Some(_) => Invalid::new(format!("`{}{name}` must be text.", self.prefix)),
        }
    }

    /// A number, or text that is one, as `read` reads it.
    fn number(&self, name: &str, read: impl Fn(&str) -> Option<u32>, sentence: String) -> Result<Option<u32>, Invalid> {
        let number = match self.get(name)? {
            None => return Ok(None),
            Some(Json::Text(text)) if text.is_empty() => return Ok(None),
            Some(Json::Text(text)) => read(&text),
            Some(Json::Number(digits)) => read(digits),
            Some(_) => None,
        };
        number.map(Some).ok_or(Invalid(sentence))
    }

    fn required(&self, name: &str, example: &str) -> Result<String, Invalid> {
        match self.text(name)? {
            Some(text) => Ok(text),
            None => Invalid::new(format!(
                "`{}{name}` is missing{}: for example {example}.",
                self.prefix,
                self.similar(name)
            )),
        }
    }

    /// A credential or its like: required, and never quoted.
    fn needed(&self, name: &str) -> Result<String, Invalid> {
        match self.text(name)? {
            Some(text) => Ok(text),
            None => Invalid::new(format!("`{}{name}` is missing{}.", self.prefix, self.similar(name))),
        }
    }

    /// ` (there is `x`: is that it?)` where a member has nearly this name.
    fn similar(&self, name: &str) -> String {
        let wanted = letters(name);
        let near = self
            .members
            .iter()
            .map(|(key, _)| key)
            .filter(|key| *key != name)
            .find(|key| {
                let key = letters(key);
                let slips = (wanted.len() / 4).min(2);
                (key.len() > 3 && (part_of(&wanted, &key) || part_of(&key, &wanted)))
                    || distance(&wanted, &key) <= slips
            });
        near.map_or(String::new(), |key| {
            format!(
                " (there is `{}{}`; the name must be exactly `{name}`)",
                self.prefix,
                cut(key, 60)
            )
        })
    }

    /// Headers or query parameters: nulls left out, lists as repeated names, objects as their JSON.
    fn pairs(&self, name: &str) -> Result<Vec<(String, String)>, Invalid> {
        let members = match self.get(name)? {
            None => return Ok(Vec::new()),
            Some(Json::Object(members)) => members,
            Some(Json::Text(text)) if text.is_empty() => return Ok(Vec::new()),
            Some(_) => {
                return Invalid::new(format!(
                    "`{name}` must be an object of names and values: for example {{\"hello\": \"world\"}}."
                ));
            }
        };
        let mut pairs = Vec::with_capacity(members.len());
        for (key, raw) in members {
            for item in items(raw) {
                let value = Json::of(item).ok_or_else(|| not_unicode(name))?;
                pairs.extend(as_text(value, item).map(|text| (key.clone(), text)));
            }
        }
        Ok(pairs)
    }

    /// Text goes out as that text, anything else as the JSON that it is.
    fn body(&self) -> Result<Option<String>, Invalid> {
        match self.raw("body")? {
            Some(raw) if !raw.get().starts_with('"') => Ok(Some(raw.get().to_owned())),
            _ => self.text("body"),
        }
    }
}

/// A header's or parameter's value as text; a null has none.
fn as_text(value: Json, raw: Raw) -> Option<String> {
    match value {
        Json::Null => None,
        Json::Text(text) => Some(text),
        Json::Bool(text) | Json::Number(text) => Some(text.to_owned()),
        Json::List(_) | Json::Object(_) => Some(raw.get().to_owned()),
    }
}

fn not_unicode(field: &str) -> Invalid {
    Invalid(format!(
        "`{field}` holds half of a surrogate pair (`\\ud800` to `\\udfff`), which is no character."
    ))
}

fn method(fields: &Fields) -> Result<Method, Invalid> {
    let text = fields.required("method", "`POST`")?;
    Ok(match text.as_str() {
        "GET" => Method::Get,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "PATCH" => Method::Patch,
        "DELETE" => Method::Delete,
        _ => {
            return Invalid::new(format!(
                "`method` must be one of GET, POST, PUT, PATCH and DELETE, not `{}`.",
                cut(&text, 40)
            ));
        }
    })
}

fn authentication(fields: &Fields) -> Result<Authentication, Invalid> {
    let members = match fields.get("authentication")? {
        None => return Ok(Authentication::None),
        Some(Json::Object(members)) => members,
        Some(Json::Text(text)) if text.is_empty() => return Ok(Authentication::None),
        Some(_) => {
            return Invalid::new(
                "`authentication` must be an object: for example {\"type\": \"basic\", \"username\": …, \"password\": …}.",
            );
        }
    };
    let fields = Fields {
        members,
        prefix: "authentication.",
    };
    let Some(kind) = fields.text("type")? else {
        let given = fields
            .members
            .iter()
            .find(|(key, raw)| key != "type" && raw.get() != "null" && raw.get() != "\"\"");
        return match given {
            None => Ok(Authentication::None),
            Some((key, _)) => Invalid::new(format!(
                "`authentication.type` is missing{}, and `authentication.{}` is there: for example `basic`.",
                fields.similar("type"),
                cut(key, 60)
            )),
        };
    };
    Ok(match kind.as_str() {
        "noAuth" => Authentication::None,
        "basic" => Authentication::Basic(Credentials {
            username: fields.needed("username")?,
            password: fields.needed("password")?,
        }),
        "bearer" => Authentication::Bearer(fields.needed("token")?),
        "apiKey" => {
            let location = match fields.text("apiKeyLocation")?.as_deref() {
                None | Some("headers") => ApiKeyLocation::Header,
                Some("query") => ApiKeyLocation::Query,
                Some(_) => return Invalid::new("`authentication.apiKeyLocation` must be `headers` or `query`."),
            };
            ApiKey {
                location,
                name: fields.needed("name")?,
                value: fields.needed("value")?,
            }
            .into()
        }
        "oauth-client-credentials-flow" => {
            let client_authentication = match fields.text("clientAuthentication")?.as_deref() {
                None | Some("credentialsBody") => ClientAuthentication::RequestBody,
                Some("basicAuthHeader") => ClientAuthentication::BasicHeader,
                Some(_) => {
                    return Invalid::new(
                        "`authentication.clientAuthentication` must be `credentialsBody` or `basicAuthHeader`.",
                    );
                }
            };
            let scopes = fields.text("scopes")?.unwrap_or_default();
            Authentication::OauthClientCredentials(ClientCredentials {
                token_url: fields.text("oauthTokenEndpoint")?,
                client_id: fields.needed("clientId")?,
                client_secret: fields.needed("clientSecret")?,
                audience: fields.text("audience")?,
                scopes: scopes
                    .split(' ')
                    .filter(|scope| !scope.is_empty())
                    .map(str::to_owned)
                    .collect(),
                client_authentication,
            })
        }
        _ => {
            return Invalid::new(format!(
                "`authentication.type` must be one of basic, bearer, apiKey, oauth-client-credentials-flow and noAuth, not `{}`.",
                cut(&kind, 40)
            ));
        }
    })
}

impl From<ApiKey> for Authentication {
    fn from(key: ApiKey) -> Self {
        Self::ApiKey(key)
    }
}

fn limits(fields: &Fields) -> Result<Option<Limits>, Invalid> {
    let seconds = |name: &str, default: u32| {
        let sentence = format!("`{name}` must be a number of seconds from 0 (no limit) to 4294967: for example 20.");
        fields
            .number(name, number::milliseconds, sentence)
            .map(|ms| ms.unwrap_or(default))
    };
    let connect = seconds("connectionTimeoutInSeconds", DEFAULT_LIMITS.connect_timeout_ms)?;
    let read = seconds("readTimeoutInSeconds", DEFAULT_LIMITS.first_byte_timeout_ms)?;
    let sentence =
        "`maxResponseBytes` must be a whole number of bytes up to 4294967295: for example 1048576.".to_owned();
    let bytes = fields
        .number("maxResponseBytes", number::whole, sentence)?
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
