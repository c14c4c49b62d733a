//! What is written twice and must not be.

use crate::config::diagnostic::{Code, Diagnostic, Place};

/// A value written a second time where it must be unique.
pub(super) fn duplicate(code: Code, message: String, again: Option<Place>, first: Option<Place>) -> Diagnostic {
    let (again, first) = match (again, first) {
        // Tables come in name order, so the second of two may be written first.
        (Some(again), Some(first)) if again < first => (Some(first), Some(again)),
        other => other,
    };
    Diagnostic::error(code, message).at(again, "here again").at(first, "first here")
}
