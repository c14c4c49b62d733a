//! What is built before anything fails: regions on a ring, their origins, and how much protects them; and the config that says so.

use std::fmt::Write;

/// How many and how large.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) regions: usize,
    /// In each region.
    pub(crate) servers: usize,
    /// Requests a second that one origin carries.
    pub(crate) server_capacity: f64,
    /// The share of that which clients want on a usual day.
    pub(crate) demand: f64,
    /// How much the demand of a place goes up and down with the time of its day.
    pub(crate) swing: f64,
    /// A place whose clients want another share of what their region carries.
    pub(crate) busy: Option<(usize, f64)>,
    /// Whether resolvers keep their first answer for good, so that nothing but the proxy moves anybody.
    pub(crate) is_pinned: bool,
    /// Whom resolvers ask.
    pub(crate) asks: Asks,
    pub(crate) protections: Protections,
    /// A verdict that still holds is said again after so long; 0 is with each probe, as nodes do. The large scene cannot afford that.
    pub(crate) renews_ms: u64,
    /// Seconds over which an origin's load is what it is; longer where it sees few requests.
    pub(crate) smoothing: f64,
}

/// Which of the nodes that live a resolver asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asks {
    /// The one next to it, as with anycast.
    Nearest,
    /// Any of them.
    Any,
}

/// What keeps a failure from spreading. Every part of it can be taken out.
#[derive(Clone, Debug)]
pub(crate) struct Protections {
    /// Seconds.
    pub(crate) hold: u32,
    pub(crate) region_hold: u32,
    pub(crate) ramp: u32,
    pub(crate) slow_start: u32,
    /// In ten seconds; 0 is all at once.
    pub(crate) spill_percent: u32,
    pub(crate) rise: u32,
    pub(crate) fall: u32,
    pub(crate) interval_ms: u64,
    pub(crate) recheck_ms: u64,
    /// Whether regions say what they are built for, so that they can refuse more than 80 % of it.
    pub(crate) says_capacity: bool,
}

impl Protections {
    /// As nobody wrote it.
    pub(crate) const DEFAULT: Self = Self {
        hold: 30,
        region_hold: 300,
        ramp: 60,
        slow_start: 30,
        spill_percent: 10,
        rise: 3,
        fall: 2,
        interval_ms: 1_000,
        recheck_ms: 250,
        says_capacity: true,
    };
    /// The same, with a shorter wait for a lost region, so that a scene that is not about it ends sooner.
    pub(crate) const BRISK: Self = Self { region_hold: 60, ..Self::DEFAULT };
}

/// The longest that an answer is kept, in seconds.
pub(crate) const TTL: u64 = 30;
/// The name of the pool.
pub(crate) const POOL: &str = "shop";

impl Plan {
    pub(crate) fn small() -> Self {
        Self {
            regions: 4,
            servers: 6,
            server_capacity: 50.0,
            demand: 0.4,
            swing: 0.0,
            busy: None,
            is_pinned: false,
            asks: Asks::Any,
            protections: Protections::BRISK,
            renews_ms: 0,
            smoothing: 4.0,
        }
    }

    pub(crate) fn region_capacity(&self) -> f64 {
        self.servers as f64 * self.server_capacity
    }

    /// Requests a second of one place.
    pub(crate) fn demand_at(&self, place: usize, seconds: f64) -> f64 {
        let day = std::f64::consts::TAU * (seconds / 600.0 + place as f64 / self.regions as f64);
        let demand = self.busy.filter(|(busy, _)| *busy == place).map_or(self.demand, |(_, demand)| demand);
        self.region_capacity() * demand * (1.0 + self.swing * day.sin())
    }

    pub(crate) fn region_name(at: usize) -> String {
        format!("r{at:02}")
    }

    /// Degrees east. Uneven, so that everybody has one nearest neighbour.
    fn longitude(&self, region: usize) -> f64 {
        let step = 360.0 / self.regions as f64;
        (region as f64 + 0.07 * (region * 5 % 7) as f64) * step - 180.0
    }

    /// The regions, nearest first, as seen from a place that stands next to one of them.
    pub(crate) fn order(&self, place: usize) -> Vec<usize> {
        let distance = |other: usize| {
            let apart = (self.longitude(place) - self.longitude(other)).abs();
            apart.min(360.0 - apart)
        };
        let mut order: Vec<usize> = (0..self.regions).collect();
        order.sort_by(|left, right| distance(*left).total_cmp(&distance(*right)));
        order
    }

    /// The config of the node in the first region; the others differ in where they stand.
    pub(crate) fn config(&self) -> String {
        let Protections { hold, region_hold, ramp, slow_start, spill_percent, .. } = self.protections;
        let Protections { rise, fall, interval_ms, recheck_ms, says_capacity, .. } = self.protections;
        let check = format!(
            "check.tcp = {{ interval = \"{interval_ms}ms\", recheck = \"{recheck_ms}ms\", rise = {rise}, fall = {fall} }}\n"
        );
        let mut text = format!(
            "[node]\nregion = \"r00\"\n[dns]\nrate_limit.enabled = false\ncookies.enabled = false\n\
             [failover]\nhold = \"{hold}s\"\nregion_hold = \"{region_hold}s\"\nramp = \"{ramp}s\"\nspill_percent = {spill_percent}\n\
             [pools.{POOL}]\nslow_start.window = \"{slow_start}s\"\n{check}\
             [zones.\"shop.example\"]\nnameservers = [\"ns.elsewhere.example\"]\n"
        );
        for region in 0..self.regions {
            let (name, longitude) = (Self::region_name(region), self.longitude(region));
            let order: Vec<String> =
                self.order(region).into_iter().map(|at| format!("\"{}\"", Self::region_name(at))).collect();
            // A string takes every write.
            _ = write!(
                text,
                "[zones.\"shop.example\".steer.p{region:02}]\npolicy = \"failover\"\nregions = [{}]\npools = [\"{POOL}\"]\n\
                 ttl = \"{TTL}s\"\nmin_ttl = \"5s\"\n\
                 [regions.{name}]\naddresses = [\"192.0.2.{}\"]\nlocation = {{ latitude = 0.0, longitude = {longitude:.3} }}\n{check}",
                order.join(", "),
                region + 1,
            );
            if says_capacity {
                _ = writeln!(text, "capacity = \"{:.0}/s\"", self.region_capacity());
            }
            for server in 0..self.servers {
                let (high, low) = (server / 200, server % 200 + 1);
                _ = write!(
                    text,
                    "[[pools.{POOL}.origins]]\naddress = \"10.{region}.{high}.{low}:80\"\nregion = \"{name}\"\n"
                );
            }
        }
        text
    }
}
