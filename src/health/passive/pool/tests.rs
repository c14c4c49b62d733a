use proptest::prelude::*;

use super::*;
use crate::{
    config,
    fleet::{Fault, Watchlist},
    health::passive::watchlist,
};

/// A pool with so many origins in each of two regions, and its workers' list. Ports count from 1, through the regions.
struct Scene {
    list: Watchlist,
    watch: PoolWatch,
    here: usize,
    now: Duration,
    /// Everything that was decided since it was last asked for.
    decided: Vec<Decision>,
}

fn pool(here: usize, there: usize, passive: &str) -> (Arc<Pool>, Watchlist) {
    let origin = |at: usize| {
        let region = if at < here { "a" } else { "b" };
        format!("[[pools.shop.origins]]\naddress = \"127.0.0.1:{}\"\nregion = \"{region}\"\n", at + 1)
    };
    let origins: String = (0..here + there).map(origin).collect();
    let text = format!(
        "node.region = \"a\"\n[regions.a]\naddresses = [\"192.0.2.1\"]\n[regions.b]\naddresses = [\"192.0.2.2\"]\n\
         [pools.shop.passive]\n{passive}\n{origins}"
    );
    let loaded = config::from_text("pool.toml", &text, &config::Identity::default());
    let config = loaded.config.unwrap_or_else(|| panic!("{}", loaded.diagnostics.render_text(false)));
    (Arc::clone(&config.pools[0]), watchlist(&config, None))
}

fn scene(here: usize, there: usize, passive: &str) -> Scene {
    let (pool, list) = pool(here, there, passive);
    let watch = PoolWatch::new(&pool, None, Duration::ZERO, &mut Vec::new());
    Scene { list, watch, here, now: Duration::ZERO, decided: Vec::new() }
}

fn address(port: usize) -> Address {
    Address::Fixed(([127, 0, 0, 1], u16::try_from(port).unwrap()).into())
}

fn is_ejection(decision: &Decision) -> bool {
    matches!(decision, Decision::Eject { .. })
}

impl Scene {
    fn sees(&mut self, port: usize, good: u32, failed: u32, in_a_row: Option<u32>, asked_out: Option<Duration>) {
        let origin = Arc::clone(self.list.origin(0, port - 1).unwrap());
        let fault = (failed > 0).then_some(Fault::Status(502));
        let seen = Observation { origin, good, failed, fault, in_a_row, asked_out, latencies: None };
        self.watch.hear(&address(port), &seen, self.now, &mut self.decided);
    }

    fn fails(&mut self, port: usize) {
        self.sees(port, 0, 5, Some(5), None);
    }

    fn waits(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
        self.watch.tick(self.now, &mut self.decided);
    }

    fn reviews(&mut self) {
        self.watch.review(self.now, &mut self.decided);
    }

    fn takes(&mut self, pool: &Pool) {
        let before = std::mem::replace(&mut self.watch, PoolWatch::new(pool, None, self.now, &mut Vec::new()));
        self.watch = PoolWatch::new(pool, Some(before), self.now, &mut self.decided);
    }

    /// Who was ejected, how long, and by what.
    fn ejections(&mut self) -> Vec<(usize, u64, Detector)> {
        let ejected = |decision| match decision {
            Decision::Eject { origin, detector, span, .. } => {
                Some((usize::from(origin.port()), span.as_secs(), detector))
            }
            Decision::Withhold | Decision::Return { .. } => None,
        };
        self.decided.drain(..).filter_map(ejected).collect()
    }

    fn out(&self, of: impl Fn(usize) -> bool) -> usize {
        let members = self.watch.members.iter().enumerate();
        members.filter(|(at, member)| of(*at) && member.record.is_ejected()).count()
    }
}

#[test]
fn failures_in_a_row_eject_at_once_and_say_so() {
    let mut scene = scene(2, 0, "");
    scene.sees(1, 3, 4, None, None);
    assert!(scene.decided.is_empty());
    scene.fails(1);
    let said = "5 gateway failures in a row, the last of them: status 502".to_owned();
    let span = Duration::from_secs(30);
    assert_eq!(scene.decided, [Decision::Eject { origin: address(1), detector: Detector::Consecutive, said, span }]);
}

