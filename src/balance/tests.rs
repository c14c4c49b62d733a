use std::{sync::Arc, time::Duration};

use super::{scene::*, *};
use crate::{
    clock::{Ticks, seeded},
    fleet::{Balance, Health, STANDBY},
    table::RowState,
};

const METHODS: [Balance; 5] =
    [Balance::RoundRobin, Balance::LeastConnections, Balance::PeakEwma, Balance::Random, Balance::Hash];

/// Two kinds of tiers: one that is looked through, one that is drawn from.
const SMALL: [u16; 4] = [10, 20, 30, 40];

fn large() -> Vec<u16> {
    (0..100).map(|at| if at % 2 == 0 { 50 } else { 150 }).collect()
}

#[test]
fn drawn_and_turned_shares_are_those_of_the_weights() {
    for method in [Balance::RoundRobin, Balance::Random, Balance::Hash] {
        let counts = scene(method, &SMALL).shares(1_000_000);
        assert_shares(&counts, &[10, 20, 30, 40], 0.01);
    }
    let counts = scene(Balance::RoundRobin, &[3, 2, 1]).shares(600);
    assert_eq!(counts, [300, 200, 100], "turns are exact");
}

#[test]
fn held_requests_stand_in_the_proportion_of_the_weights() {
    for method in [Balance::LeastConnections, Balance::PeakEwma] {
        let mut few = scene(method, &SMALL);
        let held = few.fill(20_000);
        assert_shares(&few.in_flight(), &[10, 20, 30, 40], 0.01);
        drop(held);
        assert_eq!(few.in_flight(), [0; 4]);
        let mut many = scene(method, &large());
        let _held = many.fill(200_000);
        let light: u32 = many.in_flight().iter().step_by(2).sum();
        assert!(light.abs_diff(50_000) <= 500, "{light} of 200,000 for a quarter of the weight");
    }
}

#[test]
fn keys_are_shared_by_weight() {
    let mut scene = scene(Balance::Hash, &SMALL);
    let mut counts = vec![0; 4];
    (0..400_000).for_each(|key| counts[scene.pick(Some(key::again(key, 9))).unwrap()] += 1);
    assert_shares(&counts, &[10, 20, 30, 40], 0.01);
}

#[test]
fn turns_never_come_in_bursts() {
    let mut uneven = scene(Balance::RoundRobin, &[5, 1, 1]);
    let taken: Vec<usize> = (0..700).map(|_| uneven.pick(None).unwrap()).collect();
    let longest = taken.chunk_by(|left, right| left == right).map(<[usize]>::len).max();
    // Where a round of 5, 1, 1 begins anew: `… a | a b a a a c a |`.
    assert!(longest <= Some(4), "{longest:?}");
    let mut equals = scene(Balance::RoundRobin, &[7; 10]);
    let round: Vec<usize> = (0..100).map(|_| equals.pick(None).unwrap()).collect();
    assert!(round.windows(10).all(|window| (0..10).all(|at| window.contains(&at))), "{round:?}");
}

#[test]
fn least_connections_finds_the_least() {
    let mut scene = scene(Balance::LeastConnections, &[100; 16]);
    let mut random = seeded(2);
    let mut held: Vec<InFlight> = Vec::new();
    for _ in 0..2_000 {
        let at = scene.pick(None).unwrap();
        let loads = scene.in_flight();
        assert_eq!(Some(&loads[at]), loads.iter().min(), "{at} of {loads:?}");
        held.push(scene.begin(random.usize(..16)));
        if held.len() > 40 {
            held.swap_remove(random.usize(..held.len()));
        }
    }
}

#[test]
fn of_equals_any_is_the_least() {
    let counts = scene(Balance::LeastConnections, &[100; 10]).shares(100_000);
    assert_shares(&counts, &[1; 10], 0.05);
}

#[test]
fn the_worse_of_two_is_never_taken() {
    let mut scene = scene(Balance::LeastConnections, &[100; 100]);
    // One carries more than any other: every comparison goes against it.
    let _held: Vec<InFlight> = (0..5).map(|_| scene.begin(42)).collect();
    assert_eq!(scene.shares(20_000)[42], 0);
    // One of a hundred that is idle where all others are not wins every comparison it is drawn for, twice as often as its share.
    let _busy: Vec<InFlight> = (0..100).filter(|at| *at != 7).map(|at| scene.begin(at)).collect();
    let count = scene.shares(100_000)[7];
    assert!((1_800..2_200).contains(&count), "{count}");
}

#[test]
fn two_choices_are_far_more_even_than_one() {
    let spread = |method| {
        let mut scene = scene(method, &[100; 100]);
        let _held = scene.fill(10_000);
        let loads = scene.in_flight();
        loads.iter().max().unwrap() - loads.iter().min().unwrap()
    };
    assert!(spread(Balance::LeastConnections) <= 8 && spread(Balance::Random) >= 30);
}

