//! The texts that places point into.

use std::{ops::Range, sync::OnceLock};

/// Which of the loaded files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct FileId(u32);

/// Some bytes of one file. Files are at most 64 MiB long, so 32 bits do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    pub(crate) file: FileId,
    start: u32,
    end: u32,
}

impl Place {
    pub(crate) fn new(file: FileId, span: &Range<usize>) -> Self {
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self { file, start: offset(span.start), end: offset(span.end.max(span.start)) }
    }

    pub(super) fn span(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A place as people and editors say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position<'a> {
    /// As the path was given.
    pub file: &'a str,
    /// From 1; `None` where the mistake is on no line.
    pub line: Option<usize>,
    /// In characters, from 1.
    pub column: Option<usize>,
}

/// All files of one run.
#[derive(Debug, Default)]
pub(super) struct Sources(Vec<Source>);

/// One file: its name as given, its text, and where its lines start.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) name: String,
    pub(super) text: String,
    lines: OnceLock<Vec<usize>>,
}

impl Sources {
    pub(super) fn add(&mut self, name: String) -> FileId {
        let id = FileId(u32::try_from(self.0.len()).unwrap_or(u32::MAX));
        self.0.push(Source { name, text: String::new(), lines: OnceLock::new() });
        id
    }

    pub(super) fn of(&self, file: FileId) -> &Source {
        &self.0[file.0 as usize]
    }

    pub(super) fn put_text(&mut self, file: FileId, text: String) {
        self.0[file.0 as usize].text = text;
    }
}

impl Source {
    /// The bytes of a place, cut to whole characters of the text.
    pub(super) fn span(&self, place: Place) -> Range<usize> {
        let span = place.span();
        let start = self.text.floor_char_boundary(span.start);
        start..self.text.ceil_char_boundary(span.end).max(start)
    }

    /// The line of a byte, from 0.
    pub(super) fn line_of(&self, at: usize) -> usize {
        self.lines().partition_point(|start| *start <= at).saturating_sub(1)
    }

    /// Where a line begins and where it ends, its newline left out.
    pub(super) fn line_span(&self, line: usize) -> Range<usize> {
        let start = self.lines().get(line).copied().unwrap_or(self.text.len());
        let end = self.lines().get(line + 1).map_or(self.text.len(), |next| next - 1);
        start..end
    }

    /// Line and column of a byte, both from 1, the column in characters.
    pub(super) fn line_and_column(&self, at: usize) -> (usize, usize) {
        let line = self.line_of(at);
        let start = self.line_span(line).start;
        (line + 1, self.text[start..at.max(start)].chars().count() + 1)
    }

    fn lines(&self) -> &[usize] {
        self.lines.get_or_init(|| {
            let after_newlines = self.text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
            std::iter::once(0).chain(after_newlines).collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_count_from_one() {
        let mut sources = Sources::default();
        let file = sources.add("a.toml".into());
        sources.put_text(file, "a = 1\nü = 2\n".into());
        let source = sources.of(file);
        let at = source.text.find('=').unwrap();
        assert_eq!(source.line_and_column(at), (1, 3));
        let at = source.text.rfind('=').unwrap();
        assert_eq!(source.line_and_column(at), (2, 3));
        assert_eq!(source.line_and_column(source.text.len()), (3, 1));
        assert_eq!(&source.text[source.line_span(1)], "ü = 2");
    }

    #[test]
    fn a_place_past_the_end_or_inside_a_character_is_cut_to_whole_ones() {
        let mut sources = Sources::default();
        let file = sources.add("a.toml".into());
        sources.put_text(file, "ü".into());
        let source = sources.of(file);
        assert_eq!(source.span(Place::new(file, &(1..1))), 0..2);
        assert_eq!(source.span(Place::new(file, &(7..9))), 2..2);
    }
}
