//! From the entries of a file to records: whose, how long, of which type.

use std::path::{Path, PathBuf};

use super::{Record, include::Reader, soa, ttl};
use crate::{
    config::{
        diagnostic::{Code, Diagnostic, FileId, Place},
        record::{Bad, Field, Fields, Words, kind, kind_of, read},
    },
    fleet::DnsName,
};

/// Mistakes that are looked for in one file: more are not shown.
const MAX_MISTAKES: usize = 500;

/// What holds for the next entry of a file.
#[derive(Clone, Debug)]
pub(super) struct State {
    origin: DnsName,
    owner: Owner,
    /// What `$TTL` said last.
    default_ttl: Option<u32>,
    /// What a record said last.
    last_ttl: Option<u32>,
}

impl State {
    pub(super) fn new(origin: &DnsName) -> Self {
        Self { origin: origin.clone(), owner: Owner::None, default_ttl: None, last_ttl: None }
    }
}

/// Whose the records are that do not say.
#[derive(Clone, Debug)]
enum Owner {
    None,
    /// There is one, and what is wrong with it was told.
    Unreadable,
    Is(DnsName),
}

/// The file that is read.
struct Here<'a> {
    file: FileId,
    directory: &'a Path,
    depth: usize,
    /// For the wire form of owners.
    wire: Vec<u8>,
}

/// What is wrong, and as what it is told.
enum Wrong {
    /// A line is no record.
    Line(Bad),
    /// The data of a record of this type.
    Data(u16, Bad),
    /// An owner outside the zone.
    Outside(Bad),
    /// As it is.
    Whole(Box<Diagnostic>),
    /// It was told before.
    Told,
}

impl From<Bad> for Wrong {
    fn from(bad: Bad) -> Self {
        Self::Line(bad)
    }
}

