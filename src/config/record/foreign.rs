//! Rarer types, by the crate `domain`: its syntax for each type over our words, and its parsers as the judge of bytes.
//!
//! Its own reader of zone files is not used: it stops at its first mistake, knows lines but no bytes of it, and lets a name with an empty
//! label through. So are its readers of SVCB parameters (`svcb`), which refuse keys with a `z` or a `9`.

use std::fmt;

use domain::{
    base::{
        CharStr, Name,
        iana::Rtype,
        name::ParsedName,
        rdata::{ComposeRecordData, ParseAnyRecordData},
        scan::{ConvertSymbols, EntrySymbol, Scanner, ScannerError, Symbol},
    },
    dep::octseq::{Parser, str::Str},
    rdata::{AllRecordData, ZoneRecordData},
};

use super::{Bad, Field, Fields, digest, kind};

/// Types that are written, and judged, as another one is.
fn alike(kind: u16) -> u16 {
    match kind {
        kind::SMIMEA => kind::TLSA,
        kind::SPF => kind::TXT,
        kind::DLV => kind::DS,
        kind::KX | kind::AFSDB | kind::RT => kind::MX,
        other => other,
    }
}

/// Reads all that is left.
pub(super) fn read(kind: u16, fields: &mut Fields<'_>, wire: &mut Vec<u8>) -> Result<(), Bad> {
    let mut entry = Entry { last: None, fields: fields.clone() };
    let begin = wire.len();
    let data = ZoneRecordData::scan(Rtype::from_int(alike(kind)), &mut entry)
        .map_err(|wrong| complain(kind, &entry, wrong))?;
    *fields = entry.fields;
    let Ok(()) = data.compose_rdata(wire);
    if let (Err(why), Some(field)) = (check(kind, &wire[begin..]), entry.last) {
        return Err(field.bad(why));
    }
    Ok(())
}

/// Whether bytes are data of a type, names written out: parsed and composed again they are the same. Of types that nobody knows all bytes are.
pub(super) fn check(kind: u16, wire: &[u8]) -> Result<(), String> {
    let mut parser = Parser::from_ref(wire);
    let rtype = Rtype::from_int(alike(kind));
    let parsed = AllRecordData::<&[u8], ParsedName<&[u8]>>::parse_any_rdata(rtype, &mut parser);
    let mut again = Vec::with_capacity(wire.len());
    let is_same = parsed.is_ok_and(|data| {
        let Ok(()) = data.compose_rdata(&mut again);
        parser.remaining() == 0 && again == wire
    });
    if !is_same {
        return Err(format!("these bytes are no data of type {}", kind::name(kind)));
    }
    digest::check(kind, wire)
}

fn complain(kind: u16, entry: &Entry<'_>, wrong: Wrong) -> Bad {
    match wrong {
        Wrong::Ours(bad) => bad,
        Wrong::Missing => Bad {
            why: "something is missing here".to_owned(),
            ..entry.fields.clone().next("rest").err().unwrap_or(Bad::at(0..0, ""))
        },
        Wrong::Theirs(why) => {
            let why = match why {
                "unknown record type with concrete data" => "it is written by its bytes alone",
                other => other,
            };
            let bad = entry.last.or(entry.fields.peek()).map_or_else(|| Bad::at(0..0, why), |field| field.bad(why));
            bad.hint(format!("any {} record can be written as `\\# LENGTH HEX`", kind::name(kind)))
        }
    }
}

/// The words of one record as `domain` wants them.
struct Entry<'a> {
    fields: Fields<'a>,
    last: Option<Field<'a>>,
}

impl<'a> Entry<'a> {
    fn take(&mut self) -> Result<Field<'a>, Wrong> {
        let Ok(field) = self.fields.next("rest") else { return Err(Wrong::Missing) };
        self.last = Some(field);
        Ok(field)
    }

    fn take_bytes(&mut self) -> Result<Vec<u8>, Wrong> {
        let mut bytes = Vec::new();
        self.take()?.bytes(&mut bytes).map_err(Wrong::Ours)?;
        Ok(bytes)
    }
}

/// The characters of a word, with their escapes.
fn symbols(field: Field<'_>, mut each: impl FnMut(Symbol) -> Result<(), Wrong>) -> Result<(), Wrong> {
    let mut chars = field.text.chars();
    loop {
        match Symbol::from_chars(&mut chars) {
            Ok(Some(symbol)) => each(symbol)?,
            Ok(None) => return Ok(()),
            Err(_) => {
                return Err(Wrong::Ours(field.bad("`\\` is followed by a character, or by three digits up to 255")));
            }
        }
    }
}

