//! The words of one record's data, taken one after the other, and what is wrong with them.

use std::{ops::Range, str::FromStr};

use super::{
    name::push_name,
    word::{Word, unescape},
};
use crate::fleet::DnsName;

/// What is wrong with a text, and with which bytes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::config) struct Bad {
    pub(in crate::config) span: Range<usize>,
    pub(in crate::config) why: String,
    pub(in crate::config) hint: Option<String>,
}

impl Bad {
    pub(in crate::config) fn at(span: Range<usize>, why: impl Into<String>) -> Self {
        Self { span, why: why.into(), hint: None }
    }

    pub(in crate::config) fn hint(self, hint: impl Into<Option<String>>) -> Self {
        Self { hint: hint.into(), ..self }
    }
}

/// One word with its text.
#[derive(Clone, Copy, Debug)]
pub(in crate::config) struct Field<'a> {
    /// Without quotes, escapes as they are written.
    pub(in crate::config) text: &'a str,
    word: Word,
}

/// The words that are left.
#[derive(Clone, Debug)]
pub(in crate::config) struct Fields<'a> {
    text: &'a str,
    words: &'a [Word],
    /// Where names without a closing dot lie; nothing where every name is written out.
    origin: Option<&'a DnsName>,
    /// Where the record ends: what is missing is missing here.
    end: usize,
}

impl<'a> Fields<'a> {
    pub(in crate::config) fn new(text: &'a str, words: &'a [Word], origin: Option<&'a DnsName>) -> Self {
        let end = words.last().map_or(0, |word| word.span().end + usize::from(word.is_quoted));
        Self { text, words, origin, end }
    }

    /// The same words, with names relative to `origin`.
    pub(in crate::config) fn relative_to(self, origin: &'a DnsName) -> Self {
        Self { origin: Some(origin), ..self }
    }

    pub(in crate::config) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    pub(in crate::config) fn peek(&self) -> Option<Field<'a>> {
        self.words.first().map(|word| Field { text: &self.text[word.span()], word: *word })
    }

    /// The next one, which is called `what`.
    pub(in crate::config) fn next(&mut self, what: &str) -> Result<Field<'a>, Bad> {
        let Some(field) = self.peek() else {
            return Err(Bad::at(self.end..self.end, format!("the {what} is missing")));
        };
        self.words = &self.words[1..];
        Ok(field)
    }

    /// The next one as a number.
    pub(in crate::config) fn number<T: FromStr + Bounded>(&mut self, what: &str) -> Result<T, Bad> {
        let field = self.next(what)?;
        let digits = field.text.bytes().all(|byte| byte.is_ascii_digit()) && !field.is_quoted();
        let number = digits.then(|| field.text.parse().ok()).flatten();
        number.ok_or_else(|| field.bad(format!("the {what} is a number from 0 to {}", T::MAX)))
    }

    /// The next one as a name, put behind `wire`.
    pub(in crate::config) fn name(&mut self, what: &str, wire: &mut Vec<u8>) -> Result<Field<'a>, Bad> {
        let field = self.next(what)?;
        field.name(self.origin, wire)?;
        Ok(field)
    }

    /// That nothing is left.
    pub(in crate::config) fn finish(&self) -> Result<(), Bad> {
        self.peek()
            .map_or(Ok(()), |field| Err(Bad::at(field.span().start..self.end, "nothing more stands in this record")))
    }

    /// What is left, as it is.
    pub(super) fn words(&self) -> &'a [Word] {
        self.words
    }

    pub(super) fn origin(&self) -> Option<&'a DnsName> {
        self.origin
    }
}

impl Field<'_> {
    pub(in crate::config) fn is_quoted(&self) -> bool {
        self.word.is_quoted
    }

    pub(in crate::config) fn is_glued(&self) -> bool {
        self.word.is_glued
    }

    /// With its quotes.
    pub(in crate::config) fn span(&self) -> Range<usize> {
        let quotes = usize::from(self.word.is_quoted);
        self.word.span().start - quotes..self.word.span().end + quotes
    }

    pub(in crate::config) fn bad(&self, why: impl Into<String>) -> Bad {
        Bad::at(self.span(), why)
    }

    /// Its bytes, escapes read, put behind `wire`.
    pub(in crate::config) fn bytes(&self, wire: &mut Vec<u8>) -> Result<(), Bad> {
        let bytes = self.text.as_bytes();
        if memchr::memchr(b'\\', bytes).is_none() {
            wire.extend_from_slice(bytes);
            return Ok(());
        }
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            let (byte, length) =
                if *byte == b'\\' { unescape(&bytes[at..]).ok_or_else(|| self.bad_escape(at))? } else { (*byte, 1) };
            wire.push(byte);
            at += length;
        }
        Ok(())
    }

    /// As a text of up to 255 bytes with its length before it.
    pub(super) fn character_string(&self, wire: &mut Vec<u8>) -> Result<(), Bad> {
        let start = wire.len();
        wire.push(0);
        self.bytes(wire)?;
        let length = wire.len() - start - 1;
        wire[start] = u8::try_from(length).map_err(|_| {
            let hint = "write its parts as several texts in quotes: whoever reads the record joins them".to_owned();
            self.bad(format!("it is {length} bytes long, and one text is at most 255")).hint(hint)
        })?;
        Ok(())
    }

    pub(in crate::config) fn name(&self, origin: Option<&DnsName>, wire: &mut Vec<u8>) -> Result<(), Bad> {
        if self.is_quoted() {
            return Err(self.bad("a name stands without quotes"));
        }
        push_name(self.text, origin, wire).map_err(|(why, hint)| self.bad(why).hint(hint))
    }

    fn bad_escape(&self, at: usize) -> Bad {
        let at = self.word.span().start + at;
        Bad::at(at..at + 1, "`\\` is followed by a character, or by three digits up to 255")
    }
}

/// Numbers that know how large they get.
pub(in crate::config) trait Bounded {
    const MAX: u32;
}

impl Bounded for u8 {
    const MAX: u32 = Self::MAX as u32;
}

impl Bounded for u16 {
    const MAX: u32 = Self::MAX as u32;
}

impl Bounded for u32 {
    const MAX: Self = Self::MAX;
}