impl Reader<'_> {
    /// All entries of a file, mistakes among them.
    pub(super) fn entries(&mut self, file: FileId, text: &str, directory: &Path, mut state: State, depth: usize) {
        let mut here = Here { file, directory, depth, wire: Vec::with_capacity(255) };
        let mut lines = Words::of_file(text);
        let mut words = Vec::new();
        let mut mistakes = 0;
        loop {
            let outcome = match lines.next(&mut words) {
                Ok(None) => return,
                Ok(Some(start)) => {
                    let fields = Fields::new(text, &words, None);
                    self.entry(&mut here, fields, start.is_indented, &mut state)
                }
                Err(bad) => Err(bad.into()),
            };
            if let Err(wrong) = outcome {
                self.contents.is_broken = true;
                if matches!(wrong, Wrong::Told) {
                    return;
                }
                self.report(file, wrong);
                mistakes += 1;
                if mistakes == MAX_MISTAKES {
                    let message = format!("this file has {MAX_MISTAKES} mistakes, and what follows was not read");
                    let hint = "is it a zone file at all?".to_owned();
                    self.problems.push(Diagnostic::error(Code::ZoneSyntax, message).in_file(file).hint(hint));
                    return;
                }
            }
        }
    }

    fn entry(
        &mut self,
        here: &mut Here<'_>,
        mut fields: Fields<'_>,
        is_indented: bool,
        state: &mut State,
    ) -> Result<(), Wrong> {
        let Some(first) = fields.peek() else { return Ok(()) };
        if first.text.starts_with('$') && !is_indented && !first.is_quoted() {
            fields.next("directive")?;
            return self.directive(here, &first, &mut fields, state);
        }
        if !is_indented {
            fields.next("owner")?;
            state.owner = Owner::Unreadable;
            let owner = name(&first, &state.origin, &mut here.wire)?;
            self.warn_of_a_missing_dot(here, &first, &state.origin, &owner);
            state.owner = Owner::Is(owner);
        }
        let owner = match &state.owner {
            Owner::Is(owner) => owner,
            Owner::Unreadable => return Ok(()),
            Owner::None => {
                let hint = "a line that begins with a space belongs to the owner before it".to_owned();
                return Err(first.bad("this record has no owner").hint(hint).into());
            }
        };
        let (kind, ttl) = head(&mut fields, is_indented)?;
        state.last_ttl = ttl.or(state.last_ttl);
        let ttl = ttl.or(state.default_ttl).or(state.last_ttl).unwrap_or(self.ttl);
        if !owner.is_within(self.apex) {
            let why = format!("`{owner}` lies outside zone `{}`", self.apex);
            let bad = Bad { span: first.span(), why, hint: None };
            return Err(Wrong::Outside(
                bad.hint("is a dot missing at its end, or one too many, or an `$ORIGIN`?".to_owned()),
            ));
        }
        let place = Place::new(here.file, &first.span());
        let full = |mistake: Diagnostic| Wrong::Whole(Box::new(mistake.at(place, "the first too many")));
        self.budget.take_record().map_err(|mistake| mistake.map_or(Wrong::Told, full))?;
        let mut fields = fields.relative_to(&state.origin);
        let place = Some(place);
        if kind == kind::SOA {
            let soa = soa::read(&mut fields, ttl, place).map_err(|bad| Wrong::Data(kind, bad))?;
            return self.take_soa(owner, soa);
        }
        let data = read(kind, &mut fields).map_err(|bad| Wrong::Data(kind, bad))?;
        self.contents.records.push(Record { owner: owner.clone(), kind, ttl, data, place });
        Ok(())
    }

    fn take_soa(&mut self, owner: &DnsName, soa: soa::WrittenSoa) -> Result<(), Wrong> {
        if owner != self.apex {
            let message = format!("`{owner}` cannot have an SOA: the zone begins at `{}`", self.apex);
            return Err(Wrong::Whole(Box::new(Diagnostic::error(Code::RecordConflict, message).at(soa.place, ""))));
        }
        if let Some(first) = &self.contents.soa {
            let message = format!("zone `{}` has two SOA records", self.apex);
            let mistake = Diagnostic::error(Code::RecordConflict, message);
            return Err(Wrong::Whole(Box::new(mistake.at(soa.place, "here again").at(first.place, "first here"))));
        }
        self.contents.soa = Some(soa);
        Ok(())
    }

    fn directive(
        &mut self,
        here: &mut Here<'_>,
        word: &Field<'_>,
        fields: &mut Fields<'_>,
        state: &mut State,
    ) -> Result<(), Wrong> {
        match word.text.to_ascii_uppercase().as_str() {
            "$ORIGIN" => {
                let field = fields.next("name")?;
                state.origin = name(&field, &state.origin, &mut here.wire)?;
            }
            "$TTL" => state.default_ttl = Some(time(&fields.next("time")?)?),
            "$INCLUDE" => {
                let field = fields.next("file")?;
                let mut path = Vec::new();
                field.bytes(&mut path)?;
                let path = String::from_utf8(path).ok().filter(|path| !path.is_empty() && !path.contains('\0'));
                let path = path.ok_or_else(|| field.bad("this names no file"))?;
                let mut inner = state.clone();
                if let Some(origin) = fields.peek() {
                    fields.next("origin")?;
                    inner.origin = name(&origin, &state.origin, &mut here.wire)?;
                }
                fields.finish()?;
                let asked = Place::new(here.file, &field.span());
                // What the included file changes for itself ends with it.
                self.file(&here.directory.join(PathBuf::from(path)), Some(asked), inner, here.depth + 1);
            }
            "$GENERATE" => {
                let bad = word.bad("`$GENERATE` belongs to one server alone");
                return Err(bad.hint("write the records out".to_owned()).into());
            }
            _ => {
                let bad = word.bad(format!("there is no directive `{}`", word.text.escape_debug()));
                return Err(bad.hint("there are `$ORIGIN`, `$TTL` and `$INCLUDE`".to_owned()).into());
            }
        }
        Ok(fields.finish()?)
    }

    /// `www.shop.example` without its dot, in the zone `shop.example`, is `www.shop.example.shop.example`.
    fn warn_of_a_missing_dot(&mut self, here: &Here<'_>, field: &Field<'_>, origin: &DnsName, owner: &DnsName) {
        let (wire, origin) = (owner.as_wire(), origin.as_wire());
        let Some(own) = wire.len().checked_sub(origin.len()).filter(|own| *own >= origin.len()) else { return };
        let (own, origin) = (&wire[..own], &origin[..origin.len() - 1]);
        if origin.is_empty() || field.text.ends_with('.') || !own.ends_with(origin) {
            return;
        }
        let message = format!("`{}` has no dot at its end, so it is `{owner}`", field.text.escape_debug());
        let warning = Diagnostic::warning(Code::MissingDot, message).at(Place::new(here.file, &field.span()), "");
        self.problems.push(warning.hint(format!("write `{}.`, or leave the zone's name out", field.text)));
    }

    fn report(&mut self, file: FileId, wrong: Wrong) {
        let (code, message, bad) = match wrong {
            Wrong::Told => return,
            Wrong::Whole(mistake) => return self.problems.push(*mistake),
            Wrong::Line(bad) => (Code::ZoneSyntax, bad.why.clone(), bad),
            Wrong::Outside(bad) => (Code::NameOutsideZone, bad.why.clone(), bad),
            Wrong::Data(kind, bad) => {
                (Code::BadValue, format!("this {} record cannot be read: {}", kind::name(kind), bad.why), bad)
            }
        };
        self.problems.push(Diagnostic::error(code, message).at(Place::new(file, &bad.span), "").hint(bad.hint));
    }
}

