//! Mistakes for editors and CI. The shape is kept stable: keys are added, never renamed or removed.

use serde::Serialize;

use super::{Diagnostic, Place, source::Sources};

#[derive(Serialize)]
struct Mistake<'a> {
    severity: &'static str,
    code: &'static str,
    message: &'a str,
    hint: Option<&'a str>,
    file: Option<&'a str>,
    line: Option<usize>,
    column: Option<usize>,
    end_line: Option<usize>,
    end_column: Option<usize>,
    labels: Vec<At<'a>>,
}

#[derive(Serialize)]
struct At<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    text: &'a str,
}

pub(super) fn render(diagnostics: &[Diagnostic], sources: &Sources) -> String {
    let mistakes: Vec<_> = diagnostics.iter().map(|one| mistake(one, sources)).collect();
    // Only a map with keys that are no text could fail here, and there is none.
    let mut json = serde_json::to_string_pretty(&mistakes).unwrap_or_default();
    json.push('\n');
    json
}

fn mistake<'a>(one: &'a Diagnostic, sources: &'a Sources) -> Mistake<'a> {
    let labels: Vec<_> = one.labels.iter().map(|label| at(label.place, &label.text, sources)).collect();
    let first = labels.first();
    Mistake {
        severity: one.severity.as_str(),
        code: one.code.as_str(),
        message: &one.message,
        hint: one.hint.as_deref(),
        file: first.map(|at| at.file).or_else(|| one.file.map(|file| sources.of(file).name.as_str())),
        line: first.map(|at| at.line),
        column: first.map(|at| at.column),
        end_line: first.map(|at| at.end_line),
        end_column: first.map(|at| at.end_column),
        labels,
    }
}

fn at<'a>(place: Place, text: &'a str, sources: &'a Sources) -> At<'a> {
    let source = sources.of(place.file);
    let span = source.span(place);
    let (line, column) = source.line_and_column(span.start);
    let (end_line, end_column) = source.line_and_column(span.end);
    At { file: &source.name, line, column, end_line, end_column, text }
}
