//! A JSON object's members as the text that they are. Reading and writing them again would change what nobody asked to change: a large number's
//! digits, an order, a name that stands there twice and that the component must see twice.

use serde::de::IgnoredAny;
use serde_json::Value;

/// An object's members in order: a name, and its value's own text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Members(Vec<(String, String)>);

impl Members {
    /// Of a text that is a JSON object; none of any other.
    pub(super) fn of(text: &str) -> Option<Self> {
        // Unlike a `Value`, it takes a number of any size, as the component does.
        let _checked: IgnoredAny = serde_json::from_str(text).ok()?;
        // It is whole JSON: all that is left is to see where its own commas and colons are.
        let inside = text.trim().strip_prefix('{')?.strip_suffix('}')?;
        let mut members = Vec::new();
        for member in parts(inside, ',') {
            let Some(colon) = parts(member, ':').next().map(str::len) else {
                continue;
            };
            let (name, value) = member.split_at_checked(colon)?;
            let name: String = match name.trim() {
                "" => continue,
                name => serde_json::from_str(name).ok()?,
            };
            members.push((name, value.strip_prefix(':')?.trim().to_owned()));
        }
        Some(Self(members))
    }

    /// Their names.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// The first value of that name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let mut found = self.0.iter().filter(|(known, _)| known == name);
        found.next().map(|(_, value)| value.as_str())
    }

    /// The value alone of that name from now on.
    pub(super) fn set(&mut self, name: &str, value: String) {
        self.0.retain(|(known, _)| known != name);
        self.0.push((name.to_owned(), value));
    }

    /// Without those whose name is the same but for its letters' case.
    pub(super) fn remove_ignoring_case(&mut self, name: &str) {
        self.0.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    }

    pub(super) fn to_json(&self) -> String {
        let members = self.0.iter().map(|(name, value)| format!("{}:{value}", quoted(name)));
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    }
}

/// A text as JSON.
pub(super) fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// What stands between the separators that are in no text, list or object.
fn parts(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    text.split(move |c| {
        if in_text {
            in_text = escaped || c != '"';
            escaped = c == '\\' && !escaped;
            return false;
        }
        match c {
            '"' => in_text = true,
            '{' | '[' => depth += 1,
            '}' | ']' => depth = depth.saturating_sub(1),
            _ => return c == separator && depth == 0,
        }
        false
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_set_stays_as_it_was_written() {
        let mut members = Members::of(
            r#" { "a" : 12345678901234567890123 , "t,w\"o:" : {"x": [1, 2], "y": "},{"}, "a": 1.0e400, "e\u0301\\": "" } "#,
        )
        .unwrap_or_default();
        assert_eq!(
            members.to_json(),
            "{\"a\":12345678901234567890123,\"t,w\\\"o:\":{\"x\": [1, 2], \"y\": \"},{\"},\"a\":1.0e400,\"e\u{301}\\\\\":\"\"}"
        );
        members.set("a", "true".to_owned());
        assert_eq!(members.get("a"), Some("true"));
        assert_eq!(members.to_json().matches("\"a\"").count(), 1);
    }

    #[test]
    fn an_object_without_members_has_none() {
        for text in ["{}", " { } "] {
            assert_eq!(Members::of(text), Some(Members::default()));
        }
        for text in ["[]", "\"{}\"", "{", "{\"a\":1,}", "null"] {
            assert!(Members::of(text).is_none(), "{text}");
        }
    }
}
