//! An input's references replaced by their values.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use flow_starter_input::json::{Document, Scalar, quote, spliced};
use flow_starter_input::{Mask, fields};

use super::error::{ExpandError, LONGEST_NAME, MOST_NAMES};
use super::provider::{EnvironmentSecrets, SecretProvider};
use super::reference::{Forms, Reference, references};
use super::secret::Secret;

/// Secret providers in order: the first that has a name supplies its value. Cheap to clone.
///
/// ```
/// use flow_starter_host::secrets::{DirectorySecrets, EnvironmentSecrets};
/// use flow_starter_host::Secrets;
///
/// let secrets = Secrets::none()
///     .with(EnvironmentSecrets::default())
///     .with(DirectorySecrets::new("/run/secrets"));
/// assert_eq!(Secrets::names(r#"{"authentication":{"password":"{{secrets.SN_PWD}}"}}"#)?, ["SN_PWD"]);
/// # Ok::<(), flow_starter_host::secrets::ExpandError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Secrets {
    providers: Vec<Arc<dyn SecretProvider>>,
    forms: Forms,
}

impl Default for Secrets {
    /// The environment, with the prefix `SECRET_`.
    fn default() -> Self {
        Self::none().with(EnvironmentSecrets::default())
    }
}

/// An input whose references are replaced. `Debug` hides it, and it is zeroized on drop.
pub struct Expanded {
    json: Zeroizing<String>,
    mask: Mask,
    short: Vec<String>,
    /// Each field that contains a secret's value, and the secret's name.
    fields: Vec<(String, String)>,
}

impl fmt::Debug for Expanded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Expanded(***)")
    }
}

impl Expanded {
    /// The input with the values.
    pub fn json(&self) -> &str {
        &self.json
    }

    /// The mask of the inserted values.
    pub fn mask(&self) -> &Mask {
        &self.mask
    }

    /// The name of a secret that is used in this field: `snInstance`, `authentication.password`, or `headers` for any header.
    pub(crate) fn secret_in(&self, field: &str) -> Option<&str> {
        let mut found = self.fields.iter().filter(|(known, _)| known == field);
        found.next().map(|(_, name)| name.as_str())
    }

    /// The secrets whose values are too short to be masked ([`Secret::is_short`]).
    pub fn short(&self) -> &[String] {
        &self.short
    }
}

/// A secret that an input uses, and its provider; never its value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SecretUse {
    /// Its name.
    pub name: String,
    /// The first field that refers to it, `authentication.password`.
    pub field: String,
    /// Where its value was found, or why not.
    pub found: Result<String, ExpandError>,
    /// Its value is too short to be masked.
    pub short: bool,
}

impl Secrets {
    /// No secrets: an input that uses one is refused.
    pub fn none() -> Self {
        Self {
            providers: Vec::new(),
            forms: Forms::Both,
        }
    }

    /// Whether `secrets.NAME` without braces is a reference too; the default is yes. Camunda drops this form in 8.10. If it is off,
    /// ordinary text such as a link to `/secrets.html` is sent unchanged.
    #[must_use]
    pub fn bare_references(mut self, on: bool) -> Self {
        self.forms = if on { Forms::Both } else { Forms::Braces };
        self
    }

    /// Adds a provider, which is asked after the previous ones.
    #[must_use]
    pub fn with(mut self, provider: impl SecretProvider + 'static) -> Self {
        self.providers.push(Arc::new(provider));
        self
    }

    /// The names of the secrets that a JSON input uses, with braces or without, each once.
    ///
    /// # Errors
    /// A malformed reference.
    pub fn names(input: &str) -> Result<Vec<String>, ExpandError> {
        let found = names(input, Forms::Both)?;
        Ok(found.into_iter().map(|found| found.name).collect())
    }

    /// The provider of each secret that an input uses.
    ///
    /// # Errors
    /// A malformed reference.
    pub async fn uses(&self, input: &str) -> Result<Vec<SecretUse>, ExpandError> {
        let mut uses = Vec::new();
        for Found { name, field, bare, .. } in names(input, self.forms)? {
            let found = self.find(&name, &field, bare).await;
            uses.push(SecretUse {
                short: found.as_ref().is_ok_and(|(secret, _)| secret.is_short()),
                found: found.map(|(_, place)| place),
                name,
                field,
            });
        }
        Ok(uses)
    }

