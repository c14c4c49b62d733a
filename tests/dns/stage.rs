//! Zones and their table, made from a config and turned by hand: no sockets, no threads, no clock but the test's.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use meridian::{
    clock::{Random, Ticks, seeded},
    config::{self, Config},
    dns::{Asked, Client, Guard, Moment, Responder, Transport, Zones},
    fleet::Health,
    geo::{Atlas, Charts},
    policy::Flow,
    table::{Compiled, Generation, Membership, OriginSpec, PoolSpec, RegionSpec, RowKey, RowState, Snapshot, Writer},
};

/// Long after everything came up, so that nothing moved lately.
const BEGINNING: Duration = Duration::from_hours(24);
/// The calendar then.
const BEGINNING_UNIX: u32 = 1_700_000_000;
/// What every SOA says.
pub(crate) const SERIAL: u32 = 2026;

/// A table that one config filled, all of it up.
pub(crate) struct Stage {
    config: Config,
    writer: Writer,
    generation: Arc<Generation>,
    flow: Arc<Flow>,
    guard: Arc<Guard>,
    elapsed: Duration,
    /// Seconds after 1970 when nothing had elapsed.
    calendar: u32,
    responder: Responder,
}

impl Stage {
    /// With all regions and pools up since long ago.
    pub(crate) fn new(config: Config) -> Result<Self, String> {
        let mut writer = Writer::new(None);
        let guard = Arc::new(Guard::build(&config.dns, None).map_err(|error| error.to_string())?);
        let flow = Arc::new(Flow::of(&config, None));
        let generation = publish(&mut writer, &config, &guard, &flow, 1)?;
        let mut stage = Self {
            config,
            writer,
            generation,
            flow,
            guard,
            elapsed: Duration::ZERO,
            calendar: BEGINNING_UNIX,
            responder: Responder::new(seeded(1)),
        };
        for key in keys(&stage.config) {
            let row = stage.writer.row(&key).expect("it was published").clone();
            stage.writer.set(&row, RowState::of(Health::Up));
        }
        Ok(stage)
    }

    /// Another config instead; rows, cookies and what each network had go on.
    pub(crate) fn reload(&mut self, config: Config) -> Result<(), String> {
        let known: Vec<RowKey> = keys(&self.config).collect();
        self.guard = Arc::new(Guard::build(&config.dns, Some(&self.guard)).map_err(|error| error.to_string())?);
        self.flow = Arc::new(Flow::of(&config, None));
        self.generation = publish(&mut self.writer, &config, &self.guard, &self.flow, 2)?;
        self.config = config;
        for key in keys(&self.config).filter(|key| !known.contains(key)) {
            let row = self.writer.row(&key).expect("it was published").clone();
            self.writer.set(&row, RowState::of(Health::Up));
        }
        Ok(())
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    pub(crate) fn advance(&mut self, span: Duration) {
        self.elapsed += span;
    }

    /// The date, in seconds after 1970; nothing else of the time changes.
    pub(crate) fn set_calendar(&mut self, seconds: u32) {
        self.calendar = seconds - self.seconds();
    }

    fn seconds(&self) -> u32 {
        u32::try_from(self.elapsed.as_secs()).expect("tests are short")
    }

    /// Draws from here on as this seed has it.
    pub(crate) fn seed(&mut self, random: Random) {
        self.responder = Responder::new(random);
    }

    pub(crate) fn now(&self) -> Duration {
        BEGINNING + self.elapsed
    }

    pub(crate) fn ticks(&self) -> Ticks {
        Ticks(0).after(self.now())
    }

    /// What a row says from now on; false where there is no such row.
    pub(crate) fn change(&mut self, key: &RowKey, state: RowState) -> bool {
        let Some(row) = self.writer.row(key).cloned() else { return false };
        let now = self.ticks();
        self.writer.change(&row, state, now);
        true
    }

    /// So many requests went to a region in this second.
    pub(crate) fn load(&self, region: &str, requests: u32) -> bool {
        let Some(at) = self.config.regions.iter().position(|known| *known.name == *region) else { return false };
        let id = meridian::fleet::RegionId(u16::try_from(at).expect("regions are counted so"));
        for _ in 0..requests {
            self.flow.goes(id, self.now());
        }
        true
    }

    fn moment(&self) -> Moment {
        let millis = u64::try_from(self.now().as_millis()).expect("tests are short");
        Moment { millis, unix: self.calendar + self.seconds() }
    }

    /// One message; what is answered stands in `out`.
    pub(crate) fn respond(&mut self, message: &[u8], client: Client, out: &mut Vec<u8>) -> Asked {
        let (snapshot, now) = (Snapshot { generation: &self.generation, now: self.ticks() }, self.moment());
        self.responder.respond(message, client, now, snapshot, out)
    }

    /// The same from an address, as a value of its own; nothing where nobody is answered.
    pub(crate) fn answer(&mut self, message: &[u8], from: IpAddr, transport: Transport) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        match self.respond(message, Client { address: from, transport }, &mut out) {
            Asked::Answered(_) => Some(out),
            Asked::Dropped(_) => None,
        }
    }
}

/// Every row that health decides on.
fn keys(config: &Config) -> impl Iterator<Item = RowKey> {
    let doors = config.regions.iter().map(|region| RowKey::FrontDoor(Arc::clone(&region.name)));
    let pools = config.pools.iter().flat_map(|pool| {
        let mut regions: Vec<_> = pool.origins.iter().map(|origin| origin.region).collect();
        regions.sort_unstable();
        regions.dedup();
        let name = |region: meridian::fleet::RegionId| Arc::clone(&config.regions[region.index()].name);
        regions.into_iter().map(move |region| RowKey::PoolRegion(Arc::clone(&pool.name), name(region)))
    });
    doors.chain(pools)
}

fn publish(
    writer: &mut Writer,
    config: &Config,
    guard: &Arc<Guard>,
    flow: &Arc<Flow>,
    revision: u64,
) -> Result<Arc<Generation>, String> {
    let atlas = atlas(&config.geo)?;
    let charts = Charts::build(config, &atlas).map_err(|error| error.to_string())?;
    let zones = Zones::build(config, &charts, Arc::clone(guard), SERIAL);
    let regions = config.regions.iter();
    let pools = config.pools.iter().map(|pool| PoolSpec {
        name: Arc::clone(&pool.name),
        balance: pool.balancing.method,
        origins: pool
            .origins
            .iter()
            .map(|origin| OriginSpec {
                address: origin.address.clone(),
                region: origin.region,
                weight: origin.weight,
                tier: origin.tier,
            })
            .collect(),
    });
    Ok(writer.publish(Membership {
        revision,
        regions: regions
            .map(|region| RegionSpec {
                name: Arc::clone(&region.name),
                capacity_per_second: region.capacity_per_second,
            })
            .collect(),
        pools: pools.collect(),
        compiled: Compiled::default().with(zones).with(Arc::clone(flow)),
    }))
}

/// Reading the embedded table takes a while, and most tests want the same one.
fn atlas(settings: &config::Geo) -> Result<Arc<Atlas>, String> {
    static KNOWN: Mutex<Vec<(config::Geo, Arc<Atlas>)>> = Mutex::new(Vec::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, atlas)) = known.iter().find(|(one, _)| one == settings) {
        return Ok(Arc::clone(atlas));
    }
    let atlas = Arc::new(Atlas::load(settings).map_err(|error| error.to_string())?);
    known.push((settings.clone(), Arc::clone(&atlas)));
    Ok(atlas)
}
