use std::path::Path;

use crate::{
    config::{Area, Branch, Config, Identity, Policy, PolicyKind, from_text},
    fleet::{PolicyId, RegionId},
};

/// Three regions, of which the last has no location.
const HEAD: &str = r#"
node.region = "eu"
[regions.eu]
addresses = ["192.0.2.10"]
location = { latitude = 50.1, longitude = 8.7 }
[regions.us]
addresses = ["198.51.100.10"]
location = { latitude = 38.9, longitude = -77.5 }
[regions.xx]
addresses = ["203.0.113.10"]
[pools.shop]
origins = [{ address = "10.0.0.1:8080", region = "eu" }]
[[routes]]
pool = "shop"
"#;

const EU: RegionId = RegionId(0);
const US: RegionId = RegionId(1);
const XX: RegionId = RegionId(2);

fn config(text: &str) -> Config {
    let loaded = from_text("test.toml", text, &Identity::default());
    loaded.config.unwrap_or_else(|| panic!("{}", loaded.diagnostics.render_text(false)))
}

fn zone(steer: &str) -> String {
    format!("[zones.\"shop.example\"]\nnameservers = [\"ns.elsewhere.example\"]\n{steer}\n")
}

fn kind_of<'a>(config: &'a Config, name: &str) -> &'a PolicyKind {
    &config.policies.iter().find(|policy| &*policy.name == name).unwrap().kind
}

#[test]
fn every_kind_means_what_it_says() {
    let config = config(&format!(
        r#"{HEAD}
        [policies]
        by-place.geo = {{ networks = {{ "10.0.0.0/8" = "eu" }}, subdivisions = {{ us-ca = "spread" }}, countries = {{ DE = "eu" }}, continents = {{ EU = "us" }}, default = "first" }}
        close.nearest = {{ bias = {{ us = -20 }} }}
        measured.latency = {{ table = "latency.csv" }}
        spread.weighted = {{ weights = {{ us = 3, close = 1, eu = 0 }} }}
        first.failover = {{ order = ["us", "spread"], trickle = 0.25 }}
        many.multivalue = {{ regions = ["us", "eu"], max = 2 }}
        same.hash = {{ weights = {{ us = 2, eu = 1, xx = 0 }}, v4_prefix = 16 }}
        {}"#,
        zone("")
    ));
    let region = Branch::Region;
    let policy = |name: &str| {
        let position = config.policies.iter().position(|policy| &*policy.name == name).unwrap();
        Branch::Policy(PolicyId(u16::try_from(position).unwrap()))
    };
    let PolicyKind::Geo { networks, areas, default } = kind_of(&config, "by-place") else { panic!() };
    assert_eq!(networks, &[("10.0.0.0/8".parse().unwrap(), region(EU))]);
    assert_eq!(
        areas,
        &[
            (Area::Subdivision("US-CA".parse().unwrap()), policy("spread")),
            (Area::Country("DE".parse().unwrap()), region(EU)),
            (Area::Continent("EU".parse().unwrap()), region(US)),
        ]
    );
    assert_eq!(*default, policy("first"));
    assert_eq!(*kind_of(&config, "close"), PolicyKind::Nearest { regions: vec![(EU, 0), (US, -20)] });
    let table = Path::new("latency.csv").into();
    assert_eq!(*kind_of(&config, "measured"), PolicyKind::Latency { regions: vec![EU, US, XX], table });
    assert_eq!(
        *kind_of(&config, "spread"),
        PolicyKind::Weighted { branches: vec![(policy("close"), 1), (region(US), 3)] }
    );
    assert_eq!(
        *kind_of(&config, "first"),
        PolicyKind::Failover { branches: vec![region(US), policy("spread")], trickle: 25 }
    );
    assert_eq!(*kind_of(&config, "many"), PolicyKind::Multivalue { regions: vec![US, EU], max: 2 });
    assert_eq!(
        *kind_of(&config, "same"),
        PolicyKind::Hash { regions: vec![(EU, 1), (US, 2)], v4_prefix: 16, v6_prefix: 48 }
    );
}