#[test]
fn ejections_grow_with_repetition_up_to_the_longest_and_are_forgotten_one_by_one() {
    let mut scene = scene(2, 0, "ejection = \"30s\"\nmax_ejection = \"100s\"");
    for span in [30, 60, 90, 100, 100] {
        scene.fails(1);
        assert_eq!(scene.ejections(), [(1, span, Detector::Consecutive)]);
        scene.waits(span - 1);
        assert_eq!(scene.watch.ejected(), 1);
        scene.waits(1);
        assert_eq!(scene.decided.drain(..).collect::<Vec<_>>(), [Decision::Return { origin: address(1) }]);
    }
    // Of five, three are forgotten after three quiet times.
    scene.waits(90);
    scene.fails(1);
    assert_eq!(scene.ejections(), [(1, 90, Detector::Consecutive)]);
    scene.waits(90);
    // All of them after many.
    scene.waits(3_600);
    scene.decided.clear();
    scene.fails(1);
    assert_eq!(scene.ejections(), [(1, 30, Detector::Consecutive)]);
}

#[test]
fn half_of_the_pool_stays() {
    let mut scene = scene(2, 3, "");
    (1..=5).for_each(|port| scene.fails(port));
    assert_eq!(scene.decided.iter().filter(|decision| is_ejection(decision)).count(), 2);
    assert_eq!(scene.decided.iter().filter(|decision| **decision == Decision::Withhold).count(), 3);
    assert_eq!(scene.out(|at| at < 2), 2, "all of a region may go: others are left");
    let mut all = self::scene(1, 3, "max_ejected = 100");
    (1..=4).for_each(|port| all.fails(port));
    assert_eq!(all.watch.ejected(), 4);
    let mut alone = self::scene(1, 0, "");
    alone.fails(1);
    assert_eq!(alone.watch.ejected(), 0, "the only origin of a pool is not ejected, whatever it does");
}

#[test]
fn what_was_under_way_when_an_origin_was_ejected_is_no_news() {
    let mut scene = scene(2, 0, "");
    scene.fails(1);
    scene.fails(1);
    scene.sees(1, 0, 1, None, Some(Duration::from_mins(4)));
    assert_eq!(scene.ejections(), [(1, 30, Detector::Consecutive)]);
    scene.waits(30);
    scene.reviews();
    assert_eq!(scene.watch.ejected(), 0, "it begins anew");
}

#[test]
fn a_wish_is_granted_and_not_held_against_its_origin() {
    let mut scene = scene(4, 0, "");
    scene.sees(1, 1, 0, None, Some(Duration::from_secs(7)));
    scene.sees(2, 1, 0, None, Some(Duration::from_hours(9)));
    scene.sees(3, 1, 0, None, Some(Duration::ZERO));
    assert_eq!(scene.ejections(), [(1, 7, Detector::Asked), (2, 300, Detector::Asked)]);
    scene.waits(7);
    scene.fails(1);
    assert_eq!(scene.ejections(), [(1, 30, Detector::Consecutive)]);
}

#[test]
fn the_other_detectors_look_at_the_window_and_those_who_are_in() {
    let mut scene = scene(6, 0, "failure_ratio = { percent = 50, min_requests = 20 }");
    // One failure more than successes, but not many requests; and nobody knows how to compare.
    scene.sees(1, 9, 10, None, None);
    scene.reviews();
    assert!(scene.decided.is_empty());
    scene.sees(1, 0, 1, None, None);
    scene.reviews();
    assert_eq!(scene.ejections(), [(1, 30, Detector::FailureRatio)]);
    (2..=5).for_each(|port| scene.sees(port, 200, 0, None, None));
    scene.sees(6, 150, 50, None, None);
    scene.reviews();
    assert_eq!(scene.ejections(), [(6, 30, Detector::SuccessRate)]);
    scene.sees(2, 0, 200, None, None);
    scene.waits(11);
    scene.reviews();
    assert!(scene.decided.is_empty(), "that is long ago");
}