/// Type and TTL: `[TTL] [class] type`, or the two in front the other way round.
fn head(fields: &mut Fields<'_>, is_indented: bool) -> Result<(u16, Option<u32>), Bad> {
    let (mut ttl, mut has_class) = (None, false);
    loop {
        let field = fields.next("type")?;
        if ttl.is_none() && field.text.starts_with(|first: char| first.is_ascii_digit()) {
            ttl = Some(time(&field)?);
        } else if !has_class && is_class(&field)? {
            has_class = true;
        } else {
            let kind = match kind::number(field.text) {
                Some(kind::SOA) => Ok(kind::SOA),
                _ => kind_of(&field),
            };
            let is_first = ttl.is_none() && !has_class && !is_indented;
            return kind.map(|kind| (kind, ttl)).map_err(|bad| {
                let hint = if is_first {
                    "a line is an owner, TTL, type and data; one without an owner begins with a space"
                } else {
                    "one without a name is written as `TYPE65400`"
                };
                let hint = bad.hint.clone().unwrap_or_else(|| hint.to_owned());
                bad.hint(hint)
            });
        }
    }
}

fn is_class(field: &Field<'_>) -> Result<bool, Bad> {
    let text = field.text;
    if text.eq_ignore_ascii_case("IN") || text.eq_ignore_ascii_case("CLASS1") {
        return Ok(true);
    }
    let others = ["CH", "HS", "CS"];
    let is_number = |text: &str| text.get(..5).is_some_and(|word| word.eq_ignore_ascii_case("CLASS"));
    if others.iter().any(|other| text.eq_ignore_ascii_case(other)) || is_number(text) {
        return Err(field.bad("only the class `IN` is answered for"));
    }
    Ok(false)
}

fn time(field: &Field<'_>) -> Result<u32, Bad> {
    let time = ttl::parse(field.text).filter(|time| *time <= ttl::MAX);
    time.ok_or_else(|| {
        field
            .bad("this is no TTL")
            .hint(format!("write seconds up to {}, or numbers with units such as `1h30m`", ttl::MAX))
    })
}

fn name(field: &Field<'_>, origin: &DnsName, wire: &mut Vec<u8>) -> Result<DnsName, Bad> {
    wire.clear();
    field.name(Some(origin), wire)?;
    DnsName::from_wire(wire).ok_or_else(|| field.bad("this is no name"))
}
