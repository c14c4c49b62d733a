//! One mistake: what, how bad, where, and what would help.

use super::{Code, FileId, Place};

/// Whether a config with it can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// It cannot.
    Error,
    /// It can, but somebody probably meant something else.
    Warning,
}

impl Severity {
    /// The word before the code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One mistake.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// Its kind.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong: one line, lower case, backticks round what was written.
    pub message: String,
    /// What would help.
    pub hint: Option<String>,
    /// Where it is, the first of them above all; empty where it is not in a text.
    pub(super) labels: Vec<Label>,
    /// The file it is about, where no line of it is.
    pub(super) file: Option<FileId>,
}

/// A place that belongs to a mistake, and what is to be said there.
#[derive(Clone, Debug)]
pub(super) struct Label {
    pub(super) place: Place,
    pub(super) text: String,
}

impl Diagnostic {
    /// A mistake that makes the config unusable.
    pub(crate) fn error(code: Code, message: impl Into<String>) -> Self {
        let (message, labels) = (message.into(), Vec::new());
        Self { code, severity: Severity::Error, message, hint: None, labels, file: None }
    }

    /// A mistake that one can live with.
    pub(crate) fn warning(code: Code, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message) }
    }

    /// Adds a place; the first one added is the place of the mistake itself. Defaults and flags have none.
    pub(crate) fn at(mut self, place: impl Into<Option<Place>>, text: impl Into<String>) -> Self {
        if let Some(place) = place.into() {
            self.labels.push(Label { place, text: text.into() });
        }
        self
    }

    /// Names the file of a mistake that is on no line of it.
    pub(crate) fn in_file(mut self, file: FileId) -> Self {
        self.file = Some(file);
        self
    }

    /// Adds what would help.
    pub(crate) fn hint(mut self, hint: impl Into<Option<String>>) -> Self {
        self.hint = hint.into();
        self
    }
}
