//! Changes of headers: which are allowed, and that no name is changed in two ways.

use std::{collections::HashMap, sync::Arc};

use super::twice::duplicate;
use crate::config::{
    diagnostic::{Code, Diagnostic, Diagnostics, Place},
    document::{self, BAD_HEADER_NAME, Named, Written, is_header_name},
    resolved::{HeaderEdits, Template},
};

/// Headers that one table may change.
const MAX_EDITS: usize = 64;
/// What frames a message, or is meant for one hop: only who holds the connection can know it.
const FRAMING: [&str; 11] = [
    "connection",
    "content-length",
    "expect",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
/// What says who asks, and is written by every node.
const IDENTITY: [&str; 5] =
    ["x-forwarded-client-cert", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-request-id"];

/// Whose headers are changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    Requests,
    Answers,
}

pub(super) fn resolve(written: &document::HeaderEdits, of: Of, problems: &mut Diagnostics) -> HeaderEdits {
    let mut names = Changed { of, seen: HashMap::new() };
    let edits = HeaderEdits {
        remove: written
            .remove
            .items
            .iter()
            .filter_map(|item| names.claim(&item.0, "removed", item.place, problems))
            .collect(),
        set: names.templates(&written.set, "set", problems),
        add: names.templates(&written.add, "added", problems),
    };
    let count = written.remove.items.len() + written.set.len() + written.add.len();
    if count > MAX_EDITS {
        let message = format!("{count} headers are changed, and one table changes at most {MAX_EDITS}");
        let place = [written.set.place, written.add.place, written.remove.place].into_iter().flatten().next();
        problems.push(Diagnostic::error(Code::TooMany, message).at(place, "too many"));
    }
    edits
}

/// The names changed so far: how and where.
struct Changed {
    of: Of,
    seen: HashMap<Arc<str>, (&'static str, Option<Place>)>,
}

impl Changed {
    fn templates(
        &mut self,
        written: &Written<Named<Template>>,
        how: &'static str,
        problems: &mut Diagnostics,
    ) -> Vec<(Arc<str>, Template)> {
        let claimed = written
            .iter()
            .filter_map(|entry| Some((self.claim(&entry.name, how, entry.place, problems)?, entry.value.clone())));
        claimed.collect()
    }

    /// The name in lower case; nothing once it was reported.
    fn claim(
        &mut self,
        name: &str,
        how: &'static str,
        place: Option<Place>,
        problems: &mut Diagnostics,
    ) -> Option<Arc<str>> {
        if !is_header_name(name) {
            let message = format!("`{}` cannot be the name of a header", name.escape_debug());
            problems.push(Diagnostic::error(Code::BadName, message).at(place, BAD_HEADER_NAME));
            return None;
        }
        let name: Arc<str> = name.to_ascii_lowercase().into();
        if let Some((why, hint)) = self.untouchable(&name) {
            let message = format!("header `{name}` cannot be {how}");
            problems.push(Diagnostic::error(Code::ReservedHeader, message).at(place, why).hint(hint));
            return None;
        }
        if let Some((before, first)) = self.seen.insert(Arc::clone(&name), (how, place)) {
            let message = format!("header `{name}` is {before} and {how}");
            let hint = "`set` is removing and adding at once: keep one of them".to_owned();
            problems.push(duplicate(Code::DuplicateName, message, place, first).hint(hint));
            return None;
        }
        Some(name)
    }

    /// Some applications take `_` for `-`, so that is the same name here.
    fn untouchable(&self, name: &str) -> Option<(&'static str, Option<String>)> {
        let name = name.replace('_', "-");
        let is_one_of = |names: &[&str]| names.contains(&name.as_str());
        if is_one_of(&FRAMING) {
            return Some(("it frames the message, or is for one connection alone", None));
        }
        match self.of {
            Of::Requests if name == "host" => {
                Some(("it routes the request", Some("set `rewrite.host` instead".to_owned())))
            }
            Of::Requests if name == "proxy-authorization" => Some(("it is for one connection alone", None)),
            Of::Requests if is_one_of(&IDENTITY) => Some(("this node writes it, so that it can be believed", None)),
            Of::Answers if name == "x-request-id" => Some(("this node writes it", None)),
            Of::Requests | Of::Answers => None,
        }
    }
}