#[test]
fn who_answers_slowly_is_asked_less_and_then_tried_again() {
    let mut scene = scene(Balance::PeakEwma, &[100; 4]);
    let answer = |scene: &Scene, at: usize, (seconds, took): (u64, u64)| {
        let (sent, now) = (scene.begin(at), Duration::from_secs(seconds));
        sent.asked(now.saturating_sub(Duration::from_millis(took)));
        sent.answered(now);
    };
    (0..4).for_each(|at| answer(&scene, at, (1, 5)));
    answer(&scene, 2, (1, 500));
    scene.now = Ticks(10);
    assert_eq!(scene.shares(10_000)[2], 0);
    // A minute and a half later next to nothing is left of the peak.
    scene.now = Ticks(900);
    (0..4).filter(|at| *at != 2).for_each(|at| answer(&scene, at, (90, 5)));
    assert!(scene.shares(10_000)[2] > 0);
}

#[test]
fn a_request_more_makes_up_for_a_slower_answer() {
    let mut scene = scene(Balance::PeakEwma, &[100, 100]);
    scene.begin(0).answered(Duration::from_millis(30));
    scene.begin(1).answered(Duration::from_millis(10));
    let _held = scene.fill(4_000);
    // Latency times requests is the same at both.
    assert_shares(&scene.in_flight(), &[1, 3], 0.01);
}

#[test]
fn a_dead_origins_share_goes_to_all_others_by_weight() {
    for method in [Balance::RoundRobin, Balance::Random, Balance::Hash] {
        let mut scene = scene(method, &[100, 100, 200]);
        scene.say(0, DOWN);
        let counts = scene.shares(200_000);
        assert_shares(&counts, &[0, 1, 2], 0.01);
    }
    for method in METHODS {
        let mut scene = scene(method, &[100; 40]);
        (1..40).for_each(|at| scene.say(at, DOWN));
        assert_eq!(scene.shares(200)[0], 200, "{method:?} finds the last one");
        scene.say(0, DOWN);
        assert_eq!(scene.pick(Some(1)), None, "{method:?}");
    }
}

#[test]
fn a_thinned_weight_takes_its_share() {
    for method in [Balance::RoundRobin, Balance::Random] {
        let mut scene = scene(method, &[100, 100]);
        scene.say(0, thinned(5_000));
        let counts = scene.shares(300_000);
        // In turn, half of the first one's turns are drawn anew, and a third of those come back to it: the same.
        assert_shares(&counts, &[1, 2], 0.01);
    }
    let mut scene = scene(Balance::Hash, &[100, 100]);
    scene.say(0, thinned(5_000));
    let mut counts = vec![0; 2];
    (0..300_000).for_each(|key| counts[scene.pick(Some(key::again(key, 9))).unwrap()] += 1);
    assert_shares(&counts, &[1, 2], 0.01);
}

#[test]
fn keys_of_a_dead_origin_scatter_and_no_other_key_moves() {
    let mut scene = scene(Balance::Hash, &[100; 10]);
    let keys: Vec<u64> = (0..50_000).map(|at| key::again(at, 9)).collect();
    let before: Vec<_> = keys.iter().map(|key| scene.pick(Some(*key)).unwrap()).collect();
    scene.say(3, DOWN);
    let mut scattered = vec![0; 10];
    for (key, owner) in keys.iter().zip(&before) {
        let now = scene.pick(Some(*key)).unwrap();
        assert!(now == *owner || *owner == 3, "{owner} lost a key to {now}");
        if *owner == 3 {
            scattered[now] += 1;
        }
    }
    assert_eq!(scattered.remove(3), 0);
    assert_shares(&scattered, &[1; 9], 0.15);
    scene.say(3, UP);
    let after: Vec<_> = keys.iter().map(|key| scene.pick(Some(*key)).unwrap()).collect();
    assert_eq!(before, after, "and they come back");
}

#[test]
fn an_origin_that_leaves_the_pool_moves_few_keys() {
    let mut scene = scene(Balance::Hash, &[100; 10]);
    let keys: Vec<u64> = (0..50_000).map(|at| key::again(at, 9)).collect();
    let before: Vec<_> = keys.iter().map(|key| scene.pick(Some(*key)).unwrap()).collect();
    scene.change(&[(100, 0); 9]);
    let moved = keys.iter().zip(&before).filter(|(key, owner)| scene.pick(Some(**key)) != Some(**owner)).count();
    let own = before.iter().filter(|owner| **owner == 9).count();
    assert!((own..2 * own).contains(&moved), "{moved} moved with the {own} of the one that left");
}

