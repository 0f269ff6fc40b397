//! Why an input is refused.

/// An invalid field of the input.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Invalid {
    /// The field's name in the template's JSON: `snInstance`, `authentication.password`. Empty for the whole input.
    pub field: &'static str,
    /// For people: the field, what is wrong, and a valid example. It may quote the value.
    pub sentence: String,
    /// The same without the value, if `sentence` quotes it.
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

    /// The sentence for a value that comes from a secret: it does not quote the value.
    pub fn without_value(&self) -> &str {
        self.unquoted.unwrap_or(&self.sentence)
    }
}
