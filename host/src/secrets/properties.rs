//! What holds for every input, every value and every way of writing it.

use flow_starter_input::Mask;
use futures_util::FutureExt;
use percent_encoding::percent_encode_byte;
use proptest::prelude::*;
use serde_json::{Map, Value};

use super::expand::Secrets;
use super::provider::{Providing, SecretProvider};
use super::secret::Secret;

/// The secret `A`.
#[derive(Debug)]
struct One(String);

impl SecretProvider for One {
    fn get<'a>(&'a self, name: &'a str) -> Providing<'a> {
        let value = (name == "A").then(|| Secret::new(&self.0));
        Box::pin(std::future::ready(Ok(value)))
    }

    fn place(&self, name: &str) -> String {
        name.to_owned()
    }
}

const REFERENCE: &str = "{{secrets.A}}";

fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![3 => any::<String>(), 2 => Just(REFERENCE.to_owned()), 1 => "[\"\\\\/{}%&+ ]{0,6}"];
    prop::collection::vec(piece, 0..4).prop_map(|pieces| {
        pieces
            .concat()
            .replace("secrets.", "secrets!")
            .replace("{{secrets!A}}", REFERENCE)
    })
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        text().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z\"\\\\]{0,4}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn expected(value: &Value, secret: &str) -> Value {
    match value {
        Value::String(text) => text.replace(REFERENCE, secret).into(),
        Value::Array(items) => items.iter().map(|item| expected(item, secret)).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), expected(value, secret)))
            .collect::<Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

proptest! {
    #[test]
    fn an_expanded_input_differs_in_its_references_alone(value in json(), secret in any::<String>()) {
        prop_assume!(!secret.is_empty());
        let secrets = Secrets::none().with(One(secret.clone()));
        for field in ["headers", "queryParameters", "authentication"] {
            let input = serde_json::json!({ field: value.clone(), "other": value.clone() });
            let expanded = secrets.expand(&input.to_string()).now_or_never().unwrap().unwrap();
            let output: Value = serde_json::from_str(expanded.json()).unwrap();
            prop_assert_eq!(&output[field], &expected(&value, &secret));
            prop_assert_eq!(&output["other"], &value);
        }
    }

    #[test]
    fn a_secret_is_found_however_it_is_written(
        secret in "\\PC{4,20}", before in "\\PC{0,5}", after in "\\PC{0,5}", how in prop::collection::vec(0..2u8, 20), way in 0..4u8,
    ) {
        prop_assume!(!secret.contains('*'));
        let mut mask = Mask::default();
        mask.add(&secret);
        let written: String = secret.chars().zip(how.iter().cycle()).map(|(c, how)| match (way, how) {
            (0, _) => c.to_string(),
            // A character that the reader would take for the beginning of an escape is escaped.
            (1, how) if *how == 1 || c == '%' || c == '+' => c.to_string().bytes().map(percent_encode_byte).collect(),
            (2, how) if *how == 1 || c == '\\' => c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect(),
            (3, how) if *how == 1 || c == '&' => format!("&#x{:x};", u32::from(c)),
            _ => c.to_string(),
        }).collect();
        // What stands before it is no part of an escape of its own.
        let clean = |text: &str| text.replace(['%', '\\', '&', '+'], "-");
        let masked = mask.text(format!("{}{written}{}", clean(&before), clean(&after)));
        prop_assert!(masked.contains("***") && !masked.contains(&written), "{}", masked);
        prop_assert_eq!(mask.text(masked.clone()), masked);
    }
}
