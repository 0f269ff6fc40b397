//! What must not be shown: the secrets that are put into an input, and the credentials that stand in it.

use flow_starter_host::{Mask, Secrets};

use crate::terminal::complain;

/// What masks an input's credentials; a secret that nothing can mask is told.
pub(crate) async fn mask(secrets: &Secrets, input: &str) -> Mask {
    match secrets.expand(input).await {
        Ok(expanded) => {
            let mut mask = Mask::of_json(expanded.json());
            mask.add_all(expanded.mask());
            for name in expanded.short() {
                complain(&format!(
                    "the secret {name} has under 4 characters: it is used, and cannot be masked"
                ));
            }
            mask
        }
        // Then it is refused, and what stands in it is all there is to mask.
        Err(_) => Mask::of_json(input),
    }
}
