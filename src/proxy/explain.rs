//! Why a request goes where it goes: each step in words, from the same code and the same snapshot that sends it.
//!
//! How much a region, a tier or an origin gets is not worked out a second time: such a request is picked for [`DRAWS`] times, and counted.

use std::{collections::BTreeMap, net::IpAddr};

use http::Uri;

use super::{
    Refusal, Routing,
    decide::{Case, Picker, Plan},
    h1::{Header, Minor, RequestHead},
    route::{Action, Asked, Forward},
    target::Target,
    witness::Witness,
};
use crate::{
    balance::{Stickiness, Turns},
    clock::{self, Clock},
    fleet::{Explained, Health, HttpQuestion, InspectRequests, PoolId, RegionId, STANDBY},
    policy::{Climb, Grade, Rung},
    table::{Origin, RowState, Snapshot, Table},
};

/// How often a request is picked for, to see what its lots come to.
const DRAWS: u32 = 1_000;
/// Origins of a region that are named; of the others only how many.
const MOST_ORIGINS: usize = 50;

/// Explains where the table's routes lead.
#[derive(Debug)]
pub struct Explainer {
    table: Table,
    clock: Clock,
}

impl Explainer {
    /// Of this table, now and later.
    pub fn new(table: Table, clock: Clock) -> Self {
        Self { table, clock }
    }
}

impl InspectRequests for Explainer {
    fn explain_request(&self, question: &HttpQuestion) -> Result<Explained, String> {
        let uri: Uri = question.url.parse().map_err(|why| format!("`{}` is no URL: {why}", question.url))?;
        let authority = uri.authority().ok_or_else(|| format!("`{}` names no host", question.url))?.as_str();
        let is_tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(format!("`{}` is no http or https URL", question.url)),
        };
        let generation = self.table.load();
        let snapshot = Snapshot { generation: &generation, now: self.clock.ticks() };
        let routing: &Routing = generation.compiled().ok_or("no routes are in force")?;
        let headers: Vec<Header<'_>> =
            question.headers.iter().map(|(name, value)| Header { name, value: value.as_bytes() }).collect();
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        let head = RequestHead { method: &question.method, target, minor: Minor::One, headers: &headers };
        let mut told = Told { routing, snapshot, clock: &self.clock, steps: Vec::new() };
        let witness = Witness::new(routing, &headers, question.from, is_tls);
        let answer = told.request(&head, authority, &witness, question.from);
        let answer = answer.unwrap_or_else(|refusal| format!("refused: {}, {}", refusal.as_str(), refusal.detail()));
        Ok(Explained { steps: told.steps, answer: vec![answer] })
    }
}

struct Told<'a> {
    routing: &'a Routing,
    snapshot: Snapshot<'a>,
    clock: &'a Clock,
    steps: Vec<String>,
}

