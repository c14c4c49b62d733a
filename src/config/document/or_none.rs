//! What can be switched off by the word `none` in its place.

use super::{
    decode::{Decode, Purpose, shortened},
    describe::Shape,
    tree::{Node, Value},
};
use crate::config::diagnostic::{Code, Diagnostic, Diagnostics};

/// The word.
pub(crate) const NONE: &str = "none";

/// A table, or nothing where `none` stands in its place.
#[derive(Clone, Debug)]
pub(crate) struct OrNone<T>(pub(crate) Option<T>);

impl<T: Decode> Decode for OrNone<T> {
    const CALLED: &'static str = T::CALLED;

    fn shape() -> Shape {
        Shape::OrNone(Box::new(T::shape()))
    }

    fn decode(node: &Node, purpose: Purpose<'_>, problems: &mut Diagnostics) -> Option<Self> {
        match &node.value {
            Value::Text(word) if word == NONE => Some(Self(None)),
            Value::Text(word) => {
                let message = format!("`{}` cannot be `{}`", purpose.key, shortened(word));
                let error = Diagnostic::error(Code::BadValue, message).at(node.place, "expected a table, or `none`");
                problems.push(error);
                None
            }
            _ => T::decode(node, purpose, problems).map(|value| Self(Some(value))),
        }
    }
}
