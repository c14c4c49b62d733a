//! A table of three regions, all up, and a zone with so many static names and one that is steered to the nearest region.

use meridian::{
    clock::{Ticks, seeded},
    config::{self, Identity},
    dns::{Client, Guard, Moment, Responder, Transport, Zones},
    fleet::Health,
    geo::{Atlas, Charts},
    table::{Compiled, Generation, Membership, OriginSpec, PoolSpec, RegionSpec, RowKey, RowState, Snapshot, Writer},
};
use std::{fmt::Write, sync::Arc};

/// Who asks: a resolver that is not exempt from rate limits.
pub(crate) const CLIENT: Client =
    Client { address: std::net::IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 1)), transport: Transport::Udp };

/// Long after everything has come to rest.
const NOW: Ticks = Ticks(10_000);

/// Everything that answering needs.
pub(crate) struct Scene {
    generation: Arc<Generation>,
    _writer: Writer,
    responder: Responder,
    out: Vec<u8>,
}

impl Scene {
    pub(crate) fn new(names: usize) -> Self {
        let places = [(50.1, 8.7), (39.0, -77.5), (1.4, 103.8)];
        let mut text = String::from(
            "[node]\nregion = \"r1\"\n[dns.rate_limit]\nper_second = 1000000\n\
             [zones.\"shop.example\"]\nnameservers = [\"ns.elsewhere.example\"]\n\
             [zones.\"shop.example\".steer.\"@\"]\npools = [\"shop\"]\npolicy = \"nearest\"\n",
        );
        // A string takes every write.
        for (at, (latitude, longitude)) in (1..).zip(places) {
            _ = write!(
                text,
                "[regions.r{at}]\naddresses = [\"192.0.2.{at}\"]\nlocation = {{ latitude = {latitude}, longitude = {longitude} }}\n\
                 [[pools.shop.origins]]\naddress = \"127.0.0.1:{at}\"\nregion = \"r{at}\"\n"
            );
        }
        text.push_str("[zones.\"shop.example\".records]\n");
        (0..names).for_each(|at| _ = writeln!(text, "n{at}.A = [\"192.0.2.9\"]"));
        let loaded = config::from_text("bench.toml", &text, &Identity::default());
        let config = loaded.config.unwrap_or_else(|| panic!("{}", loaded.diagnostics.render_text(false)));
        let atlas = Atlas::load(&config.geo).expect("the embedded one");
        let charts = Charts::build(&config, &atlas).expect("there is nothing to read");
        let guard = Guard::build(&config.dns, None).expect("there is nothing to read");
        let zones = Zones::build(&config, &charts, guard.into(), 1);
        let writer = table(&config, zones);
        let generation = writer.table().load();
        Self { generation, _writer: writer, responder: Responder::new(seeded(1)), out: Vec::with_capacity(4096) }
    }

    /// Answers one message; the answer's length.
    pub(crate) fn answer(&mut self, message: &[u8]) -> usize {
        let snapshot = Snapshot { generation: &self.generation, now: NOW };
        self.responder.respond(message, CLIENT, Moment { millis: 1_000_000, unix: 1_000 }, snapshot, &mut self.out);
        self.out.len()
    }
}

fn table(config: &config::Config, zones: Zones) -> Writer {
    let mut writer = Writer::new(None);
    let origin = |origin: &config::Origin| OriginSpec {
        address: origin.address.clone(),
        region: origin.region,
        weight: origin.weight,
        tier: origin.tier,
    };
    let pools = config.pools.iter().map(|pool| PoolSpec {
        name: pool.name.clone(),
        balance: pool.balancing.method,
        origins: pool.origins.iter().map(origin).collect(),
    });
    let regions = config.regions.iter().map(|region| RegionSpec { name: region.name.clone(), capacity_per_second: 0 });
    writer.publish(Membership {
        revision: 1,
        pools: pools.collect(),
        regions: regions.collect(),
        compiled: Compiled::default().with(zones),
    });
    for region in &config.regions {
        for key in [RowKey::FrontDoor(region.name.clone()), RowKey::PoolRegion("shop".into(), region.name.clone())] {
            let row = writer.row(&key).expect("it was published").clone();
            writer.set(&row, RowState::of(Health::Up));
        }
    }
    writer
}

/// A query for an A record; with EDNS, and a client subnet of 24 bits where one is given.
pub(crate) fn question(name: &str, subnet: Option<[u8; 3]>) -> Vec<u8> {
    let mut message = vec![0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1];
    for label in name.split('.') {
        message.push(u8::try_from(label.len()).expect("a label"));
        message.extend_from_slice(label.as_bytes());
    }
    message.extend_from_slice(&[0, 0, 1, 0, 1, 0, 0, 41, 4, 208, 0, 0, 0, 0, 0]);
    match subnet {
        Some(bytes) => {
            message.extend_from_slice(&[11, 0, 8, 0, 7, 0, 1, 24, 0]);
            message.extend_from_slice(&bytes);
        }
        None => message.push(0),
    }
    message
}