    /// Inserts the values, each as JSON text; a value is not expanded again. Every other byte of the input stays unchanged.
    ///
    /// A text `body` that contains a JSON object or array is treated as JSON, so that a value cannot escape its string. An input that is
    /// not a JSON object stays unchanged: the component reports the error.
    ///
    /// # Errors
    /// A malformed reference, or a secret that is not available.
    pub async fn expand(&self, input: &str) -> Result<Expanded, ExpandError> {
        self.expand_within(input, usize::MAX).await
    }

    /// The same, but refuses to create an input larger than this.
    pub(crate) async fn expand_within(&self, input: &str, most: usize) -> Result<Expanded, ExpandError> {
        let mut values = BTreeMap::new();
        let (mut mask, mut short) = (Mask::default(), Vec::new());
        let mut size = input.len();
        let mut fields = Vec::new();
        for Found {
            name,
            field,
            times,
            all,
            bare,
        } in names(input, self.forms)?
        {
            let in_url = all.iter().any(|field| URLS.contains(&field.as_str()));
            let in_scopes = all.iter().any(|field| field == SCOPES);
            fields.extend(all.into_iter().map(|field| (field, name.clone())));
            let (secret, _) = self.find(&name, &field, bare).await?;
            size = size.saturating_add(secret.expose().len().saturating_mul(times));
            if size > most {
                return Err(ExpandError::TooLarge { size, most });
            }
            mask.add(secret.expose());
            if in_url {
                add_url(&mut mask, secret.expose());
            }
            if in_scopes {
                add_scopes(&mut mask, secret.expose());
            }
            if secret.is_short() {
                short.push(name.clone());
            }
            values.insert(name, secret);
        }
        let value = |name: &str| values.get(name).map_or("", Secret::expose);
        let checked = Some(input).filter(|_| !values.is_empty()).and_then(Document::of);
        Ok(Expanded {
            json: checked.map_or_else(
                || Zeroizing::new(input.to_owned()),
                |input| replaced(input, false, self.forms, &value),
            ),
            mask,
            short,
            fields,
        })
    }

    async fn find(&self, name: &str, field: &str, bare: bool) -> Result<(Secret, String), ExpandError> {
        for provider in &self.providers {
            let found = provider.get(name).await.map_err(|error| ExpandError::Provider {
                name: name.to_owned(),
                field: field.to_owned(),
                kind: provider.kind(),
                error,
            })?;
            let Some(secret) = found else { continue };
            let place = provider.place(name);
            if secret.expose().is_empty() {
                return Err(ExpandError::Empty {
                    name: name.to_owned(),
                    field: field.to_owned(),
                    kind: provider.kind(),
                    place,
                });
            }
            return Ok((secret, place));
        }
        Err(ExpandError::Missing {
            name: name.to_owned(),
            field: field.to_owned(),
            kinds: self.providers.iter().map(|provider| provider.kind()).collect(),
            places: self.providers.iter().map(|provider| provider.place(name)).collect(),
            bare,
        })
    }
}

/// The fields whose values are URLs or paths with a query.
const URLS: [&str; 2] = ["restApiTriggerPath", "authentication.oauthTokenEndpoint"];

/// The field whose value is sent with one space where it has white space.
const SCOPES: &str = "authentication.scopes";

fn add_scopes(mask: &mut Mask, scopes: &str) {
    let mut sent = Zeroizing::new(String::with_capacity(scopes.len()));
    for scope in scopes.split_whitespace() {
        if !sent.is_empty() {
            sent.push(' ');
        }
        sent.push_str(scope);
    }
    mask.add(&sent);
}

/// The parts of a URL that stand apart in messages: the request log has no query, and writes the origin in its own way.
fn add_url(mask: &mut Mask, url: &str) {
    let after_scheme = url.split_once("://").map(|(_, rest)| rest);
    let path = match after_scheme {
        Some(rest) => rest.find(['/', '?']).and_then(|at| rest.get(at..)).unwrap_or_default(),
        None => url,
    };
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    mask.add(path);
    mask.add(query);
}

fn is_field(scalar: &Scalar) -> bool {
    fields::INPUT.contains(&&*scalar.field())
}

/// Whether a JSON text can hold a reference, which an escape may hide.
fn may_refer(json: &str) -> bool {
    json.contains("secrets.") || json.contains("{{") || json.contains('\\')
}

