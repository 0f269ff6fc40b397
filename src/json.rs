//! JSON read one level at a time.
//!
//! A value is kept as the text it came in ([`RawValue`]) until somebody asks what it is, so that a body goes out with its key order, its
//! large integers and its decimals unchanged, and no number is ever turned into a float.

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// One JSON value, its members and items still unread.
pub enum Json<'a> {
    Null,
    Bool(&'a str),
    Number(&'a str),
    Text(String),
    List(Vec<&'a RawValue>),
    Object(Vec<(String, &'a RawValue)>),
}

/// The text is no JSON; where it stops being so. serde_json's own message is left behind: it can quote the input, and so a credential.
pub struct NotJson {
    pub line: usize,
    pub column: usize,
}

impl From<serde_json::Error> for NotJson {
    fn from(error: serde_json::Error) -> Self {
        Self { line: error.line(), column: error.column() }
    }
}

/// The whole text as one JSON value.
pub fn parse(text: &str) -> Result<&RawValue, NotJson> {
    Ok(serde_json::from_str(text)?)
}

impl<'a> Json<'a> {
    /// What `raw` is. Fails only for text that is no Unicode (a lone surrogate).
    pub fn of(raw: &'a RawValue) -> Result<Self, NotJson> {
        let text = raw.get();
        Ok(match text.bytes().next() {
            Some(b'n') => Self::Null,
            Some(b't' | b'f') => Self::Bool(text),
            Some(b'"') => Self::Text(serde_json::from_str(text)?),
            Some(b'[') => Self::List(serde_json::from_str(text)?),
            Some(b'{') => Self::Object(serde_json::from_str::<Members>(text)?.0),
            _ => Self::Number(text),
        })
    }

    /// The member `name`; of several, the last, as JSON readers commonly do.
    pub fn member(&self, name: &str) -> Option<Json<'a>> {
        let Self::Object(members) = self else { return None };
        let (_, raw) = members.iter().rev().find(|(key, _)| key == name)?;
        Self::of(raw).ok()
    }
}

struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

/// `text` as a JSON string, quotes included.
pub fn quote(text: &str) -> String {
    // Writing a string to memory cannot fail.
    serde_json::to_string(text).unwrap_or_default()
}
