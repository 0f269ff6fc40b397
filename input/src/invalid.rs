//! Why an input is refused.

/// A field of the input that cannot be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Invalid {
    /// The field by its name in the template's JSON: `snInstance`, `authentication.password`. Empty for the input as a whole.
    pub field: &'static str,
    /// For a person: which field, what is wrong, an example of right. It may quote the field's value.
    pub sentence: String,
    /// The same without anything of the value, where `sentence` quotes it.
    unquoted: Option<&'static str>,
}

impl Invalid {
    /// A sentence that quotes nothing of the input's values.
    pub(crate) fn refuse<T>(field: &'static str, sentence: impl Into<String>) -> Result<T, Self> {
        Err(Self::of(field, sentence.into()))
    }

    /// The same as a value.
    pub(crate) fn of(field: &'static str, sentence: String) -> Self {
        Self {
            field,
            sentence,
            unquoted: None,
        }
    }

    /// A sentence that quotes some of the value, and one that does not.
    pub(crate) fn quoting<T>(field: &'static str, sentence: String, unquoted: &'static str) -> Result<T, Self> {
        Err(Self {
            field,
            sentence,
            unquoted: Some(unquoted),
        })
    }

    /// The sentence to show where the value comes from a secret: it quotes nothing of the value.
    pub fn without_value(&self) -> &str {
        self.unquoted.unwrap_or(&self.sentence)
    }
}
