//! What happens to whom and when, and what has to hold meanwhile.

use super::{
    plan::{Asks, Plan, Protections},
    watch::Invariant,
};

/// One thing that is done to a region, to its origins or to its node.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Event {
    /// Front door, node and origins are gone.
    Lose,
    /// They are back; the node starts anew and the origins are cold.
    Restore,
    /// This share of its origins refuses connections.
    Kill(f64),
    /// All origins work again, and those that were dead are cold.
    Revive,
    /// From now on its origins get so many milliseconds slower with every second.
    Slow(f64),
    /// This share of what its origins answer is an error.
    Grey(f64),
    /// Nothing ails its origins any more.
    Cure,
    /// Its node's probes fail, whatever they ask.
    Blind,
    /// They do not any more.
    See,
    /// Its node reads its config again.
    Reload,
}

impl Event {
    /// For the picture.
    pub(crate) fn label(self) -> String {
        match self {
            Self::Lose => "lost".into(),
            Self::Restore => "back".into(),
            Self::Kill(share) => format!("{:.0} % of origins die", share * 100.0),
            Self::Revive => "origins back, cold".into(),
            Self::Slow(by) => format!("{by:.0} ms slower per s"),
            Self::Grey(share) => format!("{:.0} % errors", share * 100.0),
            Self::Cure => "cured".into(),
            Self::Blind => "its probes fail".into(),
            Self::See => "its probes work".into(),
            Self::Reload => "reload".into(),
        }
    }
}

/// What has to hold, beyond what always does.
#[derive(Clone, Debug)]
pub(crate) struct Bounds {
    /// How often the share of a region may turn around.
    pub(crate) turns: usize,
    /// How far a region that nothing ails may be driven while there is room elsewhere.
    pub(crate) driven: f64,
    /// Verdicts of one node on one origin that may turn.
    pub(crate) verdicts: u32,
    /// Whether everybody is to have its own clients again at the end.
    pub(crate) returns: bool,
    /// What is known not to hold; `findings` says why.
    pub(crate) known: &'static [Invariant],
}

/// One story.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) plan: Plan,
    pub(crate) seconds: u64,
    /// Second, region, what.
    pub(crate) events: Vec<(u64, usize, Event)>,
    pub(crate) bounds: Bounds,
}

impl Scenario {
    fn new(name: &'static str, title: &'static str, seconds: u64, events: &[(u64, usize, Event)]) -> Self {
        let bounds = Bounds { turns: 2, driven: 0.95, verdicts: 4, returns: true, known: &[] };
        Self { name, title, plan: Plan::small(), seconds, events: events.to_vec(), bounds }
    }

    /// The same with something changed.
    #[must_use]
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
}

/// One region of four goes, is back, and is waited for.
pub(crate) fn region_loss() -> Scenario {
    let events = [(60, 1, Event::Lose), (100, 2, Event::Reload), (150, 1, Event::Restore)];
    Scenario::new("region-loss", "A region is lost and comes back cold", 400, &events)
}

/// The smallest fleet, on a day whose demand goes up and down.
pub(crate) fn three_regions() -> Scenario {
    let events = [(60, 1, Event::Lose), (150, 1, Event::Restore)];
    Scenario::new("three-regions", "One of three regions is lost while demand goes up and down", 400, &events).with(
        |scenario| {
            (scenario.plan.regions, scenario.plan.demand, scenario.plan.swing) = (3, 0.3, 0.3);
        },
    )
}

/// The same with all waits as they are where nobody wrote them.
pub(crate) fn region_loss_by_default() -> Scenario {
    region_loss().with(|scenario| {
        (scenario.name, scenario.seconds) = ("region-loss-by-default", 640);
        scenario.plan.protections = Protections::DEFAULT;
    })
}

/// A region that comes and goes with everything in it, also its node, which clients ask.
pub(crate) fn region_flaps() -> Scenario {
    region_loss().with(|scenario| {
        (scenario.name, scenario.title) = ("region-flaps", "A region comes and goes with its node every forty seconds");
        let one = |at: u64| [(at, 1, Event::Lose), (at + 20, 1, Event::Restore)];
        scenario.events = (0..5).flat_map(|time| one(60 + 40 * time)).collect();
        scenario.plan.asks = Asks::Nearest;
        // It really went and came as often, and sooner than all clients forget an answer from before it first went.
        (scenario.bounds.verdicts, scenario.bounds.turns) = (12, 4);
        scenario.bounds.known = &[Invariant::HeldBack];
    })
}