#[test]
fn a_word_is_a_policy_over_the_names_regions() {
    let config = config(&format!(
        "{HEAD}{}",
        zone(
            r#"
            steer.a = { policy = "weighted", weights = { us = 3, xx = 0 } }
            steer.b = { policy = "nearest" }
            steer.c = { policy = "failover", regions = ["xx", "eu"] }
            steer.d = { policy = "multivalue" }
            steer.e = { policy = "hash", regions = ["us", "eu"], weights = { us = 7 } }
            steer.f = { policy = "weighted", regions = ["xx", "us"] }
            "#
        )
    ));
    let region = Branch::Region;
    let of = |owner: &str| {
        let owner = owner.parse().unwrap();
        let steered = config.zones[0].steered.iter().find(|steered| steered.owner == owner).unwrap();
        let policy: &Policy = &config.policies[steered.policy.index()];
        assert!(!policy.is_named());
        (&*policy.name, policy.kind.clone(), steered.permitted.clone())
    };
    assert_eq!(
        of("a.shop.example"),
        ("weighted", PolicyKind::Weighted { branches: vec![(region(EU), 1), (region(US), 3)] }, vec![EU, US])
    );
    assert_eq!(
        of("b.shop.example"),
        ("nearest", PolicyKind::Nearest { regions: vec![(EU, 0), (US, 0)] }, vec![EU, US])
    );
    assert_eq!(
        of("c.shop.example"),
        ("failover", PolicyKind::Failover { branches: vec![region(XX), region(EU)], trickle: 0 }, vec![EU, XX])
    );
    assert_eq!(
        of("d.shop.example"),
        ("multivalue", PolicyKind::Multivalue { regions: vec![EU, US, XX], max: 8 }, vec![EU, US, XX])
    );
    let hash = PolicyKind::Hash { regions: vec![(EU, 1), (US, 7)], v4_prefix: 24, v6_prefix: 48 };
    assert_eq!(of("e.shop.example"), ("hash", hash, vec![EU, US]));
    assert_eq!(
        of("f.shop.example"),
        ("weighted#2", PolicyKind::Weighted { branches: vec![(region(US), 1), (region(XX), 1)] }, vec![US, XX])
    );
}

#[test]
fn without_a_word_it_is_nearest_where_every_region_is_somewhere_and_nothing_is_weighed() {
    let word = |steer: &str| {
        let config = config(&format!("{HEAD}{}", zone(&format!("steer.a = {{ {steer} }}"))));
        config.policies[config.zones[0].steered[0].policy.index()].name.to_string()
    };
    assert_eq!(word(""), "weighted");
    assert_eq!(word("regions = [\"eu\", \"us\"]"), "nearest");
    assert_eq!(word("regions = [\"eu\", \"us\"], weights = { eu = 2 }"), "weighted");
}

#[test]
fn names_that_ask_for_the_same_share_one_policy() {
    let steer: String = (0..5_000).map(|at| format!("steer.n{at} = {{ weights = {{ eu = {} }} }}\n", at % 3)).collect();
    let config = config(&format!("{HEAD}{}", zone(&steer)));
    assert_eq!((config.zones[0].steered.len(), config.policies.len()), (5_000, 3));
}

#[test]
fn a_steered_name_may_lead_wherever_its_policies_do() {
    let config = config(&format!(
        r#"{HEAD}
        [policies]
        outer.geo = {{ countries = {{ DE = "inner" }}, default = "us" }}
        inner.failover = {{ order = ["us", "innermost"] }}
        innermost.weighted = {{ weights = {{ xx = 1 }} }}
        {}"#,
        zone(
            "steer.a = { policy = \"outer\" }\nsteer.b = { policy = \"inner\" }\nsteer.c = { policy = \"innermost\" }"
        )
    ));
    let permitted: Vec<_> = config.zones[0].steered.iter().map(|steered| steered.permitted.clone()).collect();
    assert_eq!(permitted, [vec![US, XX], vec![US, XX], vec![XX]]);
    assert!(config.policies.iter().all(|policy| policy.is_named()));
}

#[test]
fn a_chain_as_long_as_it_may_be_is_good_and_a_longer_one_is_not() {
    let chain = |count: usize| {
        let links = (1..count).map(|at| format!("p{at}.failover.order = [\"p{}\"]\n", at + 1));
        let links: String = links.collect();
        let text = format!(
            "{HEAD}[policies]\n{links}p{count}.failover.order = [\"xx\"]\n{}",
            zone("steer.a = { policy = \"p1\" }")
        );
        from_text("test.toml", &text, &Identity::default())
    };
    let eight = chain(8).config.unwrap();
    assert_eq!(eight.zones[0].steered[0].permitted, [XX]);
    let codes = |count: usize| chain(count).diagnostics.iter().map(|one| one.code.as_str()).collect::<Vec<_>>();
    assert_eq!(codes(9), ["policy-loop"]);
    // As many as there can be, without recursion.
    assert_eq!(codes(10_000), ["policy-loop"]);
    assert_eq!(codes(10_001), ["too-many"]);
}
