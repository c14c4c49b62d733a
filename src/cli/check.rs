//! `meridian check`: whether a config can be used, what is wrong with it, and what it means where nothing is.

use std::{collections::BTreeSet, path::Path};

use crate::{
    config::{CheckKind, CheckTiming, Checks, Config, Identity, Loaded, Pool, duration_as_written, load},
    tls,
};

/// Pools that the summary shows one by one.
const MAX_SHOWN: usize = 20;

/// How the answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// For people.
    Text {
        /// With terminal colours.
        colour: bool,
    },
    /// For editors and CI: the mistakes alone, as one array.
    Json,
}

/// What was found: the text to print, and whether the config can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// Ends with a newline.
    pub(super) text: String,
    /// Whether there is no error; warnings do not count.
    pub(super) is_usable: bool,
}

/// Checks a file or a directory as the node described by `identity` would load it.
pub(super) fn run(path: &Path, identity: &Identity, format: Format) -> Answer {
    let loaded = load(path, identity);
    let about_files = loaded.config.as_ref().map_or_else(Vec::new, tls::check);
    let loaded = loaded.with(about_files);
    let text = match format {
        Format::Text { colour } => text(&loaded, path, colour),
        Format::Json => loaded.diagnostics.render_json(),
    };
    Answer { text, is_usable: loaded.config.is_some() }
}

fn text(loaded: &Loaded, path: &Path, colour: bool) -> String {
    let mistakes = loaded.diagnostics.render_text(colour);
    let gap = if mistakes.is_empty() { "" } else { "\n" };
    let (errors, warnings) = loaded.diagnostics.count();
    let warned = if warnings > 0 { format!(", {}", counted(warnings, "warning")) } else { String::new() };
    let path = path.display();
    match &loaded.config {
        Some(config) => format!("{mistakes}{gap}{path}: good{warned}\n{}", summary(config)),
        None => format!("{mistakes}{gap}{path}: {}{warned}\n", counted(errors, "error")),
    }
}

fn summary(config: &Config) -> String {
    let origins = config.pools.iter().map(|pool| pool.origins.len()).sum();
    let steered = config.zones.iter().map(|zone| zone.steered.len()).sum();
    let node = &config.node;
    let totals = format!(
        "  {}, {} with {}, {}, {} with {}\n  this node is `{}` in region `{}`\n",
        counted(config.regions.len(), "region"),
        counted(config.pools.len(), "pool"),
        counted(origins, "origin"),
        counted(config.routes.len(), "route"),
        counted(config.zones.len(), "zone"),
        counted(steered, "steered name"),
        node.name,
        config.regions[node.region.index()].name,
    );
    let left_out = config.pools.len().saturating_sub(MAX_SHOWN);
    let more = (left_out > 0).then(|| format!("  and {} more\n", counted(left_out, "pool")));
    let pools = config.pools.iter().take(MAX_SHOWN).map(|pool| pool_line(pool));
    let doors = config
        .regions
        .iter()
        .take(MAX_SHOWN)
        .map(|region| format!("  front door of `{}`: {}\n", region.name, bound(&region.check)));
    let crowded = crowding(config).map(|wanted| {
        format!(
            "  if all targets fall silent at once, probes wait for each other and verdicts come later than that: \
             `health.max_in_flight` of {wanted} or more avoids it\n"
        )
    });
    std::iter::once(totals).chain(pools).chain(more).chain(names_line(config)).chain(doors).chain(crowded).collect()
}

/// The names that the node will follow, and whom it asks for them. Nothing is looked up here: that is for where the node runs.
fn names_line(config: &Config) -> Option<String> {
    let origins = config.pools.iter().flat_map(|pool| &pool.origins);
    let names: BTreeSet<_> = origins.filter_map(|origin| origin.address.host()).collect();
    let shown: Vec<_> = names.iter().take(MAX_SHOWN).map(|name| format!("`{name}`")).collect();
    let more = if names.len() > MAX_SHOWN { ", ..." } else { "" };
    let servers: Vec<_> = config.resolver.servers.iter().map(ToString::to_string).collect();
    let servers = if servers.is_empty() { "the system's servers".to_owned() } else { servers.join(", ") };
    let count = counted(names.len(), "name");
    (!names.is_empty()).then(|| format!("  {count} of origins, asked of {servers}: {}{more}\n", shown.join(", ")))
}