/// All of a pool dies in one region, and comes back cold.
pub(crate) fn cold_start() -> Scenario {
    let events = [(60, 1, Event::Kill(1.0)), (120, 1, Event::Revive)];
    Scenario::new("cold-start", "All origins of a region die and come back cold", 320, &events)
}

/// A pool that dies and lives again, every forty seconds.
pub(crate) fn flapping() -> Scenario {
    let one = |at: u64| [(at, 1, Event::Kill(1.0)), (at + 20, 1, Event::Revive)];
    let events: Vec<_> = (0..5).flat_map(|time| one(60 + 40 * time)).collect();
    Scenario::new("flapping", "The origins of a region die and live again every forty seconds", 440, &events)
        .with(|scenario| scenario.bounds.verdicts = 12)
}

/// A region's origins get slower until nobody would wait for them.
pub(crate) fn slow_death() -> Scenario {
    let events = [(60, 2, Event::Slow(15.0)), (180, 2, Event::Cure)];
    Scenario::new("slow-death", "The origins of a region get slower and slower", 380, &events)
}

/// One error in a hundred, which is no death.
pub(crate) fn grey_failure() -> Scenario {
    let events = [(60, 0, Event::Grey(0.01)), (300, 0, Event::Cure)];
    Scenario::new("grey-failure", "The origins of a region fail one request in a hundred", 380, &events)
}

/// Half of a region is gone; what is left keeps what it carries.
pub(crate) fn partial_loss() -> Scenario {
    let events = [(60, 1, Event::Kill(0.5)), (220, 1, Event::Revive)];
    Scenario::new("partial-loss", "Half of a region's origins die", 360, &events)
}

/// The same in a busy region: what is left of it could not carry all for as long as spill is eased.
pub(crate) fn busy_loss() -> Scenario {
    partial_loss().with(|scenario| {
        (scenario.name, scenario.title) = ("busy-loss", "Half of a busy region's origins die");
        (scenario.plan.demand, scenario.plan.protections.slow_start) = (0.55, 60);
    })
}

/// Two thirds of a quiet region are gone.
pub(crate) fn deep_loss() -> Scenario {
    let events = [(60, 1, Event::Kill(0.67)), (220, 1, Event::Revive)];
    Scenario::new("deep-loss", "Two thirds of a quiet region's origins die", 360, &events).with(|scenario| {
        scenario.plan.demand = 0.25;
    })
}

/// The busiest region's origins die, and its clients never ask DNS again: its node has to find room for them.
pub(crate) fn pinned() -> Scenario {
    let events = [(60, 1, Event::Kill(1.0))];
    Scenario::new("pinned", "The busiest region's origins die, and its clients ask no DNS", 200, &events).with(
        |scenario| {
            (scenario.plan.demand, scenario.plan.busy, scenario.plan.is_pinned) = (0.1, Some((1, 0.9)), true);
            scenario.bounds.returns = false;
        },
    )
}

/// A node sees nothing, for a short while and for a long one, and its clients notice nothing.
pub(crate) fn blind_node() -> Scenario {
    let events = [(60, 1, Event::Blind), (75, 1, Event::See), (150, 1, Event::Blind), (210, 1, Event::See)];
    Scenario::new("blind-node", "The probes of one node fail, and its traffic works", 400, &events)
        .with(|scenario| scenario.bounds.verdicts = 8)
}

/// Everybody is busy when a region goes: the next one alone could not take its clients.
pub(crate) fn tight() -> Scenario {
    let events = [(60, 1, Event::Lose)];
    Scenario::new("tight", "A region is lost, and its neighbour has no room for all of its clients", 180, &events).with(
        |scenario| {
            (scenario.plan.regions, scenario.plan.demand, scenario.plan.asks) = (5, 0.55, Asks::Nearest);
            scenario.bounds.returns = false;
        },
    )
}

/// Fifty regions, two thousand origins, and three regions gone at once.
pub(crate) fn many_regions() -> Scenario {
    let events = [(30, 10, Event::Lose), (30, 25, Event::Lose), (30, 40, Event::Lose)];
    Scenario::new("many-regions", "Three of fifty regions are lost at once", 80, &events).with(|scenario| {
        let plan = &mut scenario.plan;
        (plan.regions, plan.servers, plan.server_capacity) = (50, 40, 2.5);
        (plan.protections.interval_ms, plan.renews_ms, plan.smoothing) = (8_000, 20_000, 20.0);
        scenario.bounds.returns = false;
    })
}
