//! Routes, by their host and path.

use super::{change::Changes, fields::pool_name};
use crate::config::{Config, Route};

pub(super) fn compare(old: &Config, new: &Config, changes: &mut Changes) {
    let written = |route: &Route| format!("{}{}", route.host, route.path);
    let both = changes.members(&old.routes, &new.routes, written, |written| format!("route `{written}`"));
    for (written, before, after) in both {
        let subject = format!("route `{written}`");
        let pool = |config: &Config, route: &Route| format!("`{}`", pool_name(config, route.pool));
        changes.field(&subject, "pool", &pool(old, before), &pool(new, after));
        changes.field(&subject, "name", &before.name, &after.name);
    }
}
