//! The words of master files: where they are, not what they mean.
//!
//! An entry is a line, or several within parentheses. After a mistake the next line is a new beginning, so that one run shows all of them.
//! A parenthesis that is not closed would swallow the rest of its file: a handful of them are read past, then the file is given up.

use std::ops::Range;

use memchr::memchr;

use super::Bad;

/// Bytes of one entry: the longest data there can be, escaped byte for byte, with room for comments.
const MAX_ENTRY: usize = 1 << 20;

/// Parentheses left open that are read past: each is looked for the end of.
const MAX_OPEN: usize = 16;

/// One word, as it lies in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) struct Word {
    start: u32,
    end: u32,
    pub(in crate::config) is_quoted: bool,
    /// Whether no space is between it and the word before.
    pub(in crate::config) is_glued: bool,
}

impl Word {
    /// Without quotes.
    pub(in crate::config) fn span(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// The entries of a text.
#[derive(Debug)]
pub(in crate::config) struct Words<'a> {
    text: &'a str,
    at: usize,
    open: usize,
    has_comments: bool,
}

/// How an entry begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) struct Start {
    /// Whether its line begins with a space: then it has no owner of its own.
    pub(in crate::config) is_indented: bool,
}

impl<'a> Words<'a> {
    /// Of a file.
    pub(in crate::config) fn of_file(text: &'a str) -> Self {
        Self { text, at: 0, open: 0, has_comments: true }
    }

    /// Of one value, in which nothing is a comment: what follows a `;` would be lost without a word.
    pub(in crate::config) fn of_value(text: &'a str) -> Self {
        Self { has_comments: false, ..Self::of_file(text) }
    }

    /// Puts the words of the next entry that has any into `words`. After a mistake the one that follows can be asked for.
    pub(in crate::config) fn next(&mut self, words: &mut Vec<Word>) -> Result<Option<Start>, Bad> {
        loop {
            words.clear();
            let line = self.at;
            if line >= self.text.len() {
                return Ok(None);
            }
            if let Err(bad) = self.entry(words) {
                self.at = self.line_after(bad.span.start.max(line));
                return Err(bad);
            }
            if let Some(first) = words.first() {
                let first = first.span().start;
                return Ok(Some(Start {
                    is_indented: matches!(self.text.as_bytes()[line], b' ' | b'\t') && first > line,
                }));
            }
        }
    }

    fn entry(&mut self, words: &mut Vec<Word>) -> Result<(), Bad> {
        let bytes = self.text.as_bytes();
        let begin = self.at;
        let mut parentheses: Vec<usize> = Vec::new();
        let mut is_glued = false;
        while self.at < bytes.len() {
            let at = self.at;
            if at - begin > MAX_ENTRY {
                return Err(self.too_long(begin, parentheses.first().copied()));
            }
            match bytes[at] {
                b'\n' => {
                    (self.at, is_glued) = (at + 1, false);
                    if parentheses.is_empty() {
                        return Ok(());
                    }
                }
                b';' if !self.has_comments => {
                    let hint = "put a value with `;` in quotes".to_owned();
                    return Err(Bad::at(at..bytes.len(), "`;` begins a comment in records").hint(hint));
                }
                b';' => (self.at, is_glued) = (memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |end| at + end), false),
                b'(' => {
                    parentheses.push(at);
                    (self.at, is_glued) = (at + 1, false);
                }
                b')' if parentheses.pop().is_none() => return Err(Bad::at(at..at + 1, "no parenthesis is open here")),
                b' ' | b'\t' | b'\r' | b')' => (self.at, is_glued) = (at + 1, false),
                quote => {
                    let is_quoted = quote == b'"';
                    let (span, after) = if is_quoted { self.quoted()? } else { self.plain() };
                    let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
                    words.push(Word { start: offset(span.start), end: offset(span.end), is_quoted, is_glued });
                    (self.at, is_glued) = (after, true);
                }
            }
        }
        parentheses.first().map_or(Ok(()), |open| Err(self.unclosed(*open)))
    }

    /// The word at a quote, and the byte after it.
    fn quoted(&self) -> Result<(Range<usize>, usize), Bad> {
        let bytes = self.text.as_bytes();
        let start = self.at + 1;
        let mut at = start;
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'"' => return Ok((start..at, at + 1)),
                b'\n' => break,
                b'\\' if bytes.get(at + 1).is_some_and(|next| *next != b'\n') => at += 2,
                _ => at += 1,
            }
        }
        Err(Bad::at(self.at..at, "this quote is not closed on its line"))
    }

    /// The word at any other byte, and the byte after it.
    fn plain(&self) -> (Range<usize>, usize) {
        let bytes = self.text.as_bytes();
        let start = self.at;
        let mut at = start;
        while let Some(byte) = bytes.get(at) {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' | b';' | b'(' | b')' | b'"' => break,
                b'\\' if bytes.get(at + 1).is_some_and(|next| *next != b'\n') => at += 2,
                _ => at += 1,
            }
        }
        let end = at.min(bytes.len());
        (start..end, end)
    }

    fn too_long(&mut self, begin: usize, open: Option<usize>) -> Bad {
        match open {
            Some(open) => self.unclosed(open),
            None => Bad::at(begin..begin + 1, format!("this record is longer than {} KiB", MAX_ENTRY >> 10)),
        }
    }

    fn unclosed(&mut self, open: usize) -> Bad {
        self.open += 1;
        let bad = Bad::at(open..open + 1, "this parenthesis is not closed");
        if self.open < MAX_OPEN {
            return bad;
        }
        self.text = &self.text[..self.line_after(open)];
        bad.hint("what follows in this file was not read".to_owned())
    }

    fn line_after(&self, at: usize) -> usize {
        let at = at.min(self.text.len());
        memchr(b'\n', &self.text.as_bytes()[at..]).map_or(self.text.len(), |newline| at + newline + 1)
    }
}