#[test]
fn who_is_found_by_two_and_stays_is_counted_once() {
    let mut scene = scene(5, 0, "max_ejected = 0\nfailure_ratio = { percent = 10, min_requests = 20 }");
    (1..=4).for_each(|port| scene.sees(port, 200, 0, None, None));
    scene.sees(5, 150, 50, None, None);
    scene.reviews();
    assert_eq!(scene.decided, [Decision::Withhold]);
}

#[test]
fn a_reload_keeps_who_is_out_how_often_and_what_was_seen() {
    let mut scene = scene(4, 0, "");
    scene.fails(1);
    scene.waits(30);
    scene.fails(1);
    scene.decided.clear();
    let (longer, _) = pool(5, 0, "max_ejection = \"10m\"");
    scene.takes(&longer);
    assert_eq!((scene.watch.ejected(), scene.decided.len()), (1, 0));
    scene.waits(60);
    scene.decided.clear();
    scene.fails(1);
    assert_eq!(scene.ejections(), [(1, 90, Detector::Consecutive)]);
}

#[test]
fn those_who_are_too_many_after_a_reload_come_back_and_nobody_is_out_where_nothing_is_enforced() {
    let mut first = scene(6, 0, "");
    for port in [3, 2, 1] {
        first.fails(port);
    }
    first.decided.clear();
    let (fewer, _) = pool(4, 0, "");
    first.takes(&fewer);
    assert_eq!((first.watch.ejected(), first.decided.len()), (2, 1));
    for passive in ["mode = \"off\"", "mode = \"observe\""] {
        let mut scene = scene(6, 0, "");
        scene.fails(1);
        scene.decided.clear();
        scene.takes(&pool(6, 0, passive).0);
        assert_eq!(scene.decided, [Decision::Return { origin: address(1) }]);
    }
}

#[test]
fn an_origin_without_weight_is_neither_ejected_nor_counted() {
    let (pool, _) = pool(3, 0, "");
    let mut idle = Pool::clone(&pool);
    idle.origins[2].weight = 0;
    let mut scene = scene(3, 0, "");
    scene.takes(&idle);
    for port in [3, 1, 2] {
        scene.fails(port);
    }
    assert_eq!(scene.ejections(), [(1, 30, Detector::Consecutive)]);
}

#[derive(Clone, Debug)]
enum Step {
    Fails(usize),
    Asks(usize, u64),
    Waits(u64),
    Reviews(usize, u32),
    Reloads(usize, usize, u32),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1..=9_usize).prop_map(Step::Fails),
        1 => (1..=9_usize, 0..500_u64).prop_map(|(port, seconds)| Step::Asks(port, seconds)),
        1 => (0..90_u64).prop_map(Step::Waits),
        1 => (1..=9_usize, 0..100_u32).prop_map(|(port, failed)| Step::Reviews(port, failed)),
        1 => (1..=4_usize, 0..=5_usize, 0..=100_u32).prop_map(|(here, there, most)| Step::Reloads(here, there, most)),
    ]
}

proptest! {
    #[test]
    fn never_are_more_out_than_may_be(steps in prop::collection::vec(any_step(), 1..60)) {
        let ratio = "failure_ratio = { percent = 10, min_requests = 10 }";
        let (mut size, mut most) = ((4, 5), 50);
        let mut scene = scene(4, 5, ratio);
        for step in steps {
            let port = |port: usize| 1 + (port - 1) % (size.0 + size.1);
            match step {
                Step::Fails(at) => scene.fails(port(at)),
                Step::Asks(at, seconds) => scene.sees(port(at), 1, 0, None, Some(Duration::from_secs(seconds))),
                Step::Waits(seconds) => scene.waits(seconds),
                Step::Reviews(at, failed) => {
                    scene.sees(port(at), 100, failed, None, None);
                    scene.reviews();
                }
                Step::Reloads(here, there, percent) => {
                    (size, most) = ((here, there), percent);
                    let (pool, list) = pool(here, there, &format!("max_ejected = {percent}\n{ratio}"));
                    scene.takes(&pool);
                    (scene.list, scene.here) = (list, here);
                }
            }
            prop_assert!(100 * scene.out(|_| true) <= (size.0 + size.1) * most as usize);
        }
    }
}
