//! The SOA of a zone file. Its serial is read and thrown away: here the serial is the config's revision.

use super::ttl;
use crate::{
    config::{
        diagnostic::Place,
        record::{Bad, Fields},
    },
    fleet::DnsName,
};

/// What an SOA says.
#[derive(Clone, Debug)]
pub(in crate::config) struct WrittenSoa {
    pub(in crate::config) primary: DnsName,
    pub(in crate::config) contact: DnsName,
    pub(in crate::config) refresh: u32,
    pub(in crate::config) retry: u32,
    pub(in crate::config) expire: u32,
    /// How long a negative answer may be kept.
    pub(in crate::config) minimum: u32,
    pub(in crate::config) ttl: u32,
    pub(in crate::config) place: Option<Place>,
}

/// Reads its data.
pub(super) fn read(fields: &mut Fields<'_>, ttl: u32, place: Option<Place>) -> Result<WrittenSoa, Bad> {
    let (primary, contact) = (name(fields, "primary name server")?, name(fields, "mailbox")?);
    fields.number::<u32>("serial")?;
    let soa = WrittenSoa {
        primary,
        contact,
        refresh: time(fields, "refresh")?,
        retry: time(fields, "retry")?,
        expire: time(fields, "expire")?,
        minimum: time(fields, "minimum")?,
        ttl,
        place,
    };
    fields.finish()?;
    Ok(soa)
}

fn name(fields: &mut Fields<'_>, what: &str) -> Result<DnsName, Bad> {
    let mut wire = Vec::new();
    let field = fields.name(what, &mut wire)?;
    if field.text.contains('@') && field.text != "@" {
        let dotted = field.text.replacen('@', ".", 1);
        return Err(field.bad("a mailbox has a dot instead of its `@`").hint(format!("write `{dotted}`")));
    }
    DnsName::from_wire(&wire).ok_or_else(|| field.bad("this is no name"))
}

fn time(fields: &mut Fields<'_>, what: &str) -> Result<u32, Bad> {
    let field = fields.next(what)?;
    ttl::parse(field.text).ok_or_else(|| field.bad(format!("the {what} is a time, such as `3600` or `1h`")))
}