impl Scanner for Entry<'_> {
    type Octets = Vec<u8>;
    type OctetsBuilder = Vec<u8>;
    type Name = Name<Vec<u8>>;
    type Error = Wrong;

    fn has_space(&self) -> bool {
        self.fields.peek().is_some_and(|field| !field.is_glued())
    }

    fn continues(&mut self) -> bool {
        !self.fields.is_empty()
    }

    fn scan_symbols<F: FnMut(Symbol) -> Result<(), Wrong>>(&mut self, op: F) -> Result<(), Wrong> {
        symbols(self.take()?, op)
    }

    fn scan_entry_symbols<F: FnMut(EntrySymbol) -> Result<(), Wrong>>(&mut self, mut op: F) -> Result<(), Wrong> {
        while self.continues() {
            symbols(self.take()?, |symbol| op(symbol.into()))?;
            op(EntrySymbol::EndOfToken)?;
        }
        Ok(())
    }

    fn convert_token<C: ConvertSymbols<Symbol, Wrong>>(&mut self, mut convert: C) -> Result<Vec<u8>, Wrong> {
        let mut data = Vec::new();
        symbols(self.take()?, |symbol| {
            data.extend_from_slice(convert.process_symbol(symbol)?.unwrap_or_default());
            Ok(())
        })?;
        data.extend_from_slice(convert.process_tail()?.unwrap_or_default());
        Ok(data)
    }

    /// Keys and digests, none of which is nothing.
    fn convert_entry<C: ConvertSymbols<EntrySymbol, Wrong>>(&mut self, mut convert: C) -> Result<Vec<u8>, Wrong> {
        let mut data = Vec::new();
        loop {
            symbols(self.take()?, |symbol| {
                data.extend_from_slice(convert.process_symbol(symbol.into())?.unwrap_or_default());
                Ok(())
            })?;
            if !self.continues() {
                break;
            }
        }
        data.extend_from_slice(convert.process_tail()?.unwrap_or_default());
        Ok(data)
    }

    fn scan_octets(&mut self) -> Result<Vec<u8>, Wrong> {
        self.take_bytes()
    }

    fn scan_ascii_str<F: FnOnce(&str) -> Result<T, Wrong>, T>(&mut self, op: F) -> Result<T, Wrong> {
        let bytes = self.take_bytes()?;
        match std::str::from_utf8(&bytes) {
            Ok(text) if text.is_ascii() => op(text),
            _ => Err(Wrong::Theirs("only ASCII can stand here")),
        }
    }

    fn scan_name(&mut self) -> Result<Name<Vec<u8>>, Wrong> {
        let mut wire = Vec::new();
        let origin = self.fields.origin();
        self.take()?.name(origin, &mut wire).map_err(Wrong::Ours)?;
        Name::from_octets(wire).map_err(|_| Wrong::Theirs("this is no name"))
    }

    fn scan_charstr(&mut self) -> Result<CharStr<Vec<u8>>, Wrong> {
        CharStr::from_octets(self.take_bytes()?).map_err(|_| Wrong::Theirs("a text is at most 255 bytes long"))
    }

    fn scan_string(&mut self) -> Result<Str<Vec<u8>>, Wrong> {
        Str::from_utf8(self.take_bytes()?).map_err(|_| Wrong::Theirs("this is no UTF-8"))
    }

    fn scan_charstr_entry(&mut self) -> Result<Vec<u8>, Wrong> {
        let mut data = Vec::new();
        self.take()?.character_string(&mut data).map_err(Wrong::Ours)?;
        while self.continues() {
            self.take()?.character_string(&mut data).map_err(Wrong::Ours)?;
        }
        Ok(data)
    }

    /// Data by its bytes never gets here.
    fn scan_opt_unknown_marker(&mut self) -> Result<bool, Wrong> {
        Ok(false)
    }

    fn octets_builder(&mut self) -> Result<Vec<u8>, Wrong> {
        Ok(Vec::new())
    }
}

/// What went wrong.
#[derive(Debug)]
enum Wrong {
    /// Found here.
    Ours(Bad),
    /// The words are over.
    Missing,
    /// Found there.
    Theirs(&'static str),
}

impl ScannerError for Wrong {
    fn custom(why: &'static str) -> Self {
        Self::Theirs(why)
    }

    fn end_of_entry() -> Self {
        Self::Missing
    }

    fn short_buf() -> Self {
        Self::Theirs("it is too long")
    }

    fn trailing_tokens() -> Self {
        Self::Theirs("nothing more stands in this record")
    }
}

impl std::error::Error for Wrong {}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ours(bad) => f.write_str(&bad.why),
            Self::Missing => f.write_str("something is missing"),
            Self::Theirs(why) => f.write_str(why),
        }
    }
}
