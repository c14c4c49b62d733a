//! Mistakes for people: message, the lines with what is wrong underlined, and the hint on a line of its own.

use std::ops::Range;

use annotate_snippets::{
    Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet, normalize_untrusted_str,
    renderer::DEFAULT_TERM_WIDTH,
};

use super::{
    Diagnostic, Severity,
    mistake::Label,
    source::{Source, Sources},
};

/// Lines longer than this are not shown, only named.
const MAX_SHOWN: usize = 2_000;

pub(super) fn render(diagnostics: &[Diagnostic], sources: &Sources, colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.term_width(DEFAULT_TERM_WIDTH);
    let mut text = String::new();
    for (at, one) in diagnostics.iter().enumerate() {
        if at > 0 {
            text.push('\n');
        }
        let (mistake, hint) = (mistake(one, sources), one.hint.as_deref().map(hint));
        match hint {
            // Below lines of a file the hint belongs to their frame; without them there is none.
            Some(hint) if !one.labels.is_empty() => text.push_str(&renderer.render(&[mistake, hint])),
            Some(hint) => {
                text.push_str(&renderer.render(&[mistake]));
                text.push('\n');
                text.push_str(&renderer.render(&[hint]));
            }
            None => text.push_str(&renderer.render(&[mistake])),
        }
        text.push('\n');
    }
    text
}

fn hint(text: &str) -> Group<'_> {
    Group::with_title(Level::HELP.with_name("hint").secondary_title(normalize_untrusted_str(text)))
}

fn mistake<'a>(one: &'a Diagnostic, sources: &'a Sources) -> Group<'a> {
    let level = match one.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = Group::with_title(level.primary_title(&one.message).id(one.code.as_str()));
    if let Some(file) = one.file {
        group = group.element(Origin::path(&sources.of(file).name));
    }
    let mut labels = one.labels.iter().peekable();
    let mut kind = AnnotationKind::Primary;
    while let Some(label) = labels.next() {
        let source = sources.of(label.place.file);
        let mut together = vec![(kind, label)];
        kind = AnnotationKind::Context;
        let mut lines = lines_of(source, label);
        while let Some(next) = labels.next_if(|next| next.place.file == label.place.file) {
            let more = lines_of(source, next);
            let both = lines.start.min(more.start)..lines.end.max(more.end);
            if both.len() > MAX_SHOWN {
                group = add(group, source, lines, &together);
                together.clear();
                lines = more;
            } else {
                lines = both;
            }
            together.push((kind, next));
        }
        group = add(group, source, lines, &together);
    }
    group
}

/// The bytes of the lines that a label is on.
fn lines_of(source: &Source, label: &Label) -> Range<usize> {
    let span = source.span(label.place);
    let first = source.line_span(source.line_of(span.start));
    let last = source.line_span(source.line_of(span.end));
    first.start..last.end.max(span.end)
}

/// Adds the lines with their labels; where they are too long, only says which.
fn add<'a>(
    group: Group<'a>,
    source: &'a Source,
    lines: Range<usize>,
    labels: &[(AnnotationKind, &'a Label)],
) -> Group<'a> {
    if lines.len() > MAX_SHOWN {
        return labels.iter().fold(group, |group, (_, label)| {
            let (line, column) = source.line_and_column(source.span(label.place).start);
            group.element(Origin::path(&source.name).line(line).char_column(column))
        });
    }
    let annotations = labels.iter().map(|(kind, label)| -> Annotation<'a> {
        let span = source.span(label.place);
        let annotation = kind.span(span.start - lines.start..span.end - lines.start);
        if label.text.is_empty() { annotation } else { annotation.label(&label.text) }
    });
    let snippet = Snippet::source(&source.text[lines.clone()])
        .path(&source.name)
        .line_start(source.line_of(lines.start) + 1)
        .annotations(annotations);
    group.element(snippet)
}
