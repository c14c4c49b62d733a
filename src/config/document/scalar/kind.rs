//! What all single values have in common: what they are called, how they are read, what is wrong with them.

use crate::config::document::tree::Value;

/// What one value is and looks like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    /// With its article: "a duration".
    pub(crate) what: &'static str,
    /// One, as TOML.
    pub(crate) example: &'static str,
    pub(crate) json: Json,
}

/// How JSON Schema would say it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Json {
    Text,
    /// A text of this form.
    Pattern(&'static str),
    /// One of these texts.
    Choice(&'static [&'static str]),
    Integer,
    Number,
    Boolean,
    /// One of these numbers.
    OneOf(&'static [u16]),
    /// Either a text of this form or an integer.
    PatternOrInteger(&'static str),
    /// Either a text or a list of texts.
    TextOrTexts,
}

/// Why a value cannot be read.
#[derive(Debug)]
pub(crate) enum Misread {
    /// Another type is expected.
    WrongType,
    /// It is smaller or larger than its type can hold, so outside any limits.
    OutOfRange,
    /// The type is right.
    Bad {
        /// "`x` cannot be `y`: " goes before it.
        why: String,
        hint: Option<String>,
    },
}

impl Misread {
    pub(super) fn bad(why: impl Into<String>) -> Self {
        Self::Bad { why: why.into(), hint: None }
    }

    pub(super) fn hint(self, text: impl Into<String>) -> Self {
        match self {
            Self::Bad { why, .. } => Self::Bad { why, hint: Some(text.into()) },
            other => other,
        }
    }
}

/// One value.
pub(crate) trait Scalar: Clone + Send + Sync + Sized + 'static {
    /// What it is and looks like.
    const KIND: Kind;

    /// Reads it.
    fn read(value: &Value) -> Result<Self, Misread>;

    /// Whether it lies between two others, given as they would be written.
    fn is_within(&self, _low: &str, _high: &str) -> bool {
        true
    }

    /// What would help somebody who wrote a value of another type.
    fn hint(value: &Value) -> Option<String> {
        match (value, Self::KIND.json) {
            (Value::Integer(number), Json::Text) => Some(format!("put it in quotes: `\"{number}\"`")),
            (Value::Text(text), Json::Integer | Json::Number) if text.parse::<f64>().is_ok() => {
                Some(format!("without quotes: `{text}`"))
            }
            (Value::List(_), _) => Some("write one value, without brackets".to_owned()),
            _ => None,
        }
    }
}

/// The text of a value that has to be one.
pub(super) fn text_of(value: &Value) -> Result<&str, Misread> {
    match value {
        Value::Text(text) => Ok(text),
        _ => Err(Misread::WrongType),
    }
}
