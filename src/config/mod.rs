//! The config: as written, as meant, and how one becomes the other.
//!
//! Files become a document (`document`: values with their places), the document becomes a [`Config`] (`resolve`:
//! references turned into ids, defaults and limits settled). Both collect what is wrong ([`Diagnostics`]), so that one
//! run shows every mistake. A [`Config`] exists only where there is no error: what is valid is applied whole, what is
//! not changes nothing.
//!
//! Each key is defined once, in `document/sections`; the JSON Schema and the reference page are made from the same
//! definitions and committed under `config/`.
//!
//! Not here: watching files and applying a new config (`node`), and who prints what (`cli`).

mod diagnostic;
mod diff;
mod document;
mod files;
mod fuzz;
mod identity;
mod load;
mod record;
mod reference;
mod resolve;
mod resolved;
mod schema;
mod zonefile;

pub use diagnostic::{Code, Diagnostic, Diagnostics, Position, Severity};
pub use diff::{Change, changes};
pub use document::{duration_as_written, parse_duration};
pub use fuzz::fuzz_config;
pub use identity::Identity;
pub use load::{Loaded, from_text, load};
pub use reference::reference;
pub use resolved::*;
pub use schema::schema;