/// The probes that would be under way at once if every target were silent, where that is more than may be.
fn crowding(config: &Config) -> Option<usize> {
    // A silent target is asked again after `recheck` until it is out.
    let busy = |timing: &CheckTiming| {
        let again = if timing.fall > 1 { timing.recheck.min(timing.interval) } else { timing.interval };
        timing.timeout.as_secs_f64() / again.max(timing.timeout).as_secs_f64()
    };
    let each = |check: &Checks| {
        let leaves = check.leaves();
        let by_network = leaves.into_iter().filter(|check| !matches!(check.kind, CheckKind::Command { .. }));
        by_network.map(|check| busy(&check.timing)).sum::<f64>()
    };
    #[allow(clippy::cast_precision_loss, reason = "a count of origins is far below 2^52")]
    let origins: f64 = config.pools.iter().map(|pool| pool.origins.len() as f64 * each(&pool.check)).sum();
    #[allow(clippy::cast_precision_loss, reason = "a count of addresses is far below 2^52")]
    let doors: f64 = config.regions.iter().map(|region| region.addresses.len() as f64 * each(&region.check)).sum();
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at most one probe per address and check"
    )]
    let wanted = (origins + doors).ceil() as usize;
    (wanted > config.health.max_in_flight).then_some(wanted)
}

fn pool_line(pool: &Pool) -> String {
    let mut regions: Vec<_> = pool.origins.iter().map(|origin| origin.region).collect();
    regions.sort_unstable();
    regions.dedup();
    let (origins, regions) = (counted(pool.origins.len(), "origin"), counted(regions.len(), "region"));
    format!("  pool `{}`: {origins} in {regions}, {}\n", pool.name, bound(&pool.check))
}

fn bound(check: &Checks) -> String {
    check.detection_bound().map_or_else(
        || "nobody checks, so none is known to work".to_owned(),
        |bound| format!("a dead one is out within {}", duration_as_written(bound)),
    )
}

fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_good_config_is_summed_up() {
        let answer = run(Path::new("config/meridian.toml"), &Identity::default(), Format::Text { colour: false });
        assert!(answer.is_usable, "{}", answer.text);
        assert!(answer.text.starts_with("config/meridian.toml: good\n"), "{}", answer.text);
        for subject in ["pool `shop`", "front door of `home`"] {
            let line = answer.text.lines().find(|line| line.contains(subject)).unwrap();
            assert!(line.contains("a dead one is out within 2s250ms"), "{line}");
        }
        assert!(!answer.text.contains("max_in_flight"), "{}", answer.text);
    }

    #[test]
    fn more_targets_than_can_be_asked_at_once_are_told() {
        let origins: String =
            (0..300).map(|at| format!("{{ address = \"10.0.{}.{}:80\" }}, ", at / 250, at % 250)).collect();
        let text = format!(
            "[regions.home]\naddresses = [\"192.0.2.1\"]\n[pools.shop]\norigins = [{origins}]\n[[routes]]\nhost = \"*\"\npool = \"shop\"\n"
        );
        let config = crate::config::from_text("test.toml", &text, &Identity::default()).config.unwrap();
        assert_eq!(crowding(&config), Some(301), "300 origins and a front door");
        assert!(summary(&config).contains("`health.max_in_flight` of 301 or more"));
    }

    #[test]
    fn files_that_cannot_be_used_are_mistakes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("meridian.toml");
        let text = "tls.certificates = [{ chain = \"absent.pem\", key = \"absent.key\" }]\n\
                    [regions.home]\naddresses = [\"192.0.2.1\"]\n";
        std::fs::write(&path, text).unwrap();
        let answer = run(&path, &Identity::default(), Format::Text { colour: false });
        assert!(!answer.is_usable, "{}", answer.text);
        assert!(answer.text.contains("error[bad-certificate]: `absent.pem` cannot be used: "), "{}", answer.text);
    }

    #[test]
    fn the_names_of_origins_are_told_once_with_who_is_asked() {
        let text = "[regions.home]\naddresses = [\"192.0.2.1\"]\n[[routes]]\npool = \"shop\"\n[pools.shop]\norigins = \
                    [{ address = \"b.example:1\" }, { address = \"a.example:1\" }, { address = \"b.example:2\" }]\n";
        let line = |text: &str| {
            let config = crate::config::from_text("test.toml", text, &Identity::default()).config.unwrap();
            names_line(&config).unwrap()
        };
        assert_eq!(line(text), "  2 names of origins, asked of the system's servers: `a.example`, `b.example`\n");
        let own = format!("resolver.servers = [\"10.0.0.53:53\"]\n{text}");
        assert!(line(&own).contains("asked of 10.0.0.53:53: "));
    }

    #[test]
    fn a_bad_one_is_counted_in_both_forms() {
        let path = Path::new("tests/config/mistakes/several.toml");
        let answer = run(path, &Identity::default(), Format::Text { colour: false });
        assert!(!answer.is_usable && answer.text.contains("several.toml: 6 errors"), "{}", answer.text);
        let answer = run(path, &Identity::default(), Format::Json);
        let mistakes: serde_json::Value = serde_json::from_str(&answer.text).unwrap();
        assert_eq!(mistakes.as_array().unwrap().len(), 6);
    }
}
