//! `meridian schema`: what a config may hold, for editors as JSON Schema and for people as a reference page.

use crate::config;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// JSON Schema, draft 2020-12; committed as `config/meridian.schema.json`.
    JsonSchema,
    /// Markdown; committed as `config/reference.md`.
    Reference,
}

/// The text to print.
pub(super) fn run(form: Form) -> String {
    match form {
        Form::JsonSchema => config::schema(),
        Form::Reference => config::reference(),
    }
}