#[test]
fn one_key_alone_cannot_break_the_bound() {
    for percent in [125, 150, 200] {
        let mut scene = scene(Balance::Hash, &[100, 100, 200]);
        scene.settings.hash.bound_percent = percent;
        let mut held = Vec::new();
        for sent in 0_u32..4_000 {
            let at = scene.pick(Some(1)).unwrap();
            held.push(scene.begin(at));
            let share = [1, 1, 2][at];
            let bound = (percent * (sent + 1) * share).div_ceil(400).max(8);
            assert!(scene.in_flight()[at] <= bound, "{:?}, {at} may have {bound}", scene.in_flight());
        }
        // The key's own origin carries all that it may.
        let most = scene.in_flight().iter().zip([1, 1, 2]).map(|(load, share)| load / share).max().unwrap();
        assert!(most.abs_diff(1_000 * percent / 100) <= 2, "{most} of {percent} %");
        drop(held);
        assert!((0..100).all(|_| scene.pick(Some(1)) == scene.pick(Some(1))), "in peace it goes to one");
    }
}

#[test]
fn the_bound_is_a_share_of_what_can_be_used() {
    let mut scene = scene(Balance::Hash, &[100; 10]);
    (2..10).for_each(|at| scene.say(at, DOWN));
    let mut held = Vec::new();
    for key in 0..1_000 {
        let at = scene.pick(Some(key::again(key, 9))).unwrap();
        held.push(scene.begin(at));
    }
    let loads = scene.in_flight();
    assert!(loads[0] <= 750 && loads[1] <= 750 && loads[0] + loads[1] == 1_000, "{loads:?}");
    assert!(loads[0].abs_diff(500) < 100, "keys are shared where there is room: {loads:?}");
}

#[test]
fn what_is_under_way_counts_on_when_the_pool_changes() {
    let mut scene = scene(Balance::Hash, &[100; 4]);
    let held = scene.fill(40);
    scene.change(&[(100, 0); 6]);
    assert_eq!(scene.in_flight().iter().sum::<u32>(), 40);
    let _more = scene.fill(20);
    drop(held);
    assert_eq!(scene.in_flight().iter().sum::<u32>(), 20);
    let selector = scene.pool.selector::<Selector>().unwrap();
    assert_eq!(selector.under_way(&selector.tiers()[0]), 20);
}

#[test]
fn a_tier_that_is_split_is_not_counted_twice() {
    let mut scene = scene(Balance::Hash, &[100; 40]);
    let _held = scene.fill(400);
    let split: Vec<_> = (0..40).map(|at| (100, u8::from(at >= 20))).collect();
    scene.change(&split);
    let selector = scene.pool.selector::<Selector>().unwrap();
    let counted: Vec<u32> = selector.tiers().iter().map(|tier| selector.under_way(tier)).collect();
    assert_eq!(counted, [400, 0], "one goes on with the count, and the other begins");
}

#[test]
fn an_origin_without_a_verdict_waits_for_its_rung_and_an_operators_word_holds_on_the_last() {
    for method in METHODS {
        let mut unproven = scene(method, &[1, 1]);
        unproven.say(1, RowState::of(Health::Unknown));
        assert_eq!(unproven.shares(100), [100, 0], "{method:?}");
        assert!(unproven.shares_as(Standard::Unproven, &[], 100)[1] > 0, "{method:?}");
        let mut last = scene(method, &[1, 1, 1]);
        last.say(0, RowState { is_forced: true, ..DOWN });
        last.say(1, RowState { is_draining: true, ..UP });
        last.say(2, DOWN);
        assert_eq!(last.shares_as(Standard::Any, &[], 90), [0, 0, 90], "{method:?}");
    }
}

#[test]
fn who_was_tried_or_has_no_weight_is_not_asked() {
    for method in METHODS {
        let mut scene = scene(method, &[1, 1, 0]);
        assert_eq!(scene.shares_as(Standard::Proven, &[1], 50), [50, 0, 0], "{method:?}");
        assert_eq!(scene.pick_as(Standard::Proven, Some(5), &[1]), Some(0), "{method:?}");
        assert_eq!(scene.pick_as(Standard::Any, Some(5), &[0, 1]), None, "{method:?}");
    }
}

/// Seven of ten origins, in the first of two tiers.
fn two_tiers(method: Balance) -> Scene {
    let mut origins = vec![(100, 0); 10];
    origins.extend([(100, 4); 10]);
    tiered(method, &origins)
}

fn of_first(counts: &[u32]) -> u32 {
    counts[..10].iter().sum()
}