/// The byte that an escape stands for, and how long it is: `\DDD`, or `\` before anything else. `None` where nothing fits.
pub(super) fn unescape(bytes: &[u8]) -> Option<(u8, usize)> {
    match *bytes.get(1..)? {
        [a, b, c, ..] if a.is_ascii_digit() => {
            let digit = |byte: u8| byte.is_ascii_digit().then(|| u16::from(byte - b'0'));
            let value = digit(a)? * 100 + digit(b)? * 10 + digit(c)?;
            Some((u8::try_from(value).ok()?, 4))
        }
        [byte, ..] if byte.is_ascii_digit() || !byte.is_ascii() || byte < b' ' => None,
        [byte, ..] => Some((byte, 2)),
        [] => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each entry as its words; a mistake as its first byte.
    fn entries(text: &str) -> Vec<Result<Vec<&str>, usize>> {
        let mut words = Words::of_file(text);
        let mut buffer = Vec::new();
        let mut entries = Vec::new();
        loop {
            match words.next(&mut buffer) {
                Ok(None) => return entries,
                Ok(Some(_)) => entries.push(Ok(buffer.iter().map(|word| &text[word.span()]).collect())),
                Err(bad) => entries.push(Err(bad.span.start)),
            }
        }
    }

    #[test]
    fn an_entry_is_a_line_or_several_in_parentheses() {
        assert_eq!(entries("a b ; c\n\n d\te\r\n"), [Ok(vec!["a", "b"]), Ok(vec!["d", "e"])]);
        assert_eq!(entries("a ( b ; )\n c\n) d\ne"), [Ok(vec!["a", "b", "c", "d"]), Ok(vec!["e"])]);
        assert_eq!(entries(r#"a "b ; \" (" c\;\ d"#), [Ok(vec!["a", r#"b ; \" ("#, r"c\;\ d"])]);
        assert_eq!(entries(""), []);
        assert_eq!(entries("; nothing"), []);
    }

    #[test]
    fn a_mistake_ends_with_its_line() {
        assert_eq!(entries("a \"b\nc\n"), [Err(2), Ok(vec!["c"])]);
        assert_eq!(entries("a )\nc\n"), [Err(2), Ok(vec!["c"])]);
        assert_eq!(entries("a ( b\nc\n"), [Err(2), Ok(vec!["c"])]);
        assert_eq!(entries("a\\"), [Ok(vec!["a\\"])]);
    }

    #[test]
    fn a_file_of_open_parentheses_is_given_up() {
        let open = "(\n".repeat(1000);
        let found = entries(&open);
        assert_eq!(found.len(), MAX_OPEN);
        let long = format!("a (\n{}", " b\n".repeat(MAX_ENTRY));
        assert_eq!(entries(&long)[0], Err(2));
    }

    #[test]
    fn words_know_whether_a_space_is_before_them_and_entries_whether_they_have_an_owner() {
        let mut words = Vec::new();
        let mut of = Words::of_file(" k=\"v\" w\nx");
        assert!(of.next(&mut words).unwrap().unwrap().is_indented);
        let glued: Vec<_> = words.iter().map(|word| (word.is_quoted, word.is_glued)).collect();
        assert_eq!(glued, [(false, false), (true, true), (false, false)]);
        assert!(!of.next(&mut words).unwrap().unwrap().is_indented);
    }

    #[test]
    fn escapes_stand_for_any_byte() {
        assert_eq!(unescape(b"\\046x"), Some((b'.', 4)));
        assert_eq!(unescape(b"\\.x"), Some((b'.', 2)));
        for bad in [&b"\\"[..], b"\\04", b"\\04x", b"\\256", b"\\\xc3\xbc", b"\\\n"] {
            assert_eq!(unescape(bad), None);
        }
    }
}