impl Told<'_> {
    fn tell(&mut self, what: String) {
        self.steps.push(what);
    }

    fn request(
        &mut self,
        head: &RequestHead<'_>,
        authority: &str,
        witness: &Witness<'_>,
        client: IpAddr,
    ) -> Result<String, Refusal> {
        let routing = self.routing;
        let target = Target::read(head, Some(authority))?;
        let (method, headers) = (head.method, head.headers);
        let asked = Asked { method, host: target.host(), path: target.path(), query: target.query(), headers, client };
        self.tell(format!("{method} for host `{}`, path `{}`, from {client}", asked.host, asked.path));
        let position = routing.find(&asked)?;
        let route = routing.route(position);
        self.tell(format!("route `{}` takes it", route.metrics.route()));
        if routing.https_redirect.is_some() && !witness.is_secure() {
            return Ok("redirected to https".to_owned());
        }
        match &route.action {
            Action::Redirect(redirect) => Ok(format!("redirected with {}", redirect.status.as_u16())),
            Action::Respond(respond) => Ok(format!("answered here with {}", respond.status.as_u16())),
            Action::Dns => Ok("answered here, as a DNS query".to_owned()),
            Action::Forward(Forward { pool, .. }) => self.forward(position, *pool, (asked.host, asked.path), witness),
        }
    }

    fn forward(
        &mut self,
        route: usize,
        id: PoolId,
        asked: (&str, &str),
        witness: &Witness<'_>,
    ) -> Result<String, Refusal> {
        let sticky = self.snapshot.generation.compiled::<Stickiness>().and_then(|all| all.of(id));
        let case = witness.case(route, id, asked, sticky)?;
        if case.is_passed_on {
            self.tell("it came through another region, and so stays in this one".to_owned());
        }
        self.look(&case)?;
        if let Some(resort) = self.routing.pool(id).line.settings.last_resort {
            self.tell("should nobody be left, its last resort is asked:".to_owned());
            self.look(&Case { pool: resort, ..case })?;
        }
        if case.sticky.is_some_and(|shown| shown.origin.is_some()) {
            self.tell("its cookie names the origin that it had".to_owned());
        }
        let mut picker = Picker { turns: Turns::default(), random: clock::random() };
        let mut pick = || picker.pick(&case, self.routing, self.snapshot, &[], self.clock.now());
        let mut drawn = Drawn::default();
        // Each is let go of before the next: a plan that is held is load.
        (0..DRAWS).filter_map(|_| pick().ok()).for_each(|plan| drawn.count(&plan));
        let plan = pick()?;
        self.drawn(&drawn);
        Ok(self.chosen(&plan))
    }

    /// The regions of a pool, in the order in which they are asked.
    fn look(&mut self, case: &Case) -> Result<(), Refusal> {
        let (routing, snapshot) = (self.routing, self.snapshot);
        let pool = snapshot.generation.pool(case.pool).ok_or(Refusal::NoHealthyOrigin)?;
        let plan = routing.pool(case.pool);
        let permitted =
            case.fence.map_or_else(|| plan.regions.to_vec(), |fence| routing.fences.keep(fence, &plan.regions));
        let with = Climb {
            pool: (case.pool, pool),
            regions: &permitted,
            home: routing.home,
            by_door: !plan.doors.is_empty(),
            tried: &[],
            when_all_down: plan.line.settings.when_all_down,
            snapshot,
            flow: &routing.flow,
            now: self.clock.now(),
        };
        for region in &*plan.regions {
            let is_home = *region == routing.home;
            let fits = if is_home { with.is(Grade::Proven, *region).map(|_| ()) } else { with.takes_spill(*region) };
            let row = pool.region(*region).map(|entry| entry.row.read(snapshot.now)).unwrap_or_default();
            let door = snapshot.generation.region(*region).map(|region| region.front_door.read(snapshot.now));
            let here = if is_home { ", this one" } else { "" };
            let verdict = match fits {
                _ if !permitted.contains(region) => "`residency` of the host does not permit it".to_owned(),
                _ if case.is_passed_on && !is_home => "not asked".to_owned(),
                Ok(()) if is_home => format!("keeps {:.1} % of what comes", 100.0 * with.part_that_stays()),
                Ok(()) => "has room for what others pass on".to_owned(),
                Err(why) => why.as_str().to_owned(),
            };
            let (name, row, door) = (self.region(*region), words(row), door.map_or_else(String::new, words));
            self.tell(format!("pool `{}` in region `{name}`{here}: {row}; front door {door}: {verdict}", pool.name));
        }
        Ok(())
    }

    /// What the lots came to: by rung and region, and in those by origin.
    fn drawn(&mut self, drawn: &Drawn) {
        for (&(rung, id, region), origins) in &drawn.0 {
            let Some(pool) = self.snapshot.generation.pool(id) else { continue };
            let (all, at) = (origins.values().sum(), self.region(region));
            let method = self.routing.pool(id).line.settings.balancing.method.as_str();
            let share = if all == DRAWS { "all".to_owned() } else { percent(all) };
            self.tell(format!(
                "rung `{}` of the ladder: region `{at}` of pool `{}` gets {share} of such requests, balanced by `{method}`",
                rung.as_str(),
                pool.name
            ));
            let positions = pool.positions_in(region);
            let members = &pool.origins()[positions.clone()];
            let has_tiers = members.iter().any(|origin| origin.tier != members[0].tier);
            for (position, origin) in positions.zip(members).take(MOST_ORIGINS) {
                let share = origins.get(&position).map_or_else(|| "none".to_owned(), |count| percent(*count));
                let (row, tier) = (words(origin.row.read(self.snapshot.now)), tier(origin, has_tiers));
                self.tell(format!("origin {}: {row}, weight {}{tier}: gets {share}", origin.address, origin.weight));
            }
            if members.len() > MOST_ORIGINS {
                self.tell(format!("and {} more", members.len() - MOST_ORIGINS));
            }
        }
    }

    fn chosen(&self, plan: &Plan) -> String {
        let Some(pool) = self.snapshot.generation.pool(plan.pool) else { return String::new() };
        let address = &pool.origins()[plan.origin].address;
        let via = match self.routing.pool(plan.pool).doors.get(plan.region.index()) {
            Some(_) if plan.region != self.routing.home => ", by the front door of its region",
            _ => "",
        };
        format!("to {address} of pool `{}` in region `{}`{via}", pool.name, self.region(plan.region))
    }

    fn region(&self, id: RegionId) -> String {
        self.snapshot.generation.region(id).map_or_else(String::new, |region| region.name.to_string())
    }
}

/// How often each origin was picked, by its position.
#[derive(Default)]
struct Drawn(BTreeMap<(Rung, PoolId, RegionId), BTreeMap<usize, u32>>);

impl Drawn {
    fn count(&mut self, plan: &Plan) {
        *self.0.entry((plan.rung, plan.pool, plan.region)).or_default().entry(plan.origin).or_default() += 1;
    }
}

fn percent(count: u32) -> String {
    format!("{} %", f64::from(count * 100) / f64::from(DRAWS))
}

fn tier(origin: &Origin, has_tiers: bool) -> String {
    match origin.tier {
        _ if !has_tiers => String::new(),
        STANDBY => ", a standby".to_owned(),
        tier => format!(", tier {tier}"),
    }
}

fn words(row: RowState) -> String {
    let mut words = match row.health {
        Health::Unknown => "without a verdict".to_owned(),
        health => health.as_str().to_owned(),
    };
    let flags = [
        (row.is_draining, "draining"),
        (row.is_forced, "by an operator's word"),
        (row.is_drilled, "by a drill"),
        (row.is_stale, "stale"),
        (row.is_returning, "returning"),
    ];
    for (_, word) in flags.iter().filter(|(is_so, _)| *is_so) {
        words = format!("{words}, {word}");
    }
    format!("{words}, {} %", f64::from(row.weight.get()) / 100.0)
}
