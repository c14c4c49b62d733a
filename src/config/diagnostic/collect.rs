//! All mistakes of one run, with the texts they are in.

use std::collections::{HashMap, HashSet};

use super::{Code, Diagnostic, FileId, Place, Position, Severity, json, source::Sources, suggest, text};

/// Mistakes kept of one run; what comes after is counted.
const MAX_KEPT: usize = 1000;

/// Names compared in one run to find what was meant: a large config with many mistakes must not take minutes.
const MAX_COMPARED: usize = 500_000;

/// All mistakes of one run, in the order of the files.
#[derive(Debug, Default)]
pub struct Diagnostics {
    sources: Sources,
    kept: Vec<Diagnostic>,
    left_out: usize,
    errors: usize,
    compared: usize,
}

impl Diagnostics {
    /// Whether the config is unusable.
    pub fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// Each mistake.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.kept.iter()
    }

    /// How many are errors and how many warnings.
    pub fn count(&self) -> (usize, usize) {
        let warnings = self.kept.iter().filter(|one| one.severity == Severity::Warning).count();
        (self.errors, warnings)
    }

    /// Where a mistake is; `None` where it is in no file.
    pub fn position(&self, diagnostic: &Diagnostic) -> Option<Position<'_>> {
        if let Some(label) = diagnostic.labels.first() {
            let source = self.sources.of(label.place.file);
            let (line, column) = source.line_and_column(source.span(label.place).start);
            return Some(Position { file: &source.name, line: Some(line), column: Some(column) });
        }
        diagnostic.file.map(|file| Position { file: &self.sources.of(file).name, line: None, column: None })
    }

    /// For people: each mistake with the lines it is on and its hint.
    pub fn render_text(&self, colour: bool) -> String {
        text::render(&self.kept, &self.sources, colour)
    }

    /// For editors and CI: one array, one object per mistake (`config/reference.md` describes it).
    pub fn render_json(&self) -> String {
        json::render(&self.kept, &self.sources)
    }

    pub(crate) fn add_file(&mut self, name: String) -> FileId {
        self.sources.add(name)
    }

    pub(crate) fn put_text(&mut self, file: FileId, text: String) {
        self.sources.put_text(file, text);
    }

    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        self.errors += usize::from(diagnostic.severity == Severity::Error);
        if self.kept.len() < MAX_KEPT {
            self.kept.push(diagnostic);
        } else {
            self.left_out += 1;
        }
    }

    /// The hint that names the candidate nearest to `wrong`.
    pub(crate) fn did_you_mean<'a>(
        &mut self,
        wrong: &str,
        candidates: impl ExactSizeIterator<Item = &'a str>,
    ) -> Option<String> {
        self.compared = self.compared.saturating_add(candidates.len());
        if self.compared > MAX_COMPARED {
            return None;
        }
        suggest::nearest(wrong, candidates).map(|name| format!("did you mean `{name}`?"))
    }

    /// Ends a run: drops what only follows from a mistake already reported, and orders by file and line.
    pub(crate) fn settle(&mut self) {
        self.drop_consequences();
        self.kept.sort_by_key(|one| (one.file.or(one.labels.first().map(|label| label.place.file)), primary(one)));
        if self.left_out > 0 {
            let message = format!("{} more mistakes are not shown", self.left_out);
            self.kept.push(Diagnostic::error(Code::MoreMistakes, message));
            self.left_out = 0;
        }
    }

    /// No line is complained about twice. Where part of a text is not known, nothing is said to be missing, and after a
    /// bracket that is not closed nothing is said to be in the wrong place.
    fn drop_consequences(&mut self) {
        let sources = &self.sources;
        let line =
            |place: Place| (place.file, sources.of(place.file).line_of(sources.of(place.file).span(place).start));
        let is_text_hidden = self.kept.iter().any(|one| one.code.hides_text());
        let mut wrong_lines = HashSet::new();
        let mut broken_from = HashMap::new();
        for one in self.kept.iter().filter(|one| one.code.is_about_text()) {
            let Some(place) = primary(one) else { continue };
            wrong_lines.insert(line(place));
            if one.code == Code::Syntax {
                let from = broken_from.entry(place.file).or_insert(place);
                *from = place.min(*from);
            }
        }
        let mut said = HashSet::new();
        self.kept.retain(|one| {
            let place = primary(one);
            let at = place.map(line);
            if one.code.is_about_text() {
                return at.is_none_or(|at| said.insert(at));
            }
            let is_on_wrong_line = at.is_some_and(|at| wrong_lines.contains(&at));
            let break_before = |place: Place| broken_from.get(&place.file).is_some_and(|from| *from < place);
            let is_consequence = is_on_wrong_line
                || is_text_hidden && one.code.rests_on_absence()
                || place.is_some_and(break_before) && one.code.rests_on_structure();
            !is_consequence
        });
        self.errors = self.left_out + self.kept.iter().filter(|one| one.severity == Severity::Error).count();
    }
}

fn primary(diagnostic: &Diagnostic) -> Option<Place> {
    diagnostic.labels.first().map(|label| label.place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_to_show_is_counted() {
        let mut diagnostics = Diagnostics::default();
        for number in 0..MAX_KEPT + 7 {
            diagnostics.push(Diagnostic::error(Code::UnknownKey, format!("number {number}")));
        }
        diagnostics.settle();
        assert_eq!(diagnostics.kept.len(), MAX_KEPT + 1);
        assert_eq!(diagnostics.kept.last().unwrap().message, "7 more mistakes are not shown");
        assert_eq!(diagnostics.count().0, MAX_KEPT + 7);
    }

    #[test]
    fn a_broken_file_silences_what_may_only_seem_wrong() {
        let mut diagnostics = Diagnostics::default();
        let file = diagnostics.add_file("a.toml".into());
        diagnostics.put_text(file, "x = \ny = 1\nz = 1\n".into());
        let at = |span| Place::new(file, &span);
        diagnostics.push(Diagnostic::error(Code::Syntax, "no value").at(at(4..4), ""));
        diagnostics.push(Diagnostic::error(Code::WrongType, "same line").at(at(0..1), ""));
        diagnostics.push(Diagnostic::error(Code::UnknownPool, "no such pool").at(at(5..6), ""));
        diagnostics.push(Diagnostic::error(Code::UnknownKey, "perhaps elsewhere").at(at(5..6), ""));
        diagnostics.push(Diagnostic::error(Code::OutOfLimits, "another line").at(at(11..12), ""));
        diagnostics.settle();
        let codes: Vec<_> = diagnostics.iter().map(|one| one.code).collect();
        assert_eq!(codes, [Code::Syntax, Code::OutOfLimits]);
        assert_eq!(diagnostics.count(), (2, 0));
    }
}
