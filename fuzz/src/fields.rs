//! The JSON door's input written as lines, so that nearly every mutation is still an input: libFuzzer seldom keeps JSON whole.
//!
//! ```text
//! snInstance=acme
//! headers.x-trace=1
//! authentication.type=basic
//! body={"a":1}
//! ```

use serde_json::{Map, Value};

/// The input that the bytes stand for: themselves where they begin as JSON, else the object that the lines make.
pub fn input(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    if text.trim_start().starts_with(['{', '[', '"']) {
        return text.into_owned();
    }
    let mut root = Map::new();
    for line in text.split('\n') {
        let (name, value) = line.split_once('=').unwrap_or((line, ""));
        // A value is the JSON that it is, which is how a line break or a list gets in; everything else is text.
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
        match name.split_once('.') {
            Some((object, member)) => {
                let object = root.entry(object).or_insert_with(|| Value::Object(Map::new()));
                if let Value::Object(members) = object {
                    members.insert(member.to_owned(), value);
                }
            }
            None => {
                root.insert(name.to_owned(), value);
            }
        }
    }
    Value::Object(root).to_string()
}
