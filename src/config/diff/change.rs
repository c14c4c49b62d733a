//! Changes, and how they are found: what came, what went, what is in both and differs.

use std::{collections::BTreeMap, fmt};

use super::{dns, policies, pools, regions, routes, settings, tls, zones};
use crate::config::Config;

/// One thing that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What, in words: "pool `shop`: origin 10.0.0.1:8080 came".
    pub what: String,
    /// Whether a running node goes on with the old value until it is started again.
    pub needs_restart: bool,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if self.needs_restart { f.write_str(" (after a restart)") } else { Ok(()) }
    }
}

/// Everything that changed, settings first, then nouns in name order.
pub fn changes(old: &Config, new: &Config) -> Vec<Change> {
    let mut changes = Changes(Vec::new());
    settings::compare(old, new, &mut changes);
    dns::compare(&old.dns, &new.dns, &mut changes);
    dns::compare_geo(&old.geo, &new.geo, &mut changes);
    tls::compare(&old.tls, &new.tls, &mut changes);
    regions::compare(old, new, &mut changes);
    pools::compare(old, new, &mut changes);
    routes::compare(old, new, &mut changes);
    policies::compare(old, new, &mut changes);
    zones::compare(old, new, &mut changes);
    changes.0
}

/// Changes on the way.
pub(super) struct Changes(Vec<Change>);

impl Changes {
    pub(super) fn add(&mut self, what: String) {
        self.0.push(Change { what, needs_restart: false });
    }

    /// "`subject`: `field` is now x, was y", where the two differ.
    pub(super) fn field(&mut self, subject: &str, field: &str, old: &str, new: &str) {
        if old != new {
            self.add(format!("{subject}: {field} is now {new}, was {old}"));
        }
    }

    /// "`subject`: `field` changed", where the two differ and are not to be shown, or not shortly.
    pub(super) fn plain<T: PartialEq>(&mut self, subject: &str, field: &str, old: &T, new: &T) {
        if old != new {
            self.add(format!("{subject}: {field} changed"));
        }
    }

    /// A key whose change a running node cannot follow.
    pub(super) fn restart(&mut self, key: &str, old: &str, new: &str) {
        if old != new {
            self.0.push(Change { what: format!("{key} is now {new}, was {old}"), needs_restart: true });
        }
    }

    /// What came, what went, and what is in both, by key.
    pub(super) fn members<'a, T, K: Ord>(
        &mut self,
        old: &'a [T],
        new: &'a [T],
        key: impl Fn(&T) -> K,
        describe: impl Fn(&K) -> String,
    ) -> Vec<(K, &'a T, &'a T)> {
        let mut before: BTreeMap<K, &T> = old.iter().map(|member| (key(member), member)).collect();
        let mut both = Vec::new();
        for new in new {
            let key = key(new);
            match before.remove(&key) {
                Some(old) => both.push((key, old, new)),
                None => self.add(format!("{} came", describe(&key))),
            }
        }
        for key in before.keys() {
            self.add(format!("{} went", describe(key)));
        }
        both
    }
}
