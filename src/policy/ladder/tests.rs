use super::*;
use crate::{
    clock::{Ticks, seeded},
    config::{self, Identity},
    fleet::{Address, Balance},
    table::{Membership, OriginSpec, PoolSpec, RegionSpec, RowHandle, RowKey, Writer},
};

const REGIONS: [&str; 3] = ["home", "near", "far"];
const UP: RowState = RowState::of(Health::Up);
const DOWN: RowState = RowState { health: Health::Down, ..UP };

fn flow() -> Flow {
    let config = "[node]\nregion = \"home\"\n[regions.home]\naddresses = [\"192.0.2.1\"]\n[regions.near]\naddresses = [\"192.0.2.2\"]\n\
                  [regions.far]\naddresses = [\"192.0.2.3\"]\n";
    Flow::of(&config::from_text("test.toml", config, &Identity::default()).config.unwrap(), None)
}

/// Three regions with one origin each, all up; the second takes 100 requests a second.
struct Scene {
    writer: Writer,
    flow: Flow,
    by_door: bool,
    tried: Vec<usize>,
    when_all_down: WhenAllDown,
}

impl Scene {
    fn new() -> Self {
        let mut writer = Writer::new(None);
        let origin = |region: u16| OriginSpec {
            address: Address::Fixed(([127, 0, 0, 1], 1000 + region).into()),
            region: RegionId(region),
            weight: 1,
            tier: 0,
        };
        let region = |name: &&str| RegionSpec {
            name: (*name).into(),
            capacity_per_second: if *name == "near" { 100 } else { 0 },
        };
        writer.publish(Membership {
            pools: vec![PoolSpec {
                name: "shop".into(),
                balance: Balance::RoundRobin,
                origins: (0..3).map(origin).collect(),
            }],
            regions: REGIONS.iter().map(region).collect(),
            ..Membership::default()
        });
        let mut scene =
            Self { writer, flow: flow(), by_door: false, tried: Vec::new(), when_all_down: WhenAllDown::Open };
        for region in 0..3 {
            scene.say(region, UP);
            scene.say_door(region, UP);
        }
        scene
    }

    fn set(&mut self, key: &RowKey, state: RowState) {
        let row: RowHandle = self.writer.row(key).unwrap().clone();
        self.writer.set(&row, state);
    }

    /// Of the pool's origin in a region, and so of the pool there.
    fn say(&mut self, region: usize, state: RowState) {
        let port = 1000 + u16::try_from(region).unwrap();
        self.set(&RowKey::Origin("shop".into(), Address::Fixed(([127, 0, 0, 1], port).into())), state);
        let derived = RowState { is_forced: false, is_draining: state.is_withheld(), ..state };
        self.set(&RowKey::PoolRegion("shop".into(), REGIONS[region].into()), derived);
    }

    fn say_door(&mut self, region: usize, state: RowState) {
        self.set(&RowKey::FrontDoor(REGIONS[region].into()), state);
    }

    fn climb(&self, seed: u64) -> Option<(Rung, &'static str)> {
        self.with(|climb| super::climb(climb, &mut seeded(seed))).map(|(rung, region)| (rung, REGIONS[region.index()]))
    }

