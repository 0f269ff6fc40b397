//! What must not be shown: the secrets that were put into an input, and the credentials that stand in it.

use flow_starter_host::{Mask, Secrets};
use serde_json::Value;

/// The members of `authentication` that are credentials, and who they go with in a basic header.
const CREDENTIALS: [(&str, &str); 4] = [
    ("password", "username"),
    ("clientSecret", "clientId"),
    ("token", ""),
    ("value", ""),
];

/// Headers that are credentials, whoever set them.
const CREDENTIAL_HEADERS: [&str; 5] = [
    "authorization",
    "proxy-authorization",
    "cookie",
    "x-sn-apikey",
    "x-usertoken",
];

/// What masks an input's credentials.
pub(crate) async fn mask(secrets: &Secrets, input: &str) -> Mask {
    match secrets.expand(input).await {
        Ok(expanded) => {
            let mut mask = expanded.mask().clone();
            add_own(&mut mask, expanded.json());
            mask
        }
        // Then it is refused, and what stands in it is all there is to mask.
        Err(_) => {
            let mut mask = Mask::default();
            add_own(&mut mask, input);
            mask
        }
    }
}

fn add_own(mask: &mut Mask, input: &str) {
    let Ok(input) = serde_json::from_str::<Value>(input) else {
        return;
    };
    if let Some(authentication) = input.get("authentication") {
        for (credential, with) in CREDENTIALS {
            if let Some(secret) = authentication.get(credential).and_then(Value::as_str) {
                mask.add(secret);
                if let Some(user) = authentication.get(with).and_then(Value::as_str) {
                    mask.add_pair(user, secret);
                }
            }
        }
    }
    for (name, value) in input.get("headers").and_then(Value::as_object).into_iter().flatten() {
        if CREDENTIAL_HEADERS.iter().any(|known| name.eq_ignore_ascii_case(known)) {
            for value in value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice) {
                let value = value.as_str().unwrap_or_default();
                mask.add(value);
                // `Bearer …`: the part after the scheme is the secret.
                mask.add(value.split_once(' ').map_or("", |(_, credential)| credential));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_an_input_is_masked_in_every_form() {
        let mut mask = Mask::default();
        add_own(
            &mut mask,
            r#"{"authentication":{"type":"basic","username":"u","password":"pass/word"},
                "headers":{"Cookie":["one-session","two-session"],"AUTHORIZATION":"Bearer the-token","hello":"world"}}"#,
        );
        for shown in [
            "pass/word",
            "pass%2Fword",
            "dTpwYXNzL3dvcmQ=",
            "one-session",
            "two-session",
            "the-token",
        ] {
            assert_eq!(mask.text(shown.to_owned()), "***");
        }
        assert!(mask.is_clean("world"));
    }
}
