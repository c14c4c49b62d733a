//! What a section's definition says of itself: the source of the JSON Schema and of the reference page.

use super::{scalar::Kind, section::Section, sections::Document};

/// What may stand in a place.
#[derive(Debug)]
pub(crate) enum Shape {
    /// One value.
    Scalar(Kind),
    /// Several, in order.
    List(Box<Self>),
    /// Several, each under a name that the operator chooses; the word stands for it in paths.
    Named(&'static str, Box<Self>),
    /// What the shape inside says, or the word `none`.
    OrNone(Box<Self>),
    /// A table of known keys.
    Section(SectionShape),
}

/// A table of known keys.
#[derive(Debug)]
pub(crate) struct SectionShape {
    /// Its name among all sections.
    pub(crate) name: &'static str,
    /// What it is, in a sentence or a few.
    pub(crate) doc: &'static str,
    /// Whether its keys exclude each other.
    pub(crate) is_choice: bool,
    /// In the order in which they are best read.
    pub(crate) keys: Vec<KeyShape>,
}

/// One key.
#[derive(Debug)]
pub(crate) struct KeyShape {
    pub(crate) key: &'static str,
    /// What it means.
    pub(crate) doc: &'static str,
    pub(crate) shape: Shape,
    pub(crate) fallback: Fallback,
    /// Smallest and largest, as they would be written.
    pub(crate) limits: Option<(&'static str, &'static str)>,
}

/// What holds where a key is not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fallback {
    /// It has to be.
    Required,
    /// What the sentence says.
    Explained(&'static str),
    /// This value, as TOML.
    Value(&'static str),
}

/// What a whole config looks like.
pub(crate) fn document_shape() -> SectionShape {
    Document::section_shape()
}
