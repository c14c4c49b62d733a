//! What DNS records say, from the text of master files (RFC 1035 §5.1, RFC 3597) to the bytes of a message.
//!
//! One way for values of the config and for lines of zone files: a text is cut into words (`word`), the words are read by the record's type
//! (`data`, `svcb`), and rarer types are left to the crate `domain` (`foreign`). Whatever is not composed field by field here is parsed back
//! as its type and has to come out the same: a `\#` of a known type, or a name with an empty label, would otherwise go out as it is.
//!
//! A mistake says which bytes of the text it is about ([`Bad`]); the caller knows where the text stands.
//!
//! Not here: owners, TTLs and directives of zone files (`zonefile`), and what records may stand beside each other (`resolve::zones`).

mod data;
mod digest;
mod field;
mod foreign;
pub(super) mod kind;
mod name;
mod svcb;
mod word;

pub(super) use data::{kind_of, read, read_any, read_text};
pub(super) use field::{Bad, Field, Fields};
pub(super) use word::Words;

#[cfg(test)]
mod tests;