    fn with<T>(&self, ask: impl FnOnce(&Climb<'_>) -> T) -> T {
        let generation = self.writer.table().load();
        let with = Climb {
            pool: (PoolId(0), &generation.pools()[0]),
            regions: &[RegionId(0), RegionId(1), RegionId(2)],
            home: RegionId(0),
            by_door: self.by_door,
            tried: &self.tried,
            when_all_down: self.when_all_down,
            snapshot: Snapshot { generation: &generation, now: Ticks(0) },
            flow: &self.flow,
            now: Duration::ZERO,
        };
        ask(&with)
    }
}

#[test]
fn home_answers_while_it_can() {
    assert_eq!(Scene::new().climb(1), Some((Rung::Home, "home")));
}

#[test]
fn only_the_excess_of_a_weakened_home_spills_to_the_nearest() {
    let mut scene = Scene::new();
    scene.say(0, RowState { weight: BasisPoints::new(5_000), ..UP });
    let stayed = (0..10_000).filter(|seed| scene.climb(*seed) == Some((Rung::Home, "home"))).count();
    assert!((6_850..7_150).contains(&stayed), "{stayed}");
    assert!((0..10_000).any(|seed| scene.climb(seed) == Some((Rung::Neighbour, "near"))));
}

#[test]
fn a_receiver_without_room_passes_the_spill_on_and_takes_it_when_nobody_else_is_left() {
    let mut scene = Scene::new();
    scene.say(0, DOWN);
    (0..80).for_each(|_| scene.flow.goes(RegionId(1), Duration::ZERO));
    assert_eq!(scene.climb(1), Some((Rung::Neighbour, "far")));
    scene.say(2, DOWN);
    assert_eq!(scene.climb(1), Some((Rung::OverCapacity, "near")));
}

#[test]
fn a_region_whose_front_door_is_lost_is_spared_until_nothing_else_is_healthy() {
    let mut scene = Scene::new();
    scene.say(0, DOWN);
    scene.say_door(1, DOWN);
    assert_eq!(scene.climb(1), Some((Rung::Neighbour, "far")));
    scene.say(2, DOWN);
    assert_eq!(scene.climb(1), Some((Rung::OverCapacity, "near")));
}

#[test]
fn a_drained_region_gets_no_new_work_while_another_can_take_it() {
    let mut scene = Scene::new();
    scene.say_door(0, RowState { is_draining: true, ..UP });
    assert_eq!(scene.climb(1), Some((Rung::Neighbour, "near")));
    scene.say_door(1, RowState { is_draining: true, ..UP });
    scene.say(2, DOWN);
    assert_eq!(scene.climb(1), Some((Rung::Drained, "home")), "what works is better than what does not");
    scene.when_all_down = WhenAllDown::Closed;
    assert_eq!(scene.climb(1), None, "who closes keeps to the word");
    scene.when_all_down = WhenAllDown::Open;
    (0..2).for_each(|region| scene.say(region, DOWN));
    assert!(
        (0..99).all(|seed| matches!(scene.climb(seed), Some((Rung::Open, _)))),
        "a drained one is among those that are tried"
    );
}

#[test]
fn what_has_no_verdict_comes_after_everything_proven_and_before_the_last_resort() {
    let mut scene = Scene::new();
    scene.say(0, DOWN);
    scene.say(1, RowState { health: Health::Unknown, ..UP });
    assert_eq!(scene.climb(1), Some((Rung::Neighbour, "far")));
    scene.say(2, DOWN);
    assert_eq!(scene.climb(1), Some((Rung::Unproven, "near")));
}

#[test]
fn when_all_is_down_a_pool_opens_or_closes_and_an_operators_word_stands() {
    let mut scene = Scene::new();
    (0..3).for_each(|region| scene.say(region, DOWN));
    assert_eq!(scene.climb(1), Some((Rung::Open, "home")));
    scene.tried = vec![0, 1];
    assert_eq!(scene.climb(1), Some((Rung::Open, "far")), "another try is made elsewhere");
    scene.tried = vec![2, 1, 0];
    assert_eq!(scene.climb(1), Some((Rung::Open, "home")));
    scene.tried.clear();
    scene.say(0, RowState { is_forced: true, ..DOWN });
    scene.say_door(1, RowState { is_forced: true, ..DOWN });
    assert_eq!(scene.climb(1), Some((Rung::Open, "far")));
    scene.when_all_down = WhenAllDown::Closed;
    assert_eq!(scene.climb(1), None);
}

#[test]
fn over_capacity_each_takes_as_much_as_it_keeps() {
    let mut scene = Scene::new();
    scene.say(0, DOWN);
    let half = RowState { weight: BasisPoints::new(5_000), ..UP };
    (1..3).for_each(|region| scene.say(region, half));
    let near = (0..10_000).filter(|seed| scene.climb(*seed) == Some((Rung::OverCapacity, "near"))).count();
    // 70 % by its share, and 9 % whom nobody keeps.
    assert!((7_700..8_100).contains(&near), "{near}");
    scene.say(1, RowState { weight: BasisPoints::LEAST, is_returning: true, ..UP });
    let near = (0..10_000).filter(|seed| scene.climb(*seed) == Some((Rung::OverCapacity, "near"))).count();
    assert!((2_800..3_200).contains(&near), "who returns is not asked for what the other keeps: {near}");
}

#[test]
fn what_nobody_has_room_for_stays_where_it_came_from() {
    let mut scene = Scene::new();
    scene.say(0, RowState { weight: BasisPoints::new(1_000), ..UP });
    (0..80).for_each(|_| scene.flow.goes(RegionId(1), Duration::ZERO));
    scene.say(2, RowState { weight: BasisPoints::new(5_000), ..UP });
    let at_home = |seed| matches!(scene.climb(seed), Some((Rung::Home | Rung::OverCapacity, "home")));
    assert!((0..1_000).all(at_home));
}

#[test]
fn who_is_given_less_than_all_of_its_own_takes_no_others_requests() {
    let mut scene = Scene::new();
    scene.say(0, DOWN);
    scene.say_door(1, RowState { weight: BasisPoints::new(500), ..UP });
    assert_eq!(scene.climb(1), Some((Rung::Neighbour, "far")));
}

#[test]
fn a_lost_door_is_no_way_for_requests_that_go_by_doors() {
    let mut scene = Scene::new();
    scene.by_door = true;
    scene.say(0, DOWN);
    scene.say(2, RowState { weight: BasisPoints::new(5_000), ..UP });
    scene.say_door(1, DOWN);
    assert_eq!(scene.climb(1), Some((Rung::OverCapacity, "far")));
    scene.say(2, DOWN);
    scene.when_all_down = WhenAllDown::Closed;
    assert_eq!(scene.climb(1), None, "so a last resort gets its turn");
    scene.say(0, UP);
    scene.say_door(0, DOWN);
    assert_eq!(scene.climb(1), Some((Rung::Home, "home")), "requests that are here do not go through its own");
}

#[test]
fn a_client_keeps_an_origin_elsewhere_while_its_region_takes_others_clients() {
    let mut scene = Scene::new();
    let stays = |scene: &Scene, region: u16| {
        scene.with(|climb| (0..1_000).filter(|seed| climb.may_stay_in(RegionId(region), &mut seeded(*seed))).count())
    };
    assert_eq!((stays(&scene, 0), stays(&scene, 1), stays(&scene, 9)), (1_000, 1_000, 0));
    scene.say_door(0, RowState { weight: BasisPoints::new(2_500), ..UP });
    scene.say_door(1, DOWN);
    assert!((200..300).contains(&stays(&scene, 0)), "an evacuation takes clients along");
    assert_eq!(stays(&scene, 1), 0);
}

#[test]
fn an_operators_word_on_a_region_moves_requests_too() {
    let mut scene = Scene::new();
    scene.say_door(0, RowState { is_forced: true, ..DOWN });
    assert_eq!(scene.climb(1), Some((Rung::Neighbour, "near")));
    scene.say_door(0, DOWN);
    assert_eq!(
        scene.climb(1),
        Some((Rung::Home, "home")),
        "a door that probes lost does not move what is already inside"
    );
    let kept = |scene: &Scene| (0..1_000).filter(|seed| scene.climb(*seed) == Some((Rung::Home, "home"))).count();
    scene.say_door(0, RowState { weight: BasisPoints::new(2_500), ..UP });
    assert!((200..300).contains(&kept(&scene)), "{}", kept(&scene));
    scene.say_door(0, RowState { weight: BasisPoints::LEAST, is_returning: true, ..UP });
    assert_eq!(kept(&scene), 1_000, "a return leads others elsewhere, not those who came");
    let row = scene.writer.row(&RowKey::FrontDoor("home".into())).unwrap().clone();
    let measure = row.measure().granting(BasisPoints::new(2_500));
    scene.writer.set_measure(&row, measure);
    assert!((200..300).contains(&kept(&scene)), "an operator's word moves them while it returns, too");
}
