//! A JSON object's members as raw text. Parsing and rewriting them would change large numbers, the order, and duplicate names that the
//! component must see.

use flow_starter_input::json::{self, Json};

/// An object's members in order: name and raw value.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Members(Vec<(String, String)>);

impl Members {
    /// Parses a JSON object; `None` for any other text.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let Json::Object(members) = Json::of(json::parse(text).ok()?)? else {
            return None;
        };
        let members = members
            .into_iter()
            .map(|(name, value)| (name.into_owned(), value.get().to_owned()));
        Some(Self(members.collect()))
    }

    /// Their names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// The first value of that name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let mut found = self.0.iter().filter(|(known, _)| known == name);
        found.next().map(|(_, value)| value.as_str())
    }

    /// Sets a member and removes all others of that name.
    pub(crate) fn set(&mut self, name: &str, value: String) {
        self.0.retain(|(known, _)| known != name);
        self.0.push((name.to_owned(), value));
    }

    /// Removes all members of that name.
    pub(crate) fn remove(&mut self, name: &str) {
        self.0.retain(|(known, _)| known != name);
    }

    /// Keeps only members of these names.
    pub(crate) fn retain(&mut self, names: &[&str]) {
        self.0.retain(|(known, _)| names.contains(&known.as_str()));
    }

    /// Removes all members of that name, in any letter case.
    pub(crate) fn remove_ignoring_case(&mut self, name: &str) {
        self.0.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    }

    pub(crate) fn to_json(&self) -> String {
        let members = self
            .0
            .iter()
            .map(|(name, value)| format!("{}:{value}", json::quote(name)));
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_that_are_not_set_stay_unchanged() {
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
