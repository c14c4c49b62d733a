//! A control over one pool of any size, all in one region.

use std::sync::Arc;

use meridian::{
    clock::Clock,
    config::{self, Config, Identity, Origin, Pool},
    control::{Control, Start},
    fleet::RegionId,
    table::Compiled,
};

use super::address;

pub(crate) fn one_pool_of(origins: usize) -> Control {
    let start = Start {
        config: Arc::new(config(origins)),
        compiled: Compiled::default(),
        build_selector: None,
        clock: Clock::manual(),
        was_away: false,
    };
    let (control, ..) = Control::open(start).expect("there are no overrides to read");
    control
}

/// As it would be written, but for the origins: reading them is not what is measured.
fn config(origins: usize) -> Config {
    let text = "[regions.a]\naddresses = [\"192.0.2.1\"]\n[pools.pool]\norigins = [{ address = \"192.0.2.2:80\" }]\n\
                check = { tcp = {} }\n[[routes]]\npool = \"pool\"\n";
    let mut config = config::from_text("bench.toml", text, &Identity::default()).config.expect("the config is good");
    let origin = |at: usize| Origin { address: address(at).into(), region: RegionId(0), weight: 100, tier: 0 };
    let pool = Pool { origins: (0..origins).map(origin).collect(), ..Pool::clone(&config.pools[0]) };
    config.pools = vec![Arc::new(pool)];
    config
}