#[test]
fn a_tier_gives_away_just_the_excess() {
    for method in METHODS {
        let mut scene = two_tiers(method);
        (0..2).for_each(|at| scene.say(at, DOWN));
        assert_eq!(of_first(&scene.shares(10_000)), 10_000, "{method:?}: eight of ten carry all");
        (2..5).for_each(|at| scene.say(at, DOWN));
        let counts = scene.shares(200_000);
        assert_eq!(counts[..5], [0; 5], "{method:?}");
        assert!(of_first(&counts).abs_diff(140_000) < 1_400, "{method:?}: five of ten carry 70 %: {counts:?}");
        // The second can carry what it gets and more.
        assert_shares(&counts[10..], &[1; 10], 0.1);
    }
}

#[test]
fn origins_that_join_do_not_make_their_tier_look_lost() {
    let mut origins = vec![(100, 0); 10];
    origins.push((100, STANDBY));
    let mut scene = tiered(Balance::Random, &origins);
    (2..10).for_each(|at| scene.say(at, RowState::of(Health::Unknown)));
    assert_eq!(scene.shares(1_000)[10], 0, "without a verdict");
    (2..10).for_each(|at| scene.say(at, RowState { is_joining: true, ..thinned(1_000) }));
    assert_eq!(scene.shares(1_000)[10], 0, "with a tenth of their weight");
    (0..2).for_each(|at| scene.say(at, DOWN));
    assert_eq!(scene.shares(1_000)[..2], [0, 0]);
    (2..10).for_each(|at| scene.say(at, thinned(1_000)));
    assert!(scene.shares(1_000)[10] > 0, "who returns was lost");
}

#[test]
fn a_key_stays_in_its_tier_while_tiers_share() {
    let mut scene = two_tiers(Balance::Hash);
    (0..5).for_each(|at| scene.say(at, DOWN));
    for key in (0..200).map(|key| key::again(key, 9)) {
        let first = scene.pick(Some(key));
        assert!((0..20).all(|_| scene.pick(Some(key)) == first), "{key}");
    }
}

#[test]
fn tiers_that_together_carry_less_than_all_share_what_there_is() {
    let mut scene = tiered(Balance::Random, &[(100, 0), (100, 0), (20, 1), (50, STANDBY)]);
    (0..2).for_each(|at| scene.say(at, DOWN));
    assert_shares(&scene.shares(70_000), &[0, 0, 20, 50], 0.02);
    (2..4).for_each(|at| scene.say(at, DOWN));
    assert_eq!(scene.pick(None), None);
}

#[test]
fn a_standby_takes_over_at_once_and_gives_back() {
    for method in METHODS {
        let mut scene = tiered(method, &[(100, 0), (100, STANDBY)]);
        assert_eq!(scene.shares(1_000), [1_000, 0], "{method:?}");
        // No moment has passed since the worker looked: nobody is found in the first tier.
        let then = scene.now;
        scene.say(0, DOWN);
        scene.now = then;
        assert_eq!(scene.shares(1_000), [0, 1_000], "{method:?}");
        scene.say(0, UP);
        assert_eq!(scene.shares(1_000), [1_000, 0], "{method:?}");
        assert_eq!(scene.pick_as(Standard::Proven, Some(1), &[0]), Some(1), "{method:?}: another try goes on to it");
    }
}

#[test]
fn a_client_stays_while_its_origin_is_usable_and_its_tier_takes_requests() {
    let mut scene = tiered(Balance::Random, &[(100, 0), (100, 0), (0, 0), (100, STANDBY)]);
    assert!(scene.keeps(0, &[]) && scene.keeps(1, &[0]));
    assert!(!scene.keeps(0, &[0]), "it was tried");
    assert!(!scene.keeps(2, &[]) && !scene.keeps(9, &[]), "it has no weight, or is not there");
    assert!(!scene.keeps(3, &[]), "nobody is sent to the standby now");
    scene.say(0, DOWN);
    assert!(!scene.keeps(0, &[]) && scene.keeps(1, &[]) && scene.keeps(3, &[]), "half of the first tier is not enough");
    scene.say(0, thinned(1));
    assert!(scene.keeps(0, &[]), "an origin that comes back slowly keeps who is its own");
    scene.say(0, RowState { is_draining: true, ..UP });
    assert!(!scene.keeps(0, &[]));
}

#[test]
fn loads_outlive_a_change_and_workers_see_the_same() {
    let mut scene = scene(Balance::LeastConnections, &[100, 100]);
    let before = Arc::clone(&scene.pool);
    let held = scene.begin(1);
    scene.change(&[(50, 0), (100, 0), (100, 0)]);
    assert_eq!(scene.in_flight(), [0, 1, 0]);
    let _late = before.selector::<Selector>().unwrap().begin(1, &scene.settings, Duration::ZERO);
    assert_eq!(scene.in_flight(), [0, 2, 0], "a worker that has not heard of the change");
    drop(held);
    assert_eq!(scene.in_flight(), [0, 1, 0]);
}
