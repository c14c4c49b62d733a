//! Why a request goes where it goes: each step in words, from the same code and the same snapshot that sends it.

use std::net::IpAddr;

use http::Uri;

use super::{
    Refusal, Routing,
    affinity::{cookie, key},
    decide::{Case, Picker, Plan, standard},
    h1::{Header, Minor, RequestHead},
    route::{Action, Asked, Forward},
    target::Target,
};
use crate::{
    balance::{Standard, Stickiness, Turns},
    clock::{self, Clock},
    fleet::{Explained, Health, HttpQuestion, InspectRequests, PoolId, RegionId},
    policy::{Climb, Grade},
    table::{Pool, RowState, Snapshot, Table},
};

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
        let is_secure = match uri.scheme_str() {
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
        let answer = told.request(&head, authority, is_secure, question.from);
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
        is_secure: bool,
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
        if routing.https_redirect.is_some() && !is_secure {
            return Ok("redirected to https".to_owned());
        }
        match &route.action {
            Action::Redirect(redirect) => Ok(format!("redirected with {}", redirect.status.as_u16())),
            Action::Respond(respond) => Ok(format!("answered here with {}", respond.status.as_u16())),
            Action::Dns => Ok("answered here, as a DNS query".to_owned()),
            Action::Forward(Forward { pool, .. }) => self.forward(position, *pool, &asked, is_secure),
        }
    }

    fn forward(&mut self, route: usize, id: PoolId, asked: &Asked<'_>, is_secure: bool) -> Result<String, Refusal> {
        self.look(id)?;
        let settings = &self.routing.pool(id).line.settings;
        if let Some(resort) = settings.last_resort {
            self.tell("should nobody be left, its last resort is asked:".to_owned());
            self.look(resort)?;
        }
        let key = key(&settings.balancing, asked.headers, asked.path, asked.client);
        let sticky = self.snapshot.generation.compiled::<Stickiness>().and_then(|all| all.of(id));
        let sticky = sticky.map(|sticky| sticky.read(cookie(asked.headers, sticky.cookie())));
        let case = Case { route, pool: id, is_passed_on: false, key, sticky, is_secure };
        self.tell(format!("balanced by `{}`", settings.balancing.method.as_str()));
        if sticky.is_some_and(|shown| shown.origin.is_some()) {
            self.tell("its cookie names the origin that it had".to_owned());
        }
        let mut picker = Picker { turns: Turns::default(), random: clock::random() };
        let plan = picker.pick(&case, self.routing, self.snapshot, &[], self.clock.now())?;
        Ok(self.chosen(&plan))
    }

    /// The regions of a pool, in the order in which they are asked.
    fn look(&mut self, id: PoolId) -> Result<(), Refusal> {
        let (routing, snapshot) = (self.routing, self.snapshot);
        let pool = snapshot.generation.pool(id).ok_or(Refusal::NoHealthyOrigin)?;
        let plan = routing.pool(id);
        let with = Climb {
            pool: (id, pool),
            regions: &plan.regions,
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
                Ok(()) if is_home => "keeps what its weight × 1.4 carries",
                Ok(()) => "has room for what others pass on",
                Err(why) => why.as_str(),
            };
            let (name, row, door) = (self.region(*region), words(row), door.map_or_else(String::new, words));
            self.tell(format!("pool `{}` in region `{name}`{here}: {row}; front door {door}: {verdict}", pool.name));
        }
        Ok(())
    }

    fn chosen(&mut self, plan: &Plan) -> String {
        let Some(pool) = self.snapshot.generation.pool(plan.pool) else { return String::new() };
        let rung = plan.rung;
        self.tell(format!("rung `{}` of the ladder: region `{}`", rung.as_str(), self.region(plan.region)));
        self.origins(pool, plan.region, standard(rung));
        let address = &pool.origins()[plan.origin].address;
        let via = match self.routing.pool(plan.pool).doors.get(plan.region.index()) {
            Some(_) if plan.region != self.routing.home => ", by the front door of its region",
            _ => "",
        };
        format!("to {address} of pool `{}` in region `{}`{via}", pool.name, self.region(plan.region))
    }

    /// What each origin of a region takes.
    fn origins(&mut self, pool: &Pool, region: RegionId, standard: Standard) {
        let positions = pool.positions_in(region);
        let count = positions.len();
        for origin in &pool.origins()[positions][..count.min(MOST_ORIGINS)] {
            let row = origin.row.read(self.snapshot.now);
            let share = f64::from(standard.share(row).get()) / 100.0;
            let left_out = if share > 0.0 && origin.weight > 0 { "" } else { ": left out" };
            self.tell(format!(
                "origin {}: {}, takes {share} % of weight {}{left_out}",
                origin.address,
                words(row),
                origin.weight
            ));
        }
        if count > MOST_ORIGINS {
            self.tell(format!("and {} more", count - MOST_ORIGINS));
        }
    }

    fn region(&self, id: RegionId) -> String {
        self.snapshot.generation.region(id).map_or_else(String::new, |region| region.name.to_string())
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
