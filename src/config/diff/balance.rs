//! How the origins of a pool share its requests. What changed inside a file is not seen here.

use super::{change::Changes, fields};
use crate::config::{Balancing, HashKey, Sticky, duration_as_written};

pub(super) fn compare(subject: &str, old: &Balancing, new: &Balancing, changes: &mut Changes) {
    changes.field(subject, "balance", old.method.as_str(), new.method.as_str());
    let (before, after) = (&old.peak_ewma, &new.peak_ewma);
    fields::duration(changes, subject, "peak_ewma decay", before.decay, after.decay);
    fields::duration(changes, subject, "peak_ewma first_estimate", before.first_estimate, after.first_estimate);
    changes.field(subject, "hash key", &key(&old.hash.key), &key(&new.hash.key));
    fields::number(changes, subject, "hash bound", &old.hash.bound_percent, &new.hash.bound_percent);
    changes.field(subject, "sticky", &sticky(old.sticky.as_ref()), &sticky(new.sticky.as_ref()));
}

fn key(key: &HashKey) -> String {
    match key {
        HashKey::Client => "the client's address".to_owned(),
        HashKey::Header(name) => format!("header `{name}`"),
        HashKey::Cookie(name) => format!("cookie `{name}`"),
        HashKey::Path => "the path".to_owned(),
    }
}

fn sticky(sticky: Option<&Sticky>) -> String {
    let Some(Sticky { cookie, ttl, secret_file }) = sticky else { return "off".to_owned() };
    let ttl = ttl.map_or("until the browser is closed".to_owned(), |ttl| format!("for {}", duration_as_written(ttl)));
    let secret = match secret_file {
        Some(file) => format!("the secrets in `{}`", file.display()),
        None => "a secret of its own".to_owned(),
    };
    format!("cookie `{cookie}`, {ttl}, with {secret}")
}
