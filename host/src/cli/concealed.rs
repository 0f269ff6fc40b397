//! What must not be shown: the secrets that are put into an input, and the credentials that stand in it.

use flow_starter_host::{Mask, Secrets};

/// What masks an input's credentials.
pub(crate) async fn mask(secrets: &Secrets, input: &str) -> Mask {
    match secrets.expand(input).await {
        Ok(expanded) => {
            let mut mask = Mask::of_json(expanded.json());
            mask.add_all(expanded.mask());
            mask
        }
        // Then it is refused, and what stands in it is all there is to mask.
        Err(_) => Mask::of_json(input),
    }
}
