//! How the origins of a pool share its requests.

use crate::{
    config::{
        diagnostic::{Code, Diagnostic, Diagnostics, Place},
        document,
        resolved::{Balancing, HashKey, Hashing, PeakEwma, Sticky},
    },
    fleet::{Balance, STANDBY},
};

pub(super) fn resolve(pool: &str, written: &document::Balancing, problems: &mut Diagnostics) -> Balancing {
    let method = match written.balance.value {
        document::Balance::RoundRobin => Balance::RoundRobin,
        document::Balance::LeastConnections => Balance::LeastConnections,
        document::Balance::PeakEwma => Balance::PeakEwma,
        document::Balance::Random => Balance::Random,
        document::Balance::Hash => Balance::Hash,
    };
    let sections =
        [("peak_ewma", written.peak_ewma.place, Balance::PeakEwma), ("hash", written.hash.place, Balance::Hash)];
    for (key, place, needed) in sections {
        if place.is_some() && method != needed && !written.balance.is_stand_in {
            let message = format!("`{key}` has no effect: requests are not balanced so");
            let hint = format!("set `balance = \"{}\"`, or remove `{key}`", needed.as_str());
            let error = Diagnostic::error(Code::Contradiction, message).at(place, "");
            problems.push(error.at(written.balance.place, "how they are").hint(hint));
        }
    }
    Balancing {
        method,
        peak_ewma: PeakEwma {
            decay: written.peak_ewma.decay.value,
            first_estimate: written.peak_ewma.first_estimate.value,
        },
        hash: Hashing { key: key(&written.hash, problems), bound_percent: written.hash.bound.value },
        sticky: written.sticky.as_ref().map(|sticky| Sticky {
            cookie: sticky.cookie.as_ref().map_or_else(|| format!("meridian-{pool}"), |name| name.0.clone()).into(),
            ttl: sticky.ttl.as_ref().map(|ttl| ttl.value),
            secret_file: sticky.secret_file.as_ref().map(|file| file.value.clone()),
        }),
    }
}

fn key(written: &document::Hashing, problems: &mut Diagnostics) -> HashKey {
    let header = written.header.as_ref().map(|name| (HashKey::Header(name.0.as_str().into()), name.place));
    let cookie = written.cookie.as_ref().map(|name| (HashKey::Cookie(name.0.as_str().into()), name.place));
    let path = written.path.value.then_some((HashKey::Path, written.path.place));
    let mut keys = [header, cookie, path].into_iter().flatten();
    let (Some((key, first)), second) = (keys.next(), keys.next()) else { return HashKey::Client };
    if let Some((_, second)) = second {
        let error = Diagnostic::error(Code::Contradiction, "a request has one key");
        problems.push(
            error
                .at(second, "the second")
                .at(first, "the first")
                .hint("keep one of `header`, `cookie` and `path`".to_owned()),
        );
    }
    key
}

/// The tier of an origin.
pub(super) fn tier(written: &document::Origin, problems: &mut Diagnostics) -> u8 {
    let (tier, standby) = (&written.tier, &written.standby);
    if !standby.value {
        return tier.value;
    }
    if tier.place.is_some() {
        contradicts(tier.place, standby.place, problems);
    }
    STANDBY
}

fn contradicts(tier: Option<Place>, standby: Option<Place>, problems: &mut Diagnostics) {
    let error = Diagnostic::error(Code::Contradiction, "a standby stands after all tiers, and has none of its own");
    problems.push(
        error
            .at(tier, "its tier")
            .at(standby, "a standby")
            .hint("remove `standby`, or give it the last `tier` there is".to_owned()),
    );
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::{Identity, Pool, from_text};

    fn load(pool: &str, origin: &str) -> Result<Pool, String> {
        let text = format!(
            "[regions.home]\naddresses = [\"192.0.2.10\"]\n[pools.shop]\n{pool}\n\
             origins = [{{ address = \"10.0.0.1:80\", {origin} }}]\n[[routes]]\npool = \"shop\"\n"
        );
        let loaded = from_text("test.toml", &text, &Identity::default());
        let messages = loaded.diagnostics.render_text(false);
        loaded.config.map(|config| Pool::clone(&config.pools[0])).ok_or(messages)
    }

    #[test]
    fn nothing_written_is_round_robin_in_one_tier() {
        let pool = load("", "weight = 1").unwrap();
        assert_eq!((&pool.balancing, pool.origins[0].tier), (&Balancing::default(), 0));
    }

    #[test]
    fn what_is_written_is_taken_at_its_word() {
        let pool = load("balance = \"hash\"\nhash = { cookie = \"Sid\", bound = 200 }", "tier = 9").unwrap();
        let expected = Hashing { key: HashKey::Cookie("Sid".into()), bound_percent: 200 };
        assert_eq!((pool.balancing.method, pool.balancing.hash, pool.origins[0].tier), (Balance::Hash, expected, 9));
        let written = "balance = \"peak-ewma\"\npeak_ewma = { decay = \"5s\" }\nsticky = { ttl = \"1h\" }";
        let pool = load(written, "standby = true").unwrap();
        assert_eq!(pool.balancing.peak_ewma, PeakEwma { decay: Duration::from_secs(5), ..PeakEwma::default() });
        let hour = Some(Duration::from_hours(1));
        let sticky = Sticky { cookie: "meridian-shop".into(), ttl: hour, secret_file: None };
        assert_eq!((pool.balancing.sticky, pool.origins[0].tier), (Some(sticky), STANDBY));
        let header = load("balance = \"hash\"\nhash = { header = \"X-User\" }", "").unwrap().balancing.hash.key;
        assert_eq!(header, HashKey::Header("x-user".into()));
    }

    #[test]
    fn what_cannot_hold_together_is_said() {
        for (pool, origin, said) in [
            ("hash = { path = true }", "", "`hash` has no effect"),
            ("balance = \"hash\"\npeak_ewma = { decay = \"5s\" }", "", "`peak_ewma` has no effect"),
            ("balance = \"hash\"\nhash = { header = \"a\", cookie = \"b\" }", "", "one key"),
            ("", "tier = 1, standby = true", "a standby stands after all tiers"),
            ("balance = \"fastest\"", "", "there is no such choice"),
            ("sticky = { cookie = \"a;b\" }", "", "names of cookies"),
            ("balance = \"hash\"\nhash = { bound = 120 }", "", "125"),
            ("", "tier = 10", "9"),
        ] {
            let messages = load(pool, origin).unwrap_err();
            assert!(messages.contains(said), "{pool} {origin}: {messages}");
        }
    }
}