/// A name, the first field that refers to it, and how often it is referred to.
struct Found {
    name: String,
    field: String,
    times: usize,
    /// Every field that refers to it: members of `authentication` one by one, any other as a whole.
    all: Vec<String>,
    /// No reference to it has braces.
    bare: bool,
}

/// The field that a refusal would name: a known member of `authentication` by itself, any other field as a whole.
fn place_of(scalar: &Scalar) -> String {
    let field = scalar.field();
    match scalar.member() {
        Some(member) if field == "authentication" && fields::AUTHENTICATION.contains(&&*member) => {
            format!("{field}.{member}")
        }
        _ => field.into_owned(),
    }
}

/// All of them, in the order of their first.
fn names(input: &str, forms: Forms) -> Result<Vec<Found>, ExpandError> {
    let mut found: Vec<Found> = Vec::new();
    let Some(input) = Some(input).filter(|input| may_refer(input)).and_then(Document::of) else {
        return Ok(found);
    };
    let mut add = |text: &str, scalar: &Scalar| {
        // Made once for a text of many references: a member's name may be as large as the input.
        let (path, mut place) = (|| scalar.path(), None);
        for Reference { name, bare, .. } in references(text, forms).map_err(|_| ExpandError::Unfinished(path()))? {
            let place = place.get_or_insert_with(|| place_of(scalar));
            if let Some(known) = found.iter_mut().find(|found| found.name == name) {
                known.times += 1;
                known.bare &= bare;
                if !known.all.contains(place) {
                    known.all.push(place.clone());
                }
                continue;
            }
            if found.len() >= MOST_NAMES || name.len() > LONGEST_NAME {
                return Err(ExpandError::TooMany(path()));
            }
            found.push(Found {
                name: name.to_owned(),
                field: path(),
                times: 1,
                all: vec![place.clone()],
                bare,
            });
        }
        Ok(())
    };
    for scalar in input.scalars().filter(is_field) {
        let path = || scalar.path();
        let Some(text) = decoded(&scalar).map_err(|_| ExpandError::Unfinished(path()))? else {
            continue;
        };
        match inner(&scalar, &text) {
            None => add(&text, &scalar)?,
            Some(inner) => {
                for within in inner.scalars() {
                    if let Some(text) = decoded(&within).map_err(|_| ExpandError::Unfinished(path()))? {
                        add(&text, &scalar)?;
                    }
                }
            }
        }
    }
    Ok(found)
}

/// None for what is no text, and, quickly, for a text that cannot hold a reference.
///
/// # Errors
/// A text that may hold one, and that is none: it has half of a surrogate pair.
fn decoded(scalar: &Scalar) -> Result<Option<Zeroizing<String>>, Undecodable> {
    if !scalar.is_text() || !may_refer(scalar.raw()) {
        return Ok(None);
    }
    match scalar.text() {
        Some(text) => Ok(Some(text)),
        None if scalar.raw().contains("secret") => Err(Undecodable),
        None => Ok(None),
    }
}

struct Undecodable;

/// A body that is JSON within a text.
fn inner<'a>(scalar: &Scalar, text: &'a str) -> Option<Document<'a>> {
    (scalar.is_member() && scalar.field() == "body").then(|| Document::of(text))?
}

/// `json` with the references replaced. Of the input itself only the connector's fields are looked at, and a body that is JSON within a text
/// is looked into; `within` that, a text that is JSON again is a text.
fn replaced<'v>(json: Document, within: bool, forms: Forms, value: &impl Fn(&str) -> &'v str) -> Zeroizing<String> {
    let mut literals = Vec::new();
    for scalar in json.scalars().filter(|scalar| within || is_field(scalar)) {
        let Ok(Some(text)) = decoded(&scalar) else { continue };
        let filled = match inner(&scalar, &text).filter(|_| !within) {
            Some(inner) => replaced(inner, true, forms, value),
            None => filled(&text, forms, value),
        };
        if *filled != *text {
            literals.push((scalar.range, Zeroizing::new(quote(&filled))));
        }
    }
    spliced(json.json(), &literals)
}

fn filled<'v>(text: &str, forms: Forms, value: &impl Fn(&str) -> &'v str) -> Zeroizing<String> {
    let references = references(text, forms).unwrap_or_default();
    let pieces: Vec<_> = references
        .into_iter()
        .map(|found| (found.range, value(found.name)))
        .collect();
    spliced(text, &pieces)
}

#[cfg(test)]
mod tests;
